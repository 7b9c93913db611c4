"""Asking for the collection of load curves, ending it and opposing it.

Each operation is one transaction, and tells the apps above inside it (`events.py`).
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.timezone import get_default_timezone

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.time import civil_day_bounds, civil_day_of
from gridgate.metering.chunks import CHUNK
from gridgate.metering.events import collection_changed
from gridgate.metering.models import LoadCurveCollection, MeteringPoint, TitleHolding
from gridgate.metering.queries.points import PointNotFound, as_they_are, points_readable_by
from gridgate.metering.queries.titles import held_on
from gridgate.metering.states import State, becomes, can_follow
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership


class NotEntitled(GridgateError):
    """The member may not decide on the collection."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.FORBIDDEN,
            "this needs the entitlement “Gestion des services de données”",
            remedy="Ask an administrator of your company.",
        )


def _today(now: datetime) -> date:
    return civil_day_of(now, get_default_timezone())


def set_collection(
    *,
    actor: Membership | None,
    points: QuerySet[MeteringPoint] | Sequence[str],
    state: str,
    now: datetime,
) -> int:
    """Ask for, end or oppose the collection of these points' load curve, and return how many changed.

    Points whose present state `state` cannot follow, or that have it already, stay as they are. A member
    asks for the collection with `requested`: it is `active` at once on meters that communicate, and stays
    `requested` on the others until the operator makes it `active`. The operator's staff, and its system
    (`actor=None`), decide on any point.

    Raises `NotEntitled`, and `PointNotFound` when the actor's company does not hold one of the points today
    or it is out of the actor's perimeter: then nothing changes.
    """
    wanted = State(state)
    with transaction.atomic():
        taken: dict[State, list[str]] = {}
        for point_id, meter_type, present in _decided_points(actor=actor, points=points, now=now):
            new = becomes(wanted, meter_type, by_holder=not _by_operator(actor))
            if can_follow(present, new):
                taken.setdefault(new, []).append(point_id)
        for new, ids in taken.items():
            _append(ids, new, actor=actor, now=now)
    return sum(map(len, taken.values()))


def end_collections_of_former_holders(*, now: datetime, point_ids: Sequence[str] | None = None) -> int:
    """End the collections that were decided under a title which has ended since, with that title; returns how many.

    The next holder's title begins without any state. Without `point_ids` the points left within a year are looked at:
    the worker does so, for titles closed ahead of time.
    """
    today = _today(now)
    own = TitleHolding.objects.filter(metering_point=OuterRef("metering_point"), holder=OuterRef("holder"))
    stale = LoadCurveCollection.objects.filter(
        ~Exists(own.filter(held_on(today))), until__isnull=True, holder__isnull=False
    )
    if point_ids is None:
        left = TitleHolding.objects.filter(valid_to__gt=today - timedelta(days=366), valid_to__lte=today)
        stale = stale.filter(metering_point__in=left.values("metering_point"))
    else:
        stale = stale.filter(metering_point__in=point_ids)
    last_title = own.filter(valid_to__lte=today).order_by("-valid_to")
    with transaction.atomic():
        ended = list(stale.annotate(left_on=Subquery(last_title.values("valid_to")[:1])))
        if not ended:
            return 0
        for row in ended:
            left_on: date | None = vars(row)["left_on"]
            at = now if left_on is None else civil_day_bounds(left_on, get_default_timezone()).start
            row.until = max(at, row.since)
        LoadCurveCollection.objects.bulk_update(ended, ["until"], batch_size=CHUNK)
        collection_changed.send(
            LoadCurveCollection,
            point_ids=[row.metering_point_id for row in ended],
            state=State.ENDED.value,
            now=now,
            actor=None,
        )
    return len(ended)


def _decided_points(
    *, actor: Membership | None, points: QuerySet[MeteringPoint] | Sequence[str], now: datetime
) -> list[tuple[str, str, str | None]]:
    """Identifier, meter type and present state of each, locked; refuses what the actor may not decide on."""
    today = _today(now)
    if actor is not None and not actor.has(EntitlementCode.DATA_SERVICES):
        raise NotEntitled
    if actor is None or _by_operator(actor):
        known = as_they_are(MeteringPoint.objects.all(), today=today)
    else:
        known = points_readable_by(actor=actor, service=EntitlementCode.DATA_SERVICES, today=today, held=True)
    chosen = set(points.values_list("pk", flat=True) if isinstance(points, QuerySet) else points)
    titles = TitleHolding.objects.filter(held_on(today), metering_point=OuterRef("metering_point"))
    present = LoadCurveCollection.objects.filter(
        Q(holder=Subquery(titles.values("holder")[:1])) | Q(holder__isnull=True),
        metering_point=OuterRef("pk"),
        until__isnull=True,
    )
    decided = list(
        known.select_for_update()
        .filter(pk__in=chosen)
        .order_by("pk")
        .values_list("pk", "meter_type", Subquery(present.values("state")))
    )
    missing = chosen - {point_id for point_id, *_ in decided}
    if missing:
        raise PointNotFound(min(missing))
    return decided


def _by_operator(actor: Membership | None) -> bool:
    return actor is None or actor.organisation.is_operator


def _append(ids: Sequence[str], state: State, *, actor: Membership | None, now: datetime) -> None:
    """Close the present rows and add the new ones; tell the apps above."""
    if not ids:
        return
    if actor is not None and _by_operator(actor):
        _record_collection(ids, state, actor=actor, now=now)
    LoadCurveCollection.objects.filter(metering_point__in=ids, until__isnull=True).update(until=now)
    user_id = actor.user_id if actor is not None else None
    titles = TitleHolding.objects.filter(held_on(_today(now)), metering_point__in=ids)
    holders = dict(titles.values_list("metering_point", "holder"))
    LoadCurveCollection.objects.bulk_create(
        LoadCurveCollection(
            metering_point_id=point_id,
            holder_id=holders.get(point_id),
            state=state,
            since=now,
            changed_by_id=user_id,
        )
        for point_id in ids
    )
    collection_changed.send(LoadCurveCollection, point_ids=list(ids), state=state.value, now=now, actor=actor)


POINTS_AN_EVENT = 500
"""How many points one event of the audit names: what concerns more is several events."""


def _record_collection(ids: Sequence[str], state: State, *, actor: Membership, now: datetime) -> None:
    """What the operator's staff decides on a company's points is an event of that company's audit."""
    titles = TitleHolding.objects.filter(held_on(_today(now)), metering_point__in=ids).order_by(
        "metering_point"
    )
    by_holder: dict[int, list[str]] = {}
    for holder, point in titles.values_list("holder", "metering_point"):
        by_holder.setdefault(holder, []).append(point)
    for holder, points in by_holder.items():
        for start in range(0, len(points), POINTS_AN_EVENT):
            named = points[start : start + POINTS_AN_EVENT]
            record(
                f"collection.{state}",
                subject=Subject("collection", "", ", ".join(named)),
                organisation=holder,
                actor=actor,
                after={"state": state.value, "points": named},
                now=now,
            )
