"""What the measurement store holds of a point: not values, so neither decided nor logged one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Resolution, day_before
from gridgate.portal import measurements
from gridgate.portal.kit import formats


@dataclass(frozen=True, slots=True)
class Held:
    """One series of a point, from its first to its last civil day in one of the company's own times."""

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


def held_of(point: str, *, times: Sequence[tuple[date, date | None]]) -> list[Held] | None:
    """What is held of a point in each of a company's own times, in their order: of each its first day, and the first day
    after it (None while open). None when the store does not answer.
    """
    client = measurements.client()
    try:
        held = [
            info
            for first, after in times
            for info in client.series_within(point, first, day_before(after) or date.max)
        ]
    except GridgateError as error:
        if error.kind is ErrorKind.UNAVAILABLE:
            return None
        raise
    return [
        Held(
            _kind(info.key.kind),
            _direction(info.key.direction),
            _step(info.key.resolution),
            info.first,
            info.last,
            info.key.kind is Kind.LOAD_CURVE,
        )
        for info in held
        if not info.key.register
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
