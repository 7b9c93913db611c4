from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrganisationsConfig(AppConfig):
    name = "gridgate.organisations"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Entreprises et utilisateurs")

    def ready(self) -> None:
        from gridgate.organisations import middleware  # noqa: F401 - stamps sign-ins, whatever comes first
