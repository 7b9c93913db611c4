"""`/api/v1/aggregates`: what many points have together. Each is decided and logged as if it were read alone."""

import csv
import io
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gridgate.core.sharing import AccessLine, Refused
from gridgate.core.time import Interval, civil_day_bounds, days_between
from gridgate.dataplane.accesslog.entry import GRANTED, Encoded, Entry
from gridgate.dataplane.authz import Caller, is_valid
from gridgate.dataplane.handles import number_of
from gridgate.dataplane.http.metrics import READS
from gridgate.dataplane.http.plane import DataPlane, reader_of
from gridgate.dataplane.query.sums.tally import Gap, Sums
from gridgate.dataplane.registry.port import Access
from gridgate.dataplane.summing import Decided, SumAsked, add_up, decide_each, log_entries
from gridgate.facades.native import problems, reasons
from gridgate.facades.native.wire import media, queries

MOST_DAYS: Final = 2_000_000
"""Points times days: a company of 50,000 points over 40 days, one of 1,000 over five years."""
MOST_VALUES: Final = 600_000
"""In one answer: five years of five minutes, or 400 points over a month of half hours."""
MOST_GAPS: Final = 1_000

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What is answered."""

    query: queries.AggregatesQuery
    sums: Sums
    points: list[str]
    """Those whose values may be in the sum."""
    left_out: dict[str, str]
    """Those that were named and may not be read, and why, as a read of each alone would say."""


def endpoint(plane: DataPlane, caller_of: Callable[[DataPlane, Request, str, datetime], Caller]) -> Endpoint:
    async def aggregates(request: Request) -> Response:
        caller_of(plane, request, "", plane.clock())  # who may not call waits for nobody
        query = queries.decode_aggregates_query(request.scope["query_string"], zone=plane.zone)
        form = media.preferred(request.headers.get("accept"))
        if form is None:
            raise problems.not_acceptable()
        async with plane.sums.turn:
            # What ended while others had their turn has ended.
            at = plane.clock()
            caller = caller_of(plane, request, "", at)
            found, lines = await run_in_threadpool(_sum, plane, caller, query, at)
            if lines:
                await plane.log.durable(*lines)
        READS.labels(reasons.CHANNEL, GRANTED).inc(len(found.points))
        body = await run_in_threadpool(_ENCODED[form], found, zone=plane.zone)
        return Response(body, headers={"Vary": "Accept"}, media_type=form.value)

    return aggregates


def _sum(
    plane: DataPlane, caller: Caller, query: queries.AggregatesQuery, at: datetime
) -> tuple[Aggregate, list[Entry | Encoded]]:
    """Decide and add up; what has to be logged before it is answered. Raises `Problem`."""
    asked, registry = query.asked, plane.sums.registry
    accesses: dict[str, Access] = {}
    if query.points:
        accesses = registry.accesses(caller.application, query.points, at=at)
        lines = {point: access.lines for point, access in accesses.items()}
        decided = decide_each(asked, query.points, lines, at=at)
    else:
        perimeter = _named(plane, query.perimeter)
        lines = registry.reach(caller.application, at=at, site=query.site, perimeter=perimeter)
        if query.site is not None and not lines:
            raise problems.site_not_found()
        if query.perimeter is not None and not lines:
            raise problems.perimeter_not_found()
        # What the application was not given of its points was not asked for either.
        decided = Decided(decide_each(asked, list(lines), lines, at=at).granted)
    points = list(decided.granted)
    _limit(asked, len(points), by_point=query.by_point, zone=plane.zone)
    groups = {point: place for place, point in enumerate(points)} if query.by_point else {}
    count = max(1, len(points)) if query.by_point else 1
    sums = add_up(plane.sums.store, asked, decided.parts(at, groups), at=at, zone=plane.zone, groups=count)
    left_out = {
        point: _reason(refused, accesses.get(point), at) for point, refused in decided.refused.items()
    }
    told = {point: refused for point, refused in decided.refused.items() if len(point) <= reasons.LONGEST_ID}
    entries = log_entries(
        reader_of(caller),
        asked,
        Decided(decided.granted, told),
        channel=reasons.CHANNEL,
        at=at,
        counts=sums.counts,
        facts={point: access.point for point, access in accesses.items() if access.point is not None},
    )
    return Aggregate(query, sums, points, left_out), entries


def _named(plane: DataPlane, perimeter: str | None) -> int | None:
    """The group whose perimeter it is, which may be of any company. Raises `Problem` for what names none."""
    if perimeter is None:
        return None
    group = number_of("group", perimeter, secret=plane.config.secret_key())
    if group is None:
        raise problems.perimeter_not_found()
    return group


def _limit(asked: SumAsked, points: int, *, by_point: bool, zone: ZoneInfo) -> None:
    """Refuse before the work what would hold others up, or no client could take."""
    assert asked.period.end is not None
    days = len(days_between(asked.period.start, asked.period.end, zone))
    if points * days > MOST_DAYS:
        raise problems.too_much_at_once(f"This is {points:,} points over {days:,} days", MOST_DAYS)
    seconds = queries.shortest_seconds(asked.step)
    values = days * max(1, 90_000 // seconds) * (points if by_point else 1)
    if values > MOST_VALUES:
        raise problems.too_much_at_once(f"The answer would hold up to {values:,} values", MOST_VALUES)


def _reason(refused: Refused, access: Access | None, at: datetime) -> str:
    lines: Sequence[AccessLine] = access.lines if access is not None else ()
    valid = [line for line in lines if is_valid(line, at)]
    if not valid:
        left = any(line.ended_by_move_out for line in lines)
        return "holder_left" if left else "not_found"
    if reasons.is_about_the_period(refused.reason):
        return reasons.why_nothing(refused.reason, valid)
    return refused.reason.value


def _json(found: Aggregate, *, zone: ZoneInfo) -> bytes:
    asked, sums = found.query.asked, found.sums
    shown: dict[str, Any] = {
        "kind": asked.kind.value,
        "direction": asked.direction.value,
        "unit": asked.kind.unit,
        "start": _utc(sums.edges[0]),
        "end": _utc(sums.edges[-1]),
        "step": queries.iso_step(asked.step),
        "points": len(found.points),
    }
    if found.query.by_point:
        pairs = zip(found.points, sums.values, strict=False)  # without a point, one list of nothing
        shown["metering_points"] = [{"metering_point": point, "values": values} for point, values in pairs]
    else:
        shown["values"] = sums.values[0]
        shown["counted"] = sums.points[0]
    shown["coverage"] = {
        "requested": {"from": _utc(asked.period.start), "to": _utc(asked.period.end)},
        "incomplete": len({gap.metering_point for gap in sums.gaps}),
        "missing": [_gap(gap, asked.period, zone) for gap in sums.gaps[:MOST_GAPS]],
        "left_out": [{"metering_point": point, "reason": why} for point, why in found.left_out.items()],
    }
    return orjson.dumps(shown)


def _csv(found: Aggregate, *, zone: ZoneInfo) -> bytes:
    asked, sums = found.query.asked, found.sums
    measure = f"{asked.kind.value} {asked.direction.value} ({asked.kind.unit})"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    starts = [edge.astimezone(zone).isoformat() for edge in sums.edges]
    if found.query.by_point:
        writer.writerow(["metering_point", "start", "end", measure])
        for point, values in zip(found.points, sums.values, strict=False):
            rows = zip(starts, starts[1:], values, strict=False)
            writer.writerows([point, start, end, _text(value)] for start, end, value in rows)
    else:
        writer.writerow(["start", "end", measure, "points"])
        writer.writerows(_rows(starts, sums))
    return text.getvalue().encode()


def _rows(starts: list[str], sums: Sums) -> Iterator[list[str | int]]:
    for start, end, value, points in zip(starts, starts[1:], sums.values[0], sums.points[0], strict=False):
        yield [start, end, _text(value), points]


_ENCODED: Final = {media.MediaType.JSON: _json, media.MediaType.CSV: _csv}


def _gap(gap: Gap, asked: Interval, zone: ZoneInfo) -> dict[str, Any]:
    """Its days, as far as they were asked for."""
    start, end = civil_day_bounds(gap.first, zone).start, civil_day_bounds(gap.last, zone).end
    assert end is not None
    assert asked.end is not None
    return {
        "metering_point": gap.metering_point,
        "from": _utc(max(start, asked.start)),
        "to": _utc(min(end, asked.end)),
        "steps": gap.steps,
    }


def _text(value: int | float | None) -> str:
    return "" if value is None else str(value)


def _utc(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
