"""What is answered, as JSON and CSV."""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from gridgate.core.quantities import FlowDirection, Kind, directions_of, kinds_of
from gridgate.core.sharing import AccessLine
from gridgate.core.time import Interval, Resolution, civil_day_bounds
from gridgate.dataplane.export import ExportFormat, document, export
from gridgate.dataplane.query.answer import Answer
from gridgate.dataplane.registry.port import Access, PointFacts
from gridgate.dataplane.store.port import SeriesInfo
from gridgate.facades.native.wire.media import MediaType


def encode_answer(answer: Answer, form: MediaType, *, zone: ZoneInfo) -> bytes:
    if form is MediaType.JSON:
        return orjson.dumps(document(answer))
    target = io.BytesIO()
    export(answer, target, format=ExportFormat.CSV, zone=zone)
    return target.getvalue()


def encode_page(accesses: Sequence[Access], *, next_path: str | None) -> bytes:
    points = [_point(access.point, access.lines) for access in accesses if access.point is not None]
    return orjson.dumps({"metering_points": points, "next": next_path})


def encode_point(
    point: PointFacts, lines: Sequence[AccessLine], series: Iterable[SeriesInfo], *, zone: ZoneInfo
) -> bytes:
    """One point with what may be read of it: series that no line covers are not told."""
    readable = [shown for info in series if (shown := _series(info, lines, zone)) is not None]
    return orjson.dumps({**_point(point, lines), "series": readable})


def encode_perimeters(named: Iterable[tuple[str, str]]) -> bytes:
    """Their handles and names."""
    return orjson.dumps({"perimeters": [{"id": handle, "name": name} for handle, name in named]})


def _point(point: PointFacts, lines: Sequence[AccessLine]) -> dict[str, Any]:
    return {
        "id": point.id,
        "segment": point.segment,
        "directions": None if point.unknown else _directions(point.directions),
        "activated_on": point.activated_on.isoformat(),
        "subscribed_power_kva": point.subscribed_power_kva,
        "access": [_line(line) for line in lines],
    }


def _line(line: AccessLine) -> dict[str, Any]:
    finest = line.finest_resolution
    return {
        "basis": line.basis.value,
        "permission": line.permission,
        "kinds": covered_kinds([line]),
        "directions": _directions(line.directions),
        "finest_resolution": Resolution.of_seconds(finest).iso if finest else None,
        "data_from": _seconds(line.data_from),
        "data_to": _seconds(line.data_to),
        "valid_from": _seconds(line.valid_from),
        "valid_until": _seconds(line.valid_until),
    }


def covered_kinds(lines: Iterable[AccessLine]) -> list[str]:
    """The kinds that at least one of the lines covers, in the order of the documentation."""
    mask = 0
    for line in lines:
        mask |= line.kinds
    covered = kinds_of(mask)
    return [kind.value for kind in Kind if kind in covered]


def covered_directions(lines: Iterable[AccessLine]) -> list[str]:
    mask = 0
    for line in lines:
        mask |= line.directions
    return _directions(mask)


def _directions(mask: int) -> list[str]:
    covered = directions_of(mask)
    return [direction.value for direction in FlowDirection if direction in covered]


def _series(info: SeriesInfo, lines: Sequence[AccessLine], zone: ZoneInfo) -> dict[str, Any] | None:
    """The series as far as some line reaches: its days, and a step that is no finer than the line allows."""
    key = info.key
    begin, end = (civil_day_bounds(day, zone) for day in (info.first, info.last))
    assert end.end is not None
    stored = Interval(begin.start, end.end)
    reaches = []
    for line in lines:
        if line.kinds & key.kind.bit and line.directions & key.direction.bit:
            limit = None if line.data_to is None else datetime.fromtimestamp(line.data_to, UTC)
            part = stored.intersect(Interval(datetime.fromtimestamp(line.data_from, UTC), limit))
            if part is not None:
                reaches.append((part, max(line.finest_resolution, key.resolution.seconds)))
    if not reaches:
        return None
    first = min(part.start for part, _ in reaches)
    last = max(part.end for part, _ in reaches if part.end is not None)
    shown: dict[str, Any] = {
        "kind": key.kind.value,
        "direction": key.direction.value,
        "resolution": Resolution.of_seconds(min(seconds for _, seconds in reaches)).iso,
        "first": first.astimezone(zone).date().isoformat(),
        "last": (last - timedelta(microseconds=1)).astimezone(zone).date().isoformat(),
    }
    if key.register:
        shown["register"] = key.register
    return shown


def _seconds(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
