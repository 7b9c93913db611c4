"""Erasing reads that are too old to be kept, from the roll-up and the index."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from gridgate.audit.lines import micros_of, zone
from gridgate.audit.models import (
    AccessLogSegment,
    LogDay,
    LogFacet,
    LogPoint,
    LogPointDay,
    LogRetention,
    LogStretch,
)
from gridgate.audit.operations.folding import numbers_of
from gridgate.audit.operations.progress import erased_before, require_counted
from gridgate.audit.operations.roll_up import LogLine, RollUp
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.retention import YEARS_KEPT, latest_erasable
from gridgate.core.time import civil_day_bounds, civil_day_of


class TooYoungToErase(GridgateError):
    """The log of that time must still be kept."""

    def __init__(self, latest: date) -> None:
        super().__init__(
            ErrorKind.FORBIDDEN,
            f"the access log is kept for {YEARS_KEPT} years",
            remedy=f"Choose {latest} or an earlier day.",
        )


class ErasedMeanwhile(GridgateError):
    """Another process erased reads, or counted more, while this one looked for them."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.CONFLICT,
            "reads were erased, or counted, by another process meanwhile",
            remedy="Run it again.",
        )


def erase_before(*, day: date, now: datetime, lines_of: Callable[[str], Iterable[LogLine]]) -> int:
    """Erase what the registry knows of the reads before that civil day; returns how many there were. `lines_of` gives
    those of a segment, and is asked for each of which lines so old are counted. Asked for an erased time again, it does
    nothing.

    That it was done, when and how far stays on record. Raises `TooYoungToErase`, `BeingCounted` and `ErasedMeanwhile`.
    """
    before = civil_day_bounds(day, zone()).start
    latest = latest_erasable(now)
    if before > latest:
        raise TooYoungToErase(civil_day_of(latest, zone()))
    roll_up = RollUp(zone())
    already = erased_before()
    if already is not None and already >= day:
        return 0
    counted = _reaching_before(before)
    for name, lines_counted in counted.items():
        for line in lines_of(name):
            if line.number > lines_counted:
                break  # never added: what folds it later leaves it out
            if line.entry is not None:
                with suppress(ValueError, KeyError, TypeError):
                    roll_up.add(line.entry, line.offset)
    roll_up.sums = {
        place: sums
        for place, sums in roll_up.sums.items()
        if place[1] < day.isoformat() and (already is None or place[1] >= already.isoformat())
    }
    with transaction.atomic():
        require_counted()  # what is taken away must have been added…
        # … all of it, and not been taken away since it was looked at.
        if erased_before() != already or _reaching_before(before) != counted:
            raise ErasedMeanwhile
        LogRetention.objects.create(before=before, at=now)
        old = LogDay.objects.filter(day__lt=day)
        erased = sum(old.values_list("entries", flat=True))
        ids = numbers_of(roll_up.facets)
        _take_away(
            (sums.entries, ids[facet], point, permission)
            for (facet, point, permission), sums in roll_up.points().items()
        )
        LogPointDay.objects.filter(day__lt=day).delete()
        old.delete()
        LogFacet.objects.filter(
            ~Exists(LogDay.objects.filter(facet=OuterRef("pk"))),
            ~Exists(LogPoint.objects.filter(facet=OuterRef("pk"))),
        ).delete()
    return erased


def _reaching_before(instant: datetime) -> dict[str, int]:
    """The segments of which lines older than that are counted, and how many of their lines are. Their names do not say
    it: a clock that was put back writes on in the segment of a later day.
    """
    reaching = LogStretch.objects.filter(first__lt=micros_of(instant)).values("segment")
    return dict(AccessLogSegment.objects.filter(pk__in=reaching).values_list("name", "lines"))


def _take_away(rows: Iterable[tuple[int | str, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE audit_logpoint SET entries = max(0, entries - %s)"
            " WHERE facet_id = %s AND metering_point_id = %s AND permission = %s",
            list(rows),
        )
    LogPoint.objects.filter(entries=0).delete()


def forget_segments(names: Iterable[str]) -> None:
    """Forget segments that are no more, all of whose reads are erased."""
    gone = AccessLogSegment.objects.filter(name__in=list(names))
    with transaction.atomic():
        LogStretch.objects.filter(segment__in=gone).delete()
        gone.delete()
