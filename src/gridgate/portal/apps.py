from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The screens. It has no tables: what they show comes from the apps below, through their `queries` and
    `operations`.
    """

    name = "gridgate.portal"
    label = "portal"

    def ready(self) -> None:
        from gridgate.portal import handles, letter_links

        handles.register()
        letter_links.register()
        from gridgate.portal import language  # noqa: F401  its receiver
        from gridgate.portal.screens.activation import gate  # noqa: F401  its receiver
