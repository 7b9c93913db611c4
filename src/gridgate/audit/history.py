"""Reading a company's history of rights and requests: who changed what, when, from what to what.

A company's administrators read their company's; the operator's staff read any company's, as they act on their
behalf, and its administrators what concerns no company. Nobody else reads any.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from gridgate.audit.models import AuditEvent
from gridgate.core.time import Interval

_NONE = Value("", output_field=TextField())


class Actor(Protocol):
    """What this app, which knows no organisation, needs of a membership."""

    organisation_id: int
    organisation: Any
    user: Any

    @property
    def is_administrator(self) -> bool: ...

    def is_present(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events: what is left empty does not narrow.

    `families` are the beginnings of actions, such as `group`. `user` is the number of who acted, 0 for the portal
    itself.
    """

    period: Interval | None = None
    families: Collection[str] = ()
    user: int | None = None


def events_of(*, actor: Actor, organisation: int | None = None) -> QuerySet[AuditEvent]:
    """Everything recorded of the actor's own company or, for the operator's staff, of another; the latest first."""
    events = AuditEvent.objects.order_by("-at", "-pk")
    if not actor.is_present() or not actor.user.is_active:
        return events.none()
    if organisation is not None and organisation != actor.organisation_id:
        return events.filter(organisation=organisation) if actor.organisation.is_operator else events.none()
    if not actor.is_administrator:
        return events.none()
    concerning = Q(organisation=actor.organisation_id)
    if actor.organisation.is_operator:
        concerning |= Q(organisation=None)
    return events.filter(concerning)


def search(*, actor: Actor, wanted: Wanted, organisation: int | None = None) -> QuerySet[AuditEvent]:
    """The events that match, the latest first."""
    events = events_of(actor=actor, organisation=organisation)
    if wanted.period is not None:
        events = events.filter(at__gte=wanted.period.start)
        if wanted.period.end is not None:
            events = events.filter(at__lt=wanted.period.end)
    if wanted.families:
        begins = Q()
        for family in wanted.families:
            begins |= Q(action__startswith=f"{family}.")
        events = events.filter(begins)
    if wanted.user is not None:
        events = events.filter(user=wanted.user or None)
    return events


def people_in(*, actor: Actor, organisation: int | None = None) -> list[tuple[int, str, str]]:
    """Who has ever changed something there: number (0 for the portal itself), name, company acted for."""
    rows = (
        events_of(actor=actor, organisation=organisation)
        .order_by("user_name")
        .values_list("user", "user_name", "acting_for_name")
        .distinct()
    )
    found: dict[int, tuple[int, str, str]] = {}
    for user, name, company in rows:
        found[user or 0] = (user or 0, name, company)
    return list(found.values())


def about_member(*, actor: Actor, memberships: Collection[int], email: str) -> QuerySet[AuditEvent]:
    """What happened to one person in the actor's company: as a member, as somebody invited, and in its groups."""
    events = events_of(actor=actor).annotate(
        was=Coalesce(KT("before__members"), _NONE), became=Coalesce(KT("after__members"), _NONE)
    )
    member = Q(subject_kind="member", subject__in=[str(pk) for pk in memberships])
    invited = Q(subject_kind="invitation", subject_label__iexact=email)
    # Members are listed by address in what a group's change records: quoted, lest it be the end of a longer one. Only
    # the list tells who came and went: the dates of a place that ended are told of whoever comes again.
    quoted = f'"{email}"'
    left, came = Q(was__contains=quoted), Q(became__contains=quoted)
    grouped = Q(action__in=("group.members_changed", "group.deleted")) & ((left & ~came) | (came & ~left))
    dated = Q(action="group.place_dated", after__member=email)
    return events.filter(member | invited | grouped | dated)
