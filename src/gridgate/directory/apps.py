from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "gridgate.directory"
    default_auto_field = "django.db.models.BigAutoField"
