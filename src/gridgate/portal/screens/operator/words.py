"""What the back office says: how long, how soon, in which state; and why an operation refused."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.core.errors import GridgateError
from gridgate.core.roles import BeneficiaryRole
from gridgate.core.time import day_before
from gridgate.metering.operations.titles import TitleEndsBeforeItBegins, TitlesOverlap
from gridgate.organisations import operations as organisations
from gridgate.organisations.catalogue import ROLE_LABELS
from gridgate.organisations.models import TO_TREAT, Membership, RequestState
from gridgate.organisations.operations.requests import ReasonMissing, RequestNotOpen
from gridgate.portal.kit import formats

SOON = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Tag:
    """A state in a word or two; `icon` empty for none."""

    tone: str
    text: str
    icon: str = ""


def lasting(duration: timedelta | None) -> str:
    """`45 min`, `4 h 20`, `3 j`; `–` for none."""
    if duration is None:
        return formats.NONE
    if duration < timedelta(days=1):
        return formats.duration(duration.total_seconds())
    said = ngettext("%(count)s j", "%(count)s j", duration.days) % {"count": formats.number(duration.days)}
    return said.replace(" ", formats.NO_BREAK)


def since(at: datetime | None, now: datetime) -> str:
    """How long since an instant."""
    return lasting(None if at is None else max(now - at, timedelta()))


def ago(at: datetime | None, now: datetime) -> str:
    """The same as it is said: `il y a 4 h 20`; `–` for no instant."""
    return formats.NONE if at is None else _("il y a %(duration)s") % {"duration": since(at, now)}


def due(state: str, due_at: datetime | None, decided_at: datetime | None, now: datetime) -> Tag:
    """Until when a request should be decided; what became of it once it is, or while others act."""
    match RequestState(state):
        case RequestState.ACCEPTED:
            return Tag("good", _("Acceptée le %(day)s") % {"day": formats.day(decided_at)}, "check")
        case RequestState.REFUSED:
            return Tag("", _("Refusée le %(day)s") % {"day": formats.day(decided_at)}, "x")
        case RequestState.WITHDRAWN:
            return Tag("", _("Retirée"), "minus")
        case RequestState.RETURNED:
            return Tag("info", _("En attente d’un complément"), "clock")
    if due_at is None:
        return Tag("", formats.NONE)
    if due_at < now:
        return Tag("bad", _("En retard de %(duration)s") % {"duration": since(due_at, now)}, "alert")
    if due_at - now <= SOON:
        said = formats.relative(due_at, now)
        return Tag("warn", said[:1].upper() + said[1:], "clock")
    return Tag("", formats.day(due_at))


def is_to_treat(state: str) -> bool:
    return state in TO_TREAT


def roles(codes: list[str]) -> str:
    """`Producteur, consommateur`; `–` for none."""
    named = [str(ROLE_LABELS[role]) for role in BeneficiaryRole if role.value in codes]
    if not named:
        return formats.NONE
    return ", ".join([named[0], *(name[:1].lower() + name[1:] for name in named[1:])])


def role_choices() -> list[tuple[str, Any]]:
    return [(role.value, ROLE_LABELS[role]) for role in BeneficiaryRole]


def decided_by(actor: Membership | None) -> str:
    return actor.user.full_name if actor is not None else _("un collègue")


def refusal(error: GridgateError) -> str:
    """Why an operation refused, and what to do, in the words of the screen."""
    match error:
        case RequestNotOpen():
            return _("Cette demande n’est plus à décider : voyez où elle en est.")
        case ReasonMissing():
            return _("Dites pourquoi : la personne qui a demandé le lira.")
        case organisations.AlreadyAdministered():
            return _("L’entreprise a un administrateur : ses administrateurs invitent les autres personnes.")
        case organisations.NoContract():
            return _("Aucun contrat n’est en vigueur : enregistrez-le d’abord.")
        case organisations.NoEicCode():
            return _("L’entreprise n’a pas de code EIC de type X actif : attribuez-lui en un d’abord.")
        case organisations.InvitationOpen():
            return _("Un lien est déjà en route pour cette personne : renvoyez-le, ou annulez-le d’abord.")
        case organisations.InvitationClosed():
            return _("Cette déclaration a déjà été acceptée ou annulée.")
        case organisations.MembershipExists():
            return _("Cette personne agit déjà pour l’entreprise.")
        case TitlesOverlap():
            return _(
                "Une entreprise est déjà titulaire du point ces jours-là : choisissez un autre jour, ou mettez d’abord "
                "fin à son titre."
            )
        case TitleEndsBeforeItBegins():
            return _("La fin vient après le début.")
        case _:
            return str(error)


def title_state(begins: date, ends: date | None, today: date) -> Tag:
    """Whether a title holds today, will, or did."""
    if begins > today:
        return Tag("info", _("À venir"), "clock")
    if ends is not None and ends <= today:
        return Tag("", _("Terminé"), "minus")
    if ends is not None:
        return Tag("warn", _("Jusqu’au %(day)s") % {"day": formats.day(day_before(ends))}, "clock")
    return Tag("good", _("Titulaire"), "check")
