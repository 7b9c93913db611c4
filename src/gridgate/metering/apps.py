from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MeteringConfig(AppConfig):
    name = "gridgate.metering"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Points de comptage")
