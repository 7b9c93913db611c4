"""Who holds a point from when to when: titles open, close and change hands.

Each operation is one transaction, and tells the apps above inside it (`events.py`). Titles are written by the network
operator only (`actor` None: its system), and each change is an event of the holder's audit.
"""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Model, Q

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.metering import as_held
from gridgate.metering.events import titles_changed
from gridgate.metering.models import MeteringPoint, TitleHolding
from gridgate.metering.operations.collections import end_collections_of_former_holders
from gridgate.metering.queries.points import PointNotFound
from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import Membership, Organisation


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
