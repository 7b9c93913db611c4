"""What a change of a group and one of its services have in common: terms, the audit, who is told."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.utils.timezone import get_default_timezone

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.roles import ALWAYS, Term
from gridgate.core.time import civil_day_bounds, civil_day_of
from gridgate.organisations.events import membership_changed
from gridgate.organisations.models import Membership, UserGroup
from gridgate.organisations.rights import not_over


class InvalidGroup(GridgateError):
    """The name, the members or the services given for a group will not do."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(ErrorKind.INVALID, message, remedy=remedy)


class InvalidTerm(InvalidGroup):
    """It ends before it begins, or would change what is past."""


def require_possible(term: Term, was: Term, now: datetime) -> None:
    """What is past is not changed: a new beginning is today's at the earliest, a new end is still to come."""
    if term.begins is not None and term.ends is not None and term.ends <= term.begins:
        raise InvalidTerm("it would end before it begins", remedy="Give an end after the beginning.")
    if term.ends != was.ends and term.is_over(now):
        raise InvalidTerm("the end is in the past", remedy="Give a day to come, or withdraw the right.")
    zone = get_default_timezone()
    today = civil_day_bounds(civil_day_of(now, zone), zone).start
    if term.begins is not None and term.begins != was.begins and term.begins < today:
        raise InvalidTerm("the beginning is in the past", remedy="Leave it empty: it then holds at once.")


def said_of(term: Term) -> dict[str, str]:
    """The civil days as the history keeps them, the end not covered; those that are not there are not told."""
    zone = get_default_timezone()
    dates = {"valid_from": term.begins, "valid_to": term.ends}
    return {name: civil_day_of(at, zone).isoformat() for name, at in dates.items() if at is not None}


def dated(name: str, terms: Mapping[str, Term]) -> dict[str, object]:
    """Of several, those that have dates, under a name; nothing when none has."""
    said = {of: said_of(term) for of, term in terms.items() if term != ALWAYS}
    return {name: said} if said else {}


def members_now(group: UserGroup, *, at: datetime | None = None) -> Iterable[Membership]:
    """Those who have a place in it or, with an instant, one that is not over then."""
    places = group.members.all() if at is None else group.members.filter(not_over(at))
    return Membership.objects.filter(groups__in=places).select_related("user").order_by("pk")


def record_step(
    action: str,
    group: UserGroup,
    *,
    actor: Membership | None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    now: datetime,
) -> None:
    subject = Subject("group", str(group.pk), group.name)
    record(
        action,
        subject=subject,
        organisation=group.organisation_id,
        actor=actor,
        before=before,
        after=after,
        now=now,
    )


def tell_members(members: Iterable[Membership], now: datetime) -> None:
    for member in members:
        membership_changed.send(Membership, membership=member, now=now)
