from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The screens. It has no tables: what they show comes from the apps below, through their `queries` and
    `operations`.
    """

    name = "gridgate.portal"
    label = "portal"

    def ready(self) -> None:
        from gridgate.portal import letter_links
        from gridgate.portal.kit import handles

        handles.register()
        letter_links.register()
        from gridgate.portal.guards import terms  # noqa: F401  its receiver
        from gridgate.portal.shell import language  # noqa: F401  its receiver
