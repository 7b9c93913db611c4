from django.apps import AppConfig


class MeteringConfig(AppConfig):
    name = "gridgate.metering"
    default_auto_field = "django.db.models.BigAutoField"
