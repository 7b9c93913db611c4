"""`gridgate export`: measurements out, to standard output."""

import sys
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from gridgate.config.commands.data_option import DataOption
from gridgate.config.environment import Environment
from gridgate.config.files import access_log_fault, measurements_fault, require
from gridgate.config.loading import load_django
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.sharing import Wanted
from gridgate.core.time import FIRST_DAY, LAST_DAY, Interval, civil_day_bounds, may_be_asked, parse_day
from gridgate.dataplane.accesslog import AccessEntry, AccessLog
from gridgate.dataplane.export import ExportFormat
from gridgate.dataplane.export import export as write
from gridgate.dataplane.query.answer import Answer
from gridgate.dataplane.query.assemble import assemble
from gridgate.dataplane.query.coverage import coverage
from gridgate.dataplane.reading.aside import without_set_aside
from gridgate.dataplane.reading.days import epoch_milliseconds
from gridgate.dataplane.store import open_store


def export(
    metering_point: Annotated[str, typer.Option(help="Identifier of the metering point.")],
    kind: Annotated[Kind, typer.Option(help="What was measured.")],
    direction: Annotated[FlowDirection, typer.Option(help="Which way it flowed.")],
    start: Annotated[str, typer.Option(help="First civil day, or an instant with its offset.")],
    end: Annotated[str, typer.Option(help="Day or instant at which to stop, itself left out.")],
    as_of: Annotated[
        str | None, typer.Option(help="What was known at that instant; now when left out.")
    ] = None,
    format: Annotated[ExportFormat, typer.Option(help="How to write it.")] = ExportFormat.CSV,  # noqa: A002
    data: DataOption = None,
) -> None:
    """Write the values of one point, kind and direction to standard output; the access log says so."""
    environment = load_django()
    require(measurements_fault(environment), access_log_fault(environment))
    now = datetime.now(UTC)
    period = Interval(_instant(start, environment, "--start"), _instant(end, environment, "--end"))
    known = None if as_of is None else _instant(as_of, environment, "--as-of")
    answer = _read(environment, Wanted(metering_point, kind, direction, period, now, as_of=known))
    _log(environment, answer, now)
    write(answer, sys.stdout.buffer, format=format, zone=environment.zone)
    sys.stdout.buffer.flush()


def _read(environment: Environment, wanted: Wanted) -> Answer:
    from gridgate.metering.models import MeteringPoint

    metering_point, period = wanted.metering_point, wanted.period
    assert period.end is not None
    if not MeteringPoint.objects.filter(pk=metering_point).exists():
        raise GridgateError(
            ErrorKind.NOT_FOUND,
            f"no metering point {metering_point}",
            remedy="Check its identifier, or add it with gridgate import points.",
        )
    zone = environment.zone
    store = open_store(environment.measurements, read_only=True, zone=zone)
    first, last = period.start.astimezone(zone).date(), period.end.astimezone(zone).date()
    as_of = None if wanted.as_of is None else epoch_milliseconds(wanted.as_of)
    blocks = store.read(metering_point, wanted.kind, wanted.direction, first, last, as_of=as_of)
    segments = assemble(blocks, period.start, period.end, zone)
    available, missing = coverage(segments, requested=period, at=wanted.at, zone=zone, explained=[])
    missing, set_aside = without_set_aside(
        store,
        wanted,
        missing,
        readable=[period],
        unsaid=True,
        curve=True,
        opposed=[Interval(period.start, None)],
        zone=zone,
    )
    return Answer(
        metering_point=metering_point,
        kind=wanted.kind,
        direction=wanted.direction,
        unit=wanted.kind.unit,
        start=period.start,
        end=period.end,
        segments=segments,
        requested=period,
        available=available,
        missing=missing,
        set_aside=set_aside,
    )


def _log(environment: Environment, answer: Answer, now: datetime) -> None:
    """The operator's staff reads at the command line: the holder sees it as any other read."""
    from gridgate.organisations.models import Organisation

    operator = Organisation.objects.get(is_operator=True)
    log = AccessLog(environment.access_log, "export")
    log.append(
        *(
            AccessEntry(
                at=now,
                channel="export",
                outcome="granted",
                reader=operator.pk,
                reader_name=operator.legal_name,
                metering_point=answer.metering_point,
                holder=holder,
                kind=answer.kind.value,
                direction=answer.direction.value,
                start=part.start,
                end=part.end,
                application="gridgate export",
                basis="operator",
                values=_count(answer, part, environment.zone),
            )
            for holder, part in _by_holder(answer, environment.zone)
        )
    )
    log.close()


def _by_holder(answer: Answer, zone: ZoneInfo) -> list[tuple[int | None, Interval]]:
    """Whose data was read, and which part of the period is theirs; the whole, and nobody, when nobody held the point."""
    from gridgate.metering.models import TitleHolding

    period = Interval(answer.start, answer.end)
    parts: list[tuple[int | None, Interval]] = []
    for title in TitleHolding.objects.filter(metering_point=answer.metering_point).order_by("valid_from"):
        end = None if title.valid_to is None else civil_day_bounds(title.valid_to, zone).start
        part = period.intersect(Interval(civil_day_bounds(title.valid_from, zone).start, end))
        if part:
            parts.append((title.holder_id, part))
    return parts or [(None, period)]


def _count(answer: Answer, part: Interval, zone: ZoneInfo) -> int:
    assert part.end is not None
    return sum(
        part.start <= step.start < part.end and step.value is not None
        for segment in answer.segments
        for step in segment.steps(zone)
    )


def _instant(text: str, environment: Environment, option: str) -> datetime:
    """A civil day means its midnight in the instance's zone. Raises `GridgateError` (INVALID) naming the option."""
    day = parse_day(text)
    if day is not None:
        return civil_day_bounds(day, environment.zone).start
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or not may_be_asked(instant.date()):
        raise GridgateError(
            ErrorKind.INVALID,
            f"{text!r} is neither a day nor an instant with its offset, from {FIRST_DAY.year} to {LAST_DAY.year}",
            remedy="Write 2026-11-25 or 2026-11-25T00:00:00+01:00.",
            where=option,
        )
    return instant
