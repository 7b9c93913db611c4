"""What happened to a permission, and until when it lasts."""

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.core.sharing import PermissionState
from gridgate.portal.kit import formats
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.sharing.models import Permission


def until(end: datetime | None, moment: Moment) -> str:
    """The last day in a sentence, or how long without one."""
    return _("tant que vous êtes titulaire") if end is None else formats.long_day(moment.last_day_before(end))


def ending(permission: Permission, by: str) -> str:
    """How a permission came to its end, in two or three words: `Résilié par Alice`, `Arrivé à échéance`."""
    match PermissionState(permission.state):
        case PermissionState.REVOKED:
            return _("Résilié par %(name)s") % {"name": by} if by else _("Résilié")
        case PermissionState.TERMINATED:
            return _("Arrêté par %(name)s") % {"name": permission.eligible_party.legal_name}
        case PermissionState.INVALIDATED:
            return _("Fin de titularité")
        case PermissionState.FULFILLED:
            return _("Terminé")
        case _:
            return _("Arrivé à échéance")


EVENTS = {
    PermissionState.REQUESTED: gettext_lazy("Demandé"),
    PermissionState.VALIDATED: gettext_lazy("Vérifié"),
    PermissionState.ACTIVE: gettext_lazy("Accordé"),
    PermissionState.SUSPENDED: gettext_lazy("Suspendu"),
    PermissionState.REVOKED: gettext_lazy("Résilié"),
    PermissionState.TERMINATED: gettext_lazy("Arrêté par l’entreprise tierce"),
    PermissionState.EXPIRED: gettext_lazy("Arrivé à échéance"),
    PermissionState.FULFILLED: gettext_lazy("Terminé"),
    PermissionState.INVALIDATED: gettext_lazy("Fin de titularité"),
    PermissionState.REFUSED: gettext_lazy("Refusé"),
    PermissionState.MALFORMED: gettext_lazy("Demande incomplète"),
    PermissionState.TIMED_OUT: gettext_lazy("Sans réponse à temps"),
}
