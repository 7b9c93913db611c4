from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "gridgate.accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from gridgate.accounts import receivers  # noqa: F401 - they register themselves
        from gridgate.accounts.security import sessions  # noqa: F401 - stamps sign-ins, whatever comes first
