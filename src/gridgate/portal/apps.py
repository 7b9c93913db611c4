from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The screens. It has no tables: what they show comes from the apps below, through their `queries` and
    `operations`.
    """

    name = "gridgate.portal"
    label = "portal"
