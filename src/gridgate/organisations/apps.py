from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "gridgate.organisations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from gridgate.organisations import middleware  # noqa: F401 - stamps sign-ins, whatever comes first
        from gridgate.organisations.eic_form import eic_form

        eic_form()  # a file that will not do is told at start
