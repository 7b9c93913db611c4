"""How many meters, services and reads."""

from django.utils.translation import ngettext

from gridgate.portal.kit import formats


def points(count: int) -> str:
    """`12 compteurs`."""
    return ngettext("%(count)s compteur", "%(count)s compteurs", count) % {"count": formats.number(count)}


def services(count: int) -> str:
    """`3 services`."""
    return ngettext("%(count)s service", "%(count)s services", count) % {"count": formats.number(count)}


def reads(count: int) -> str:
    """`1 496 lectures`."""
    return ngettext("%(count)s lecture", "%(count)s lectures", count) % {"count": formats.number(count)}
