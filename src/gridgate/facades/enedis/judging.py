"""The decision on a read, in the words of Data Connect, and what else it looks at."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from gridgate.core.quantities import Kind
from gridgate.core.sharing import AccessLine, Basis, Granted, RefusalReason, Refused, Wanted
from gridgate.dataplane.query.days import instant, midnight
from gridgate.dataplane.reading.sealed import Denied
from gridgate.dataplane.registry.port import Access
from gridgate.facades.enedis import catalogue, wire

_HOUR: Final = 3600


def judged(
    access: Access, wanted: Wanted, verdict: Granted | Refused, *, zone: ZoneInfo
) -> Granted | Denied[wire.Readings]:
    """The decision in the dialect's words.

    To a caller without a valid line on it, a point that exists and one that does not are the same: whatever
    is a fact about the point (direction, activation, collection) is looked at only once there is one. Whoever had
    one is told that its holder left the point, whatever period is asked for.
    """
    point, lines = access.point, access.valid(wanted.at)
    if point is None or not lines:
        refused = verdict if isinstance(verdict, Refused) else Refused(RefusalReason.NO_PERMISSION)
        left = refused.reason is RefusalReason.HOLDER_LEFT
        return Denied(refused, catalogue.moved_out() if left else catalogue.no_consent())
    if not point.directions & wanted.direction.bit:
        return Denied("direction_absent", catalogue.wrong_direction())
    if isinstance(verdict, Refused) and verdict.reason not in _ABOUT_THE_PERIOD:
        return Denied(verdict, catalogue.no_consent())
    if wanted.period.start < midnight_of(point.activated_on, zone):
        return Denied("before_activation", catalogue.before_activation())
    if isinstance(verdict, Refused):
        return Denied(verdict, _about_the_period(verdict.reason, lines))
    if wanted.kind is Kind.LOAD_CURVE:
        if point.collection == "opposed":
            return Denied("collection_opposed", catalogue.collection_opposed())
        by_the_hour = _no_coarser_than_an_hour(verdict)
        if by_the_hour is None:
            # The lines allow daily values only, and this interface has no step of a day.
            return Denied(RefusalReason.RESOLUTION_TOO_FINE.value, catalogue.no_consent())
        verdict = by_the_hour
    first = verdict.parts[0]
    if wanted.period.start < first.readable.start:
        return Denied(RefusalReason.BEFORE_HISTORY.value, _too_early(first.line))
    return verdict


def _no_coarser_than_an_hour(granted: Granted) -> Granted | None:
    parts = granted.parts
    kept = [part for part in parts if part.line.finest_resolution <= _HOUR]
    if len(kept) == len(parts):
        return granted
    return Granted(kept[0].line, kept[0].readable, tuple(kept[1:])) if kept else None


_ABOUT_THE_PERIOD: Final = (
    RefusalReason.BEFORE_HISTORY,
    RefusalReason.AFTER_TITLE,
    RefusalReason.BETWEEN_TITLES,
)


def _about_the_period(reason: RefusalReason, lines: Sequence[AccessLine]) -> catalogue.EnedisError:
    """Whoever left the point and came back holds it: what lies between is before its present time."""
    if reason is RefusalReason.AFTER_TITLE:
        return catalogue.moved_out()
    return _too_early(max(lines, key=lambda line: line.data_from))


def _too_early(line: AccessLine) -> catalogue.EnedisError:
    return catalogue.not_the_holder_then() if line.basis is Basis.TITLE else catalogue.before_consent()


def midnight_of(day: date, zone: ZoneInfo) -> datetime:
    return instant(midnight(day, zone))
