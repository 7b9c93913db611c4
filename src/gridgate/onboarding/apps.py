from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    name = "gridgate.onboarding"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from gridgate.onboarding import receivers  # noqa: F401 - they register themselves
