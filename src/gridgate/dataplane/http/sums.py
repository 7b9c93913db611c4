"""The sums of the APIs: the same way to read for many points, each decided and logged as if it were read alone."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gridgate.core.sharing import Refused
from gridgate.dataplane.accesslog.entry import Encoded, Entry
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.query.sums.tally import Sums
from gridgate.dataplane.reading.reader import Reader
from gridgate.dataplane.reading.sealed import LONGEST_ID, Sealed
from gridgate.dataplane.registry.opening import open_registry
from gridgate.dataplane.registry.port import Access, Application
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import MeasurementStore
from gridgate.dataplane.summing import Decided, SumAsked, add_up, decide_each, log_entries


@dataclass(frozen=True, slots=True)
class Among:
    """Of which points: those that are named; else all within the application's reach, at a site or within a perimeter
    (the number of a group) if one is named.
    """

    points: tuple[str, ...] = ()
    site: str | None = None
    perimeter: int | None = None
    each: bool = False
    """Each point by itself, in place of all together."""


@dataclass(frozen=True, slots=True)
class Summed:
    """A sum, the points whose values may be in it, and those that were named and may not be read."""

    at: datetime
    sums: Sums
    points: list[str]
    refused: dict[str, Refused]
    accesses: dict[str, Access]
    """Of those that were named; a point that does not exist is not there."""


Check = Callable[[int, int], None]
"""What a dialect has to say before the work, of how many points there are and of how many may be read. It raises."""


class SumReader:
    """A registry and a store for sums alone, opened at first use: what takes a thread a second keeps nobody who reads one
    point waiting. `turn` lets one sum of the process go at a time; whoever holds it may `take` one, in any thread.
    """

    def __init__(self, config: DataPlaneConfig) -> None:
        self._config = config
        self.turn = asyncio.Lock()
        self._registry = open_registry(config)
        self._store: MeasurementStore | None = None

    def take(
        self,
        application: Application,
        reader: Reader,
        asked: SumAsked,
        among: Among,
        channel: str,
        *,
        at: datetime,
        check: Check,
    ) -> Sealed[Entry | Encoded, Summed]:
        """Decide and add up. Raises `RegistryUnavailable`, `StoreUnavailable`, and what `check` does."""
        accesses: dict[str, Access] = {}
        if among.points:
            accesses = self._registry.accesses(application, among.points, at=at)
            lines = {point: access.lines for point, access in accesses.items()}
            decided = decide_each(asked, among.points, lines, at=at)
        else:
            lines = self._registry.reach(application, at=at, site=among.site, perimeter=among.perimeter)
            # What the application was not given of its points was not asked for either.
            decided = Decided(decide_each(asked, list(lines), lines, at=at).granted)
        points = list(decided.granted)
        check(len(lines), len(points))
        groups = {point: place for place, point in enumerate(points)} if among.each else {}
        sums = add_up(
            self._measurements,
            asked,
            decided.parts(at, groups),
            at=at,
            zone=self._config.zone,
            groups=max(1, len(groups)),
        )
        told = {point: refused for point, refused in decided.refused.items() if len(point) <= LONGEST_ID}
        entries = log_entries(
            reader,
            asked,
            Decided(decided.granted, told),
            channel=channel,
            at=at,
            counts=sums.counts,
            facts={point: access.point for point, access in accesses.items() if access.point is not None},
        )
        return Sealed(entries, Summed(at, sums, points, decided.refused, accesses))

    @property
    def _measurements(self) -> MeasurementStore:
        if self._store is None:
            self._store = open_store(self._config.measurements, read_only=True, zone=self._config.zone)
        return self._store

    def close(self) -> None:
        self._registry.close()
        if self._store is not None:
            self._store.close()
            self._store = None
