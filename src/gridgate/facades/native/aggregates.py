"""`/api/v1/aggregates`: what many points have together. Each is decided and logged as if it were read alone."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gridgate.core.sharing import Refused
from gridgate.core.time import Interval, civil_day_bounds, days_between
from gridgate.dataplane.authz import Caller
from gridgate.dataplane.handles import number_of
from gridgate.dataplane.http.plane import DataPlane
from gridgate.dataplane.http.sums import Among, Summed
from gridgate.dataplane.http.token_endpoint import Endpoint
from gridgate.dataplane.query.sums.tally import Gap, Sums
from gridgate.dataplane.registry.port import Access
from gridgate.facades.native import problems, reasons
from gridgate.facades.native.wire import media, queries

MOST_DAYS: Final = 2_000_000
"""Points times days: a company of 50,000 points over 40 days, one of 1,000 over five years."""
MOST_VALUES: Final = 600_000
"""In one answer: five years of five minutes, or 400 points over a month of half hours."""
MOST_GAPS: Final = 1_000


def endpoint(plane: DataPlane, caller_of: Callable[[DataPlane, Request, str, datetime], Caller]) -> Endpoint:
    async def aggregates(request: Request) -> Response:
        caller_of(plane, request, "", plane.clock())  # who may not call waits for nobody
        query = queries.decode_aggregates_query(request.scope["query_string"], zone=plane.zone)
        form = media.preferred(request.headers.get("accept"))
        if form is None:
            raise problems.not_acceptable()
        among = Among(query.points, query.site, _named(plane, query.perimeter), each=query.by_point)
        found = await plane.add_up(
            partial(caller_of, plane, request, ""),
            query.asked,
            among,
            reasons.CHANNEL,
            check=partial(_check, query, plane.zone),
        )
        body = await run_in_threadpool(_ENCODED[form], query, found, zone=plane.zone)
        return Response(body, headers={"Vary": "Accept"}, media_type=form.value)

    return aggregates


def _named(plane: DataPlane, perimeter: str | None) -> int | None:
    """The group whose perimeter it is, which may be of any company. Raises `Problem` for what names none."""
    if perimeter is None:
        return None
    group = number_of("group", perimeter, secret=plane.secret_key())
    if group is None:
        raise problems.perimeter_not_found()
    return group


def _check(query: queries.AggregatesQuery, zone: ZoneInfo, reached: int, granted: int) -> None:
    """Refuse before the work what names nothing that may be read, would hold others up, or no client could take."""
    if query.site is not None and not reached:
        raise problems.site_not_found()
    if query.perimeter is not None and not reached:
        raise problems.perimeter_not_found()
    asked = query.asked
    assert asked.period.end is not None
    days = len(days_between(asked.period.start, asked.period.end, zone))
    if granted * days > MOST_DAYS:
        raise problems.too_much_at_once(f"This is {granted:,} points over {days:,} days", MOST_DAYS)
    seconds = queries.shortest_seconds(asked.step)
    values = days * max(1, 90_000 // seconds) * (granted if query.by_point else 1)
    if values > MOST_VALUES:
        raise problems.too_much_at_once(f"The answer would hold up to {values:,} values", MOST_VALUES)


def _left_out(found: Summed) -> dict[str, str]:
    """Those that were named and may not be read, and why, as a read of each alone would say."""
    return {
        point: _reason(refused, found.accesses.get(point), found.at)
        for point, refused in found.refused.items()
    }


def _reason(refused: Refused, access: Access | None, at: datetime) -> str:
    valid = access.valid(at) if access is not None else []
    if not valid:
        left = access is not None and any(line.ended_by_move_out for line in access.lines)
        return "holder_left" if left else "not_found"
    if reasons.is_about_the_period(refused.reason):
        return reasons.why_nothing(refused.reason, valid)
    return refused.reason.value


def _json(query: queries.AggregatesQuery, found: Summed, *, zone: ZoneInfo) -> bytes:
    asked, sums = query.asked, found.sums
    shown: dict[str, Any] = {
        "kind": asked.kind.value,
        "direction": asked.direction.value,
        "unit": asked.kind.unit,
        "start": _utc(sums.edges[0]),
        "end": _utc(sums.edges[-1]),
        "step": queries.iso_step(asked.step),
        "points": len(found.points),
    }
    if query.by_point:
        pairs = zip(found.points, sums.values, strict=False)  # without a point, one list of nothing
        shown["metering_points"] = [{"metering_point": point, "values": values} for point, values in pairs]
    else:
        shown["values"] = sums.values[0]
        shown["counted"] = sums.points[0]
    shown["coverage"] = {
        "requested": {"from": _utc(asked.period.start), "to": _utc(asked.period.end)},
        "incomplete": len({gap.metering_point for gap in sums.gaps}),
        "missing": [_gap(gap, asked.period, zone) for gap in sums.gaps[:MOST_GAPS]],
        "left_out": [{"metering_point": point, "reason": why} for point, why in _left_out(found).items()],
    }
    return orjson.dumps(shown)


def _csv(query: queries.AggregatesQuery, found: Summed, *, zone: ZoneInfo) -> bytes:
    asked, sums = query.asked, found.sums
    measure = f"{asked.kind.value} {asked.direction.value} ({asked.kind.unit})"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    starts = [edge.astimezone(zone).isoformat() for edge in sums.edges]
    if query.by_point:
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
