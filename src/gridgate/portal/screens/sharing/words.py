"""How permissions, services and measurements are said on the screens about sharing."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gridgate.core.errors import GridgateError
from gridgate.core.quantities import FlowDirection, Kind, directions_of, kinds_of
from gridgate.core.sharing import LegalBasis, PermissionState
from gridgate.core.time import Resolution
from gridgate.portal.kit import formats
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.sharing.models import DataService, Permission
from gridgate.sharing.operations.durations import InvalidEnd
from gridgate.sharing.operations.extending import NotExtendable, Obstacle
from gridgate.sharing.operations.granting import AlreadyShared, LoadCurveOpposed, NoPoints, NotOffered
from gridgate.sharing.operations.requesting import RequestClosed

KINDS = {
    Kind.LOAD_CURVE: gettext_lazy("courbe de charge"),
    Kind.DAILY_ENERGY: gettext_lazy("énergie quotidienne"),
    Kind.MAXIMUM_POWER: gettext_lazy("puissance maximale"),
    Kind.REGISTER_READING: gettext_lazy("index"),
}
DIRECTIONS = {
    FlowDirection.WITHDRAWAL: gettext_lazy("soutirage"),
    FlowDirection.INJECTION: gettext_lazy("injection"),
}
BASES = {
    LegalBasis.CONSENT: gettext_lazy("votre consentement"),
    LegalBasis.CONTRACT: gettext_lazy("un contrat avec vous"),
    LegalBasis.LEGAL_OBLIGATION: gettext_lazy("une obligation légale"),
    LegalBasis.PUBLIC_TASK: gettext_lazy("une mission de service public"),
}


class Says(Protocol):
    """What a permission and a service both say."""

    kinds: int
    directions: int
    finest_resolution: int
    legal_basis: str


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def kind(code: str) -> str:
    """`Courbe de charge`; the code itself when it is not one of ours."""
    return capital(str(KINDS[Kind(code)])) if code in set(Kind) else code


def step(seconds: int) -> str:
    """`30 min`, `par jour`; empty for "as stored"."""
    if not seconds:
        return ""
    return _("par jour") if seconds == Resolution.P1D.seconds else formats.duration(seconds)


def kinds(says: Says) -> str:
    """`Courbe de charge 30 min, puissance maximale`: kinds in their order, the step beside the curve."""
    return capital(", ".join(_kind_words(says)))


def _kind_words(says: Says) -> list[str]:
    words = []
    for one in sorted(kinds_of(says.kinds), key=list(Kind).index):
        word = str(KINDS[one])
        if one is Kind.LOAD_CURVE and says.finest_resolution:
            word = _("courbe de charge %(step)s") % {"step": step(says.finest_resolution)}
        words.append(word)
    return words


def directions(mask: int) -> str:
    """`soutirage et injection`."""
    words = [str(DIRECTIONS[one]) for one in FlowDirection if one in directions_of(mask)]
    return _(" et ").join(words)


def data(says: Says) -> str:
    """Kinds, step and directions in one line; withdrawal alone goes without saying."""
    both = directions_of(says.directions)
    if both == {FlowDirection.WITHDRAWAL}:
        return kinds(says)
    return f"{kinds(says)}, {directions(says.directions)}"


def basis(says: Says) -> str:
    return str(BASES[LegalBasis(says.legal_basis)])


def points(count: int) -> str:
    """`12 compteurs`."""
    return ngettext("%(count)s compteur", "%(count)s compteurs", count) % {"count": formats.number(count)}


@dataclass(frozen=True, slots=True)
class Extent:
    """How many points a permission or a request covers, and how many of them the person sees."""

    seen: int
    covered: int
    everything: bool
    """On all points, now and later."""
    partly: bool
    """It also covers points that the person does not see: of these, no more is told than that they are."""

    @property
    def hides(self) -> bool:
        return self.partly and (self.everything or self.covered > self.seen)

    def __str__(self) -> str:
        if self.everything and self.partly:
            said = _("tous ceux de l’entreprise, présents et à venir, dont %(seen)s que vous voyez")
        elif self.everything:
            said = _("%(covered)s, tous, présents et à venir")
        elif self.hides:
            said = _("%(covered)s, dont %(seen)s que vous voyez")
        else:
            said = "%(covered)s"
        return said % self.figures()

    def figures(self, name: str = "") -> dict[str, str]:
        """What the sentences about it say."""
        return {
            "name": name,
            "seen": formats.number(self.seen),
            "covered": formats.number(self.covered),
        }


def asking(name: str, extent: Extent) -> str:
    """What a third party asks for, as a notice says it."""
    if extent.everything and extent.partly:
        said = _(
            "%(name)s demande à lire tous les compteurs de votre entreprise, dont %(seen)s que vous voyez"
        )
    elif extent.everything:
        said = _("%(name)s demande à lire tous vos compteurs")
    elif extent.hides:
        said = ngettext(
            "%(name)s demande à lire %(covered)s compteur de votre entreprise, dont %(seen)s que vous voyez",
            "%(name)s demande à lire %(covered)s compteurs de votre entreprise, dont %(seen)s que vous voyez",
            extent.covered,
        )
    else:
        said = ngettext(
            "%(name)s demande à lire %(covered)s de vos compteurs",
            "%(name)s demande à lire %(covered)s de vos compteurs",
            extent.covered,
        )
    return said % extent.figures(name)


def question(name: str, extent: Extent) -> str:
    """What a third party asks for, as the title of the page where one answers."""
    if extent.everything and extent.partly:
        said = _(
            "%(name)s demande à lire les mesures de tous les compteurs de votre entreprise, dont %(seen)s que vous voyez"
        )
    elif extent.everything:
        said = _("%(name)s demande à lire les mesures de tous vos compteurs")
    elif extent.hides:
        said = ngettext(
            "%(name)s demande à lire les mesures de %(covered)s compteur, dont %(seen)s que vous voyez",
            "%(name)s demande à lire les mesures de %(covered)s compteurs, dont %(seen)s que vous voyez",
            extent.covered,
        )
    else:
        said = ngettext(
            "%(name)s demande à lire les mesures de %(covered)s compteur",
            "%(name)s demande à lire les mesures de %(covered)s compteurs",
            extent.covered,
        )
    return said % extent.figures(name)


def services(count: int) -> str:
    """`3 services`."""
    return ngettext("%(count)s service", "%(count)s services", count) % {"count": formats.number(count)}


def reads(count: int) -> str:
    """`1 496 lectures`."""
    return ngettext("%(count)s lecture", "%(count)s lectures", count) % {"count": formats.number(count)}


def until(end: datetime | None, moment: Moment) -> str:
    """The last day in a sentence, or how long without one."""
    return _("tant que vous êtes titulaire") if end is None else formats.long_day(moment.last_day_before(end))


def why_kept(service: DataService) -> str:
    """Why a service cannot be ended: its legal reference, else its legal basis."""
    reference = service.text("legal_reference").strip().rstrip(".")
    reference = re.sub(r"(?<=\d)-(?=\d)", "\u2011", reference)  # an article's number stays on one line
    return reference or capital(_("fondé sur %(basis)s") % {"basis": basis(service)})


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


def kind_lines(says: Says) -> list[str]:
    """Each kind on its own, the step beside the curve."""
    return [capital(word) for word in _kind_words(says)]


def obstacle(why: Obstacle) -> str:
    """Why a permission cannot last longer, and what to do."""
    match why:
        case Obstacle.ENDED:
            return _("Cette autorisation a déjà pris fin : pour partager de nouveau, souscrivez au service.")
        case Obstacle.SUSPENDED:
            return _(
                "Cette autorisation est suspendue par votre gestionnaire de réseau : elle se prolonge quand elle reprend."
            )
        case Obstacle.LAW:
            return _("Cette autorisation repose sur la loi : sa durée ne dépend pas de vous.")
        case Obstacle.ENDLESS:
            return _("Cette autorisation n’a pas de terme : elle dure tant que vous êtes titulaire.")
        case Obstacle.NOT_OFFERED:
            return _(
                "Ce service n’est plus proposé à votre entreprise : l’autorisation se poursuit jusqu’à son terme."
            )
        case Obstacle.FULL:
            return _(
                "Cette autorisation dure déjà trois ans à partir d’aujourd’hui, le plus que l’on puisse accorder."
            )


def refusal(error: GridgateError) -> str:
    """Why an operation refused, and what to do, in the words of the screen."""
    match error:
        case AlreadyShared():
            return _("Ce partage existe déjà, au moins jusqu’à cette date. Une fin plus tardive le prolonge.")
        case NotExtendable():
            return obstacle(error.obstacle)
        case LoadCurveOpposed():
            return _(
                "La courbe de charge de ces compteurs n’est pas collectée : activez d’abord sa collecte."
            )
        case InvalidEnd():
            return _("La fin doit être à venir, et dans trois ans au plus.")
        case NoPoints():
            return _("Aucun de ces compteurs n’est à vous aujourd’hui. Choisissez-en au moins un.")
        case NotOffered():
            return _(
                "Ce service est réservé à des entreprises qui ont un autre rôle sur le réseau. Refusez la demande, ou "
                "écrivez au gestionnaire de réseau, qui enregistre les rôles."
            )
        case RequestClosed():
            return _("Cette demande a déjà reçu une réponse, ou son délai est passé.")
        case _:
            return str(error)
