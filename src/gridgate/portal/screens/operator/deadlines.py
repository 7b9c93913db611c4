"""How long a request waits, by when it is due and what became of it."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.organisations.models import Membership
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Tag
from gridgate.requests.models import TO_TREAT, RequestState

SOON = timedelta(days=1)


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


def decided_by(actor: Membership | None) -> str:
    return actor.user.full_name if actor is not None else _("un collègue")
