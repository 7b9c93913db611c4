"""Writing points, titles and collections.

Each operation is one transaction, and tells the apps above inside it (`events.py`). Titles are written by the network
operator only (`actor` None: its system), and each change is an event of the holder's audit.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, Subquery
from django.utils.timezone import get_default_timezone

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import parse_metering_point_id
from gridgate.core.quantities import FlowDirection, bits
from gridgate.core.time import civil_day_bounds, civil_day_of
from gridgate.metering import as_held
from gridgate.metering.chunks import CHUNK
from gridgate.metering.events import collection_changed, titles_changed
from gridgate.metering.models import LoadCurveCollection, MeteringPoint, TitleHolding
from gridgate.metering.queries import PointNotFound, as_they_are, held_on, points_readable_by
from gridgate.metering.states import State, becomes, can_follow
from gridgate.metering.versions import Versions, write
from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import EntitlementCode, Membership, Organisation


class PointExists(GridgateError):
    """A point with this identifier is already here."""

    def __init__(self, point_id: str) -> None:
        super().__init__(
            ErrorKind.CONFLICT, f"{point_id} exists already", remedy="Update it, or check the digits."
        )


class TitlesOverlap(GridgateError):
    """Two organisations, or one twice, would hold the point on the same day."""

    def __init__(self, point_id: str, other: TitleHolding) -> None:
        until = f" to {other.valid_to}" if other.valid_to else ""
        super().__init__(
            ErrorKind.CONFLICT,
            f"{point_id} is held by {other.holder} from {other.valid_from}{until}",
            remedy="Close that title first, or begin when it ends.",
        )


class TitleEndsBeforeItBegins(GridgateError):
    """The first day without the point is not after the first day with it."""

    def __init__(self, valid_from: date, valid_to: date) -> None:
        super().__init__(
            ErrorKind.INVALID,
            f"a title from {valid_from} cannot end on {valid_to}",
            remedy="valid_to is the first day that is no longer covered.",
        )


class NotEntitled(GridgateError):
    """The member may not decide on the collection."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.FORBIDDEN,
            "this needs the entitlement “Gestion des services de données”",
            remedy="Ask an administrator of your company.",
        )


# --- points


def create_point(
    *,
    id: str,  # noqa: A002 - the column's name, in files and on the API
    segment: str,
    directions: int | Iterable[FlowDirection],
    address: str,
    postcode: str,
    city: str,
    activated_on: date,
    now: datetime,
    subscribed_power_kva: Decimal | int | None = None,
    label: str = "",
    meter_type: str = MeteringPoint.MeterType.AMM,
    valid_from: date | None = None,
) -> MeteringPoint:
    """Add a point, which is this from `valid_from` on, else from the day of `now`: of the time before, nothing is known.

    Raises `InvalidIdentifier` or `PointExists`.
    """
    point_id = parse_metering_point_id(id)
    with transaction.atomic():
        if MeteringPoint.objects.filter(pk=point_id).exists():
            raise PointExists(point_id)
        point = MeteringPoint.objects.create(id=point_id, activated_on=activated_on)
        first = Versions(point_id)
        first.say(
            valid_from or _today(now),
            {
                "segment": segment,
                "directions": directions if isinstance(directions, int) else bits(directions),
                "label": label,
                "address": address,
                "postcode": postcode,
                "city": city,
                "subscribed_power_kva": subscribed_power_kva,
                "meter_type": meter_type,
            },
        )
        write([first])
    return point


# --- titles


def open_holding(
    *,
    metering_point: MeteringPoint | str,
    holder: Organisation,
    valid_from: date,
    now: datetime,
    valid_to: date | None = None,
    actor: Membership | None = None,
) -> TitleHolding:
    """Say that the organisation holds the point from `valid_from` up to, not including, `valid_to`.

    Raises `NotAllowed`, `TitlesOverlap` or `TitleEndsBeforeItBegins`.
    """
    require_operator(actor)
    with transaction.atomic():
        point = _lock_point(_id(metering_point))
        _refuse_overlap(point, valid_from, valid_to)
        holding = TitleHolding.objects.create(
            metering_point=point, holder=holder, valid_from=valid_from, valid_to=valid_to
        )
        _record_opened(holding, actor=actor, now=now)
        _follow([point.pk], sender=TitleHolding, now=now)
    return holding


def close_holding(
    *, holding: TitleHolding, valid_to: date, now: datetime, actor: Membership | None = None
) -> TitleHolding:
    """End the title: `valid_to` is the first day on which the organisation no longer holds it (move-out).

    The collection decided under a title that has ended ends with it. Raises `NotAllowed`, `TitlesOverlap` or
    `TitleEndsBeforeItBegins`.
    """
    require_operator(actor)
    with transaction.atomic():
        point = _lock_point(holding.metering_point_id)
        _refuse_overlap(point, holding.valid_from, valid_to, but=holding)
        _end(holding, valid_to, actor=actor, now=now)
        _follow([point.pk], sender=TitleHolding, now=now)
        end_collections_of_former_holders(now=now, point_ids=[point.pk])
    return holding


def move_in(
    *,
    metering_point: MeteringPoint | str,
    holder: Organisation,
    on: date,
    now: datetime,
    actor: Membership | None = None,
) -> TitleHolding:
    """Give the point to another organisation from that day on: the present title closes, the new one opens.

    Raises `NotAllowed`, and `TitlesOverlap` when the present title began on that day or later.
    """
    require_operator(actor)
    with transaction.atomic():
        point = _lock_point(_id(metering_point))
        former = point.holdings.filter(valid_to__isnull=True, valid_from__lt=on).first()
        if former is not None:
            _end(former, on, actor=actor, now=now)
        _refuse_overlap(point, on, None)
        holding = TitleHolding.objects.create(metering_point=point, holder=holder, valid_from=on)
        _record_opened(holding, actor=actor, now=now)
        _follow([point.pk], sender=TitleHolding, now=now)
        end_collections_of_former_holders(now=now, point_ids=[point.pk])
    return holding


def _end(holding: TitleHolding, valid_to: date, *, actor: Membership | None, now: datetime) -> None:
    before = holding.valid_to
    TitleHolding.objects.filter(pk=holding.pk).update(valid_to=valid_to)
    holding.valid_to = valid_to
    if before != valid_to:
        record(
            "holding.closed",
            subject=_subject(holding),
            organisation=holding.holder_id,
            actor=actor,
            before={"valid_to": before and before.isoformat()},
            after={"valid_to": valid_to.isoformat()},
            now=now,
        )


def _record_opened(holding: TitleHolding, *, actor: Membership | None, now: datetime) -> None:
    ends = holding.valid_to
    record(
        "holding.opened",
        subject=_subject(holding),
        organisation=holding.holder_id,
        actor=actor,
        after={"valid_from": holding.valid_from.isoformat(), "valid_to": ends and ends.isoformat()},
        now=now,
    )


def _follow(point_ids: Sequence[str], *, sender: type[Model], now: datetime) -> None:
    """What is shown of the points, and what others make of them, follows in the same transaction."""
    as_held.project(point_ids)
    titles_changed.send(sender, point_ids=list(point_ids), now=now)


def _today(now: datetime) -> date:
    return civil_day_of(now, get_default_timezone())


def _subject(holding: TitleHolding) -> Subject:
    return Subject("holding", str(holding.pk), holding.metering_point_id)


def _lock_point(point_id: str) -> MeteringPoint:
    # Titles of a point are written one at a time: by SQLite's immediate transactions, by this lock elsewhere.
    point = MeteringPoint.objects.select_for_update().filter(pk=point_id).first()
    if point is None:
        raise PointNotFound(point_id)
    return point


def _refuse_overlap(
    point: MeteringPoint, valid_from: date, valid_to: date | None, *, but: TitleHolding | None = None
) -> None:
    if valid_to is not None and valid_to <= valid_from:
        raise TitleEndsBeforeItBegins(valid_from, valid_to)
    others = point.holdings.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=valid_from))
    if valid_to is not None:
        others = others.filter(valid_from__lt=valid_to)
    if but is not None:
        others = others.exclude(pk=but.pk)
    other = others.select_related("holder").order_by("valid_from").first()
    if other is not None:
        raise TitlesOverlap(point.pk, other)


def _id(point: MeteringPoint | str) -> str:
    return point if isinstance(point, str) else point.pk


# --- load-curve collection


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
    asked = set(points.values_list("pk", flat=True) if isinstance(points, QuerySet) else points)
    titles = TitleHolding.objects.filter(held_on(today), metering_point=OuterRef("metering_point"))
    present = LoadCurveCollection.objects.filter(
        Q(holder=Subquery(titles.values("holder")[:1])) | Q(holder__isnull=True),
        metering_point=OuterRef("pk"),
        until__isnull=True,
    )
    found = list(
        known.select_for_update()
        .filter(pk__in=asked)
        .order_by("pk")
        .values_list("pk", "meter_type", Subquery(present.values("state")))
    )
    missing = asked - {point_id for point_id, *_ in found}
    if missing:
        raise PointNotFound(min(missing))
    return found


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
