"""Entries of the access log, as the worker folds them into the registry.

Their segments lie in memory, not on the disk: `SEGMENTS`, which `read_lines` asks before it asks the files.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import orjson

from gridgate.audit.operations.folding import fold
from gridgate.audit.operations.progress import Position
from gridgate.audit.operations.roll_up import LogLine
from gridgate.config.access_log import reading
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.metering.models import MeteringPoint
from gridgate.organisations.models import Organisation
from gridgate.sharing.models import Permission

SEGMENTS: dict[str, bytes] = {}
_next_segment = count(1)


def make_reads(
    reader: Organisation,
    point: MeteringPoint,
    holder: Organisation,
    *,
    at: datetime,
    times: int = 1,
    outcome: str = "granted",
    permission: Permission | None = None,
    kind: Kind = Kind.LOAD_CURVE,
    channel: str = "api:enedis",
    **more: Any,
) -> list[dict[str, Any]]:
    """`times` reads (or refusals) of a point, one a second from `at` on; `more` is said in their lines besides."""
    return make_entries(
        {
            "at": at + timedelta(seconds=number),
            "channel": channel,
            "outcome": outcome,
            "holder": holder.pk,
            "reader": reader.pk,
            "reader_name": reader.legal_name,
            "application": "tiers1" if channel.startswith("api") else "",
            "permission": permission.pk.hex if permission else None,
            "basis": "permission" if permission else "title",
            "metering_point": point.pk,
            "kind": kind,
            "direction": FlowDirection.WITHDRAWAL,
            "start": at - timedelta(days=7),
            "end": at,
            "values": 336 if outcome == "granted" else 0,
            **more,
        }
        for number in range(times)
    )


def make_entries(said: Any) -> list[dict[str, Any]]:
    """A segment of these lines, folded."""
    name = f"2026-11-25-{next(_next_segment):016x}.jsonl"
    content, lines = b"", []
    for number, entry in enumerate(said, start=2):
        line = orjson.dumps(entry, option=orjson.OPT_UTC_Z) + b"\n"
        lines.append(LogLine(number, orjson.loads(line), len(content)))
        content += line
    SEGMENTS[name] = content
    fold(segment=name, lines=lines, reached=lambda: Position(len(lines) + 1, len(content), "a" * 64))
    return [line.entry for line in lines if line.entry is not None]


def read_lines(segment: str, offsets: Sequence[int]) -> Iterator[Mapping[str, Any]]:
    """Stands for `settings.LOG_LINES` in tests."""
    if segment not in SEGMENTS:
        yield from reading.read_lines(segment, offsets)
        return
    for offset in offsets:
        yield orjson.loads(SEGMENTS[segment][offset:].split(b"\n", 1)[0])
