"""Which metering points the registry knows, and what ingest must know of them."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, Protocol

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, directions_of

_AT_ONCE: Final = 500

# The segment of the day says how a file's stamps are meant; values of the past may flow in any direction that the point
# has had.
_QUERY: Final = """
    select point.id,
           (select version.segment from metering_pointversion as version
            where version.metering_point_id = point.id
            order by version.valid_from > ?, abs(julianday(version.valid_from) - julianday(?)) limit 1),
           (select max(version.directions & 1) + max(version.directions & 2) from metering_pointversion as version
            where version.metering_point_id = point.id),
           collection.since
    from metering_meteringpoint as point
    left join metering_loadcurvecollection as collection
      on collection.metering_point_id = point.id
      and collection.until is null
      and collection.state = 'opposed'
      and (collection.holder_id is null or exists (
           select 1 from metering_titleholding as title
           where title.metering_point_id = point.id and title.holder_id = collection.holder_id
             and title.valid_from <= ? and (title.valid_to is null or title.valid_to > ?)))
    where point.id in ({marks})
"""


@dataclass(frozen=True, slots=True)
class PointInfo:
    """A metering point of the registry. `opposed_from`: its load curve must not be collected from then on."""

    id: str
    segment: str
    directions: frozenset[FlowDirection]
    opposed_from: datetime | None = None


class PointDirectory(Protocol):
    """Where ingest looks metering points up."""

    def known(self, ids: Collection[str]) -> Mapping[str, PointInfo]:
        """Those of `ids` that are metering points; the others are absent from the answer."""
        ...


class RegistryDirectory:
    """The registry's own tables, read-only, on a civil day. Raises `GridgateError` (UNAVAILABLE) when there is none."""

    def __init__(self, registry: Path, *, today: date) -> None:
        self._registry = registry
        self._today = today.isoformat()

    def known(self, ids: Collection[str]) -> Mapping[str, PointInfo]:
        wanted = sorted(set(ids))
        if not self._registry.is_file():
            raise GridgateError(
                ErrorKind.UNAVAILABLE,
                f"there is no instance at {self._registry.parent}",
                remedy="Make one with « gridgate init », or say where it is with --data.",
            )
        try:
            with closing(
                sqlite3.connect(f"{self._registry.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
            ) as connection:
                return {
                    row[0]: _point(*row)
                    for batch in _batches(wanted)
                    for row in connection.execute(_query(batch), [*[self._today] * 4, *batch])
                }
        except sqlite3.Error as error:
            raise GridgateError(
                ErrorKind.UNAVAILABLE,
                f"the registry cannot be read: {error}",
                remedy="Run gridgate check, which says what to do.",
                where=str(self._registry),
            ) from error


def _query(batch: list[str]) -> str:
    marks = ", ".join("?" * len(batch))
    return _QUERY.format(marks=marks)


def _point(identifier: str, segment: str, directions: int, opposed_since: str | None) -> PointInfo:
    opposed = datetime.fromisoformat(opposed_since).replace(tzinfo=UTC) if opposed_since else None
    return PointInfo(identifier, segment, directions_of(directions), opposed)


def _batches(ids: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(ids), _AT_ONCE):
        yield ids[first : first + _AT_ONCE]
