"""Permissions that lose the points which their holder has left, and end when that was all they covered."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils.timezone import get_default_timezone

from gridgate.core.sharing import PermissionState
from gridgate.core.time import civil_day_of
from gridgate.metering.chunks import CHUNK, chunks
from gridgate.metering.models import TitleHolding
from gridgate.organisations.models import Organisation
from gridgate.sharing.history import SYSTEM, Reason
from gridgate.sharing.models import AccessLine, Permission, PermissionPoint, PointLeft
from gridgate.sharing.operations.acts import IN_FORCE, Act, end_all, in_batches, permissions_to_end
from gridgate.sharing.receipts.content import Ending


def invalidate_for_moved_out(*, now: datetime, point_ids: Collection[str] | None = None) -> int:
    """End what permissions cover of points that their holder has left since; returns how many permissions it touches.

    A permission that names points loses those, back since then or not; one on all points covers what the titles say, and
    tells what it no longer does. Without any left, it is invalidated. Reading had stopped at the midnight of the move-out
    when that was known before. Without `point_ids` the titles ended within a year are looked at: the worker does so, for
    those closed ahead of time.
    """
    today = civil_day_of(now, get_default_timezone())
    titles = TitleHolding.objects.filter(valid_to__lte=today)
    if point_ids is None:
        ended_titles = [titles.filter(valid_to__gt=today - timedelta(days=366))]
    else:
        ended_titles = [titles.filter(metering_point__in=some) for some in chunks(sorted(point_ids), CHUNK)]
    left: dict[UUID, dict[str, date]] = {}
    for ended in ended_titles:
        for permission, point, day in _left(ended, today):
            left.setdefault(permission, {})[point] = day
    return in_batches(
        left, lambda pks: _lose({pk: left[pk] for pk in pks}, now), strict=point_ids is not None
    )


def _left(ended: QuerySet[TitleHolding], today: date) -> Iterator[tuple[UUID, str, date]]:
    """Which permissions in force lose which points by these titles that have ended, and since which day, in order.

    A title that another one of the same holder carries on, from its last day or from before the permission was given, is
    no leaving.
    """
    own = TitleHolding.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=OuterRef("valid_to")),
        metering_point=OuterRef("metering_point"),
        holder=OuterRef("holder"),
    )
    carried_on = own.filter(Q(valid_from__lte=OuterRef("valid_to")) | Q(valid_from__lte=OuterRef("given_on")))
    named = PermissionPoint.objects.filter(
        permission=OuterRef("given"), metering_point=OuterRef("metering_point")
    )
    told = PointLeft.objects.filter(
        permission=OuterRef("given"),
        metering_point=OuterRef("metering_point"),
        left_on=OuterRef("valid_to"),
    )
    by_name = Exists(named) & ~Exists(carried_on)
    by_title = Q(on_all=True, valid_to__gt=F("given_on")) & ~Exists(own.filter(valid_from__lte=today))
    rows = (
        ended.filter(holder__permissions_given__state__in=IN_FORCE)
        .annotate(
            given=F("holder__permissions_given"),
            on_all=F("holder__permissions_given__all_points"),
            given_on=TruncDate("holder__permissions_given__valid_from", tzinfo=get_default_timezone()),
        )
        .filter(by_name | (by_title & ~Exists(told)))
        .order_by("given", "metering_point", "valid_to")
        .values_list("given", "metering_point_id", "valid_to")
    )
    for permission, point, day in rows:
        assert day is not None
        yield permission, point, day


def _lose(left: Mapping[UUID, Mapping[str, date]], now: datetime) -> int:
    """Take the points that their holders left from permissions, and end those that cover none any more; returns how many
    it touches.
    """
    with transaction.atomic():
        permissions = list(permissions_to_end().filter(pk__in=list(left), state__in=IN_FORCE))
        lost = _not_told(permissions, left)
        touched = [permission for permission in permissions if lost[permission.pk]]
        going_on = _covering_more(touched, lost, now)
        stopped = _stopped_at(touched, lost, now)
        acts = [
            Act(
                [one],
                PermissionState(one.state) if one.pk in going_on else PermissionState.INVALIDATED,
                Ending("invalidate", SYSTEM, stopped[one.pk], Reason.MOVE_OUT),
                left={point: left[one.pk][point] for point in lost[one.pk]},
            )
            for one in touched
        ]
        if acts:
            end_all(acts, now)
    return len(acts)


def _not_told(
    permissions: Sequence[Permission], left: Mapping[UUID, Mapping[str, date]]
) -> dict[UUID, list[str]]:
    """Those of the points that another has not taken away, or told of, meanwhile, by permission."""
    points = sorted({point for permission in permissions for point in left[permission.pk]})
    there: set[tuple[UUID, str]] = set()
    told: set[tuple[UUID, str, date]] = set()
    for some in chunks(points, CHUNK):
        where = {"permission__in": permissions, "metering_point__in": some}
        there.update(PermissionPoint.objects.filter(**where).values_list("permission", "metering_point"))
        told.update(PointLeft.objects.filter(**where).values_list("permission", "metering_point", "left_on"))
    return {
        one.pk: sorted(
            point
            for point, day in left[one.pk].items()
            if ((one.pk, point, day) not in told if one.all_points else (one.pk, point) in there)
        )
        for one in permissions
    }


def _covering_more(
    permissions: Sequence[Permission], lost: Mapping[UUID, Collection[str]], now: datetime
) -> set[UUID]:
    """Those that cover other points than these, today or by a title that is known already."""
    named = PermissionPoint.objects.filter(permission__in=permissions).order_by()
    counts = dict(named.values_list("permission").annotate(count=Count("pk")))
    today = civil_day_of(now, get_default_timezone())
    lasting = Q(valid_to__isnull=True) | Q(valid_to__gt=today)
    titles = TitleHolding.objects.filter(lasting, holder=OuterRef("pk"))
    holders = {one.holder_id for one in permissions if one.all_points}
    holding = set(Organisation.objects.filter(Exists(titles), pk__in=holders).values_list("pk", flat=True))
    return {
        one.pk
        for one in permissions
        if (one.holder_id in holding if one.all_points else counts.get(one.pk, 0) > len(lost[one.pk]))
    }


def _stopped_at(
    permissions: Sequence[Permission], lost: Mapping[UUID, Collection[str]], now: datetime
) -> dict[UUID, datetime]:
    """When the reading of these points stopped: the end of their lines when it had come, else now."""
    ends: dict[UUID, list[int | None]] = {one.pk: [] for one in permissions}
    points = {pk: set(some) for pk, some in lost.items()}
    for some in chunks(sorted(set().union(*points.values())), CHUNK):
        lines = AccessLine.objects.filter(permission__in=permissions, metering_point__in=some)
        for permission, point, end in lines.values_list("permission", "metering_point", "valid_until"):
            if point in points[permission]:
                ends[permission].append(end)
    return {pk: _latest(some, now) for pk, some in ends.items()}


def _latest(ends: Collection[int | None], now: datetime) -> datetime:
    if not ends or None in ends:
        return now
    return min(now, datetime.fromtimestamp(max(end for end in ends if end is not None), UTC))
