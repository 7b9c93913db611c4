from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "gridgate.directory"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from gridgate.directory import receivers  # noqa: F401 - they register themselves
