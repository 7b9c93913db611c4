"""What the measurement store holds of a point: not values, so neither decided nor logged one by one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Resolution
from gridgate.portal import formats, measurements


@dataclass(frozen=True, slots=True)
class Held:
    """One series of a point, from its first to its last civil day."""

    kind: str
    direction: str
    step: str
    first: date
    last: date
    is_curve: bool


def last_days(since: Mapping[str, date]) -> dict[str, date | None]:
    """The last day with data of each of these points since the day given, that of the title; None for one without;
    nothing when the store does not answer.

    For points whose readability was decided already.
    """
    try:
        latest = measurements.client().latest(list(since))
    except GridgateError as error:
        if error.kind is ErrorKind.UNAVAILABLE:
            return {}
        raise
    found = {point: one.day for point, one in latest.items() if one.day >= since[point]}
    return {point: found.get(point) for point in since}


def held_of(point: str, *, since: date) -> list[Held] | None:
    """The series of a point as far as they lie in an open title, which began on that day; None when the store does not
    answer.
    """
    try:
        series = measurements.client().series([point])
    except GridgateError as error:
        if error.kind is ErrorKind.UNAVAILABLE:
            return None
        raise
    return [
        Held(
            _kind(info.key.kind),
            _direction(info.key.direction),
            _step(info.key.resolution),
            max(info.first, since),
            info.last,
            info.key.kind is Kind.LOAD_CURVE,
        )
        for info in series
        if not info.key.register and info.last >= since
    ]


def _step(resolution: Resolution) -> str:
    if resolution is Resolution.P1D:
        return _("1 jour")
    return formats.with_unit(resolution.seconds // 60, "min")


def _kind(kind: Kind) -> str:
    return {
        Kind.LOAD_CURVE: _("Courbe de charge"),
        Kind.DAILY_ENERGY: _("Énergie quotidienne"),
        Kind.MAXIMUM_POWER: _("Puissance maximale"),
        Kind.REGISTER_READING: _("Index"),
    }[kind]


def _direction(direction: FlowDirection) -> str:
    return {FlowDirection.WITHDRAWAL: _("soutirage"), FlowDirection.INJECTION: _("injection")}[direction]
