from django.apps import AppConfig


class KycConfig(AppConfig):
    name = "gridgate.kyc"
    default_auto_field = "django.db.models.BigAutoField"
