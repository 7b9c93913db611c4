from django.apps import AppConfig


class EicConfig(AppConfig):
    name = "gridgate.eic"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from gridgate.eic.form import eic_form

        eic_form()  # a file that will not do is told at start
