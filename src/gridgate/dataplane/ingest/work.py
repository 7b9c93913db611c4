"""What there is to take in, and how, so that another process can do a part of it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from gridgate.core.time import civil_day_of
from gridgate.dataplane.ingest.detect import AUTO
from gridgate.dataplane.ingest.directory import RegistryDirectory
from gridgate.dataplane.ingest.mapping import MeterMapping
from gridgate.dataplane.ingest.pipeline import require_options
from gridgate.dataplane.ingest.progress import Progress
from gridgate.dataplane.ingest.spool import PREFIX as PARTS
from gridgate.dataplane.ingest.taking import Ingest
from gridgate.dataplane.scratch import sweep
from gridgate.dataplane.store import open_rehearsal, open_store
from gridgate.dataplane.store.port import MeasurementStore
from gridgate.dataplane.store.rehearsal import PREFIX as REHEARSAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Where the registry and the store are, the present (epoch milliseconds), and what the operator said."""

    registry: Path
    measurements: Path
    zone_name: str
    recorded_at: int
    mapping: MeterMapping
    format: str = AUTO
    dry_run: bool = False
    scratch: Path | None = None
    """That of the rehearsal that several processes share."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone_name)

    def require(self) -> None:
        """Raises `GridgateError` when nothing could be taken so: no tables of the registry, no such format, a mapping to
        points that do not exist."""
        directory = self._directory()
        directory.known([""])
        require_options(self.format, self.mapping, directory)

    def tidy(self) -> None:
        """Remove what was left of large files and of rehearsals by whoever was killed."""
        sweep(self.measurements.parent, PARTS)
        with suppress(OSError):  # no such folder, when only a rehearsal needs one
            sweep(None, REHEARSAL)

    @contextmanager
    def opened(self, progress: Progress) -> Iterator[Ingest]:
        """What ingest works with, for as long as the block lasts. Raises `StoreUnavailable`."""
        with self._store() as store:
            yield Ingest(
                store=store,
                directory=self._directory(),
                zone=self.zone,
                recorded_at=self.recorded_at,
                mapping=self.mapping,
                format=self.format,
                progress=progress,
                folder=None if self.dry_run else self.measurements.parent,
            )

    @contextmanager
    def shared(self) -> Iterator["Work"]:
        """The same for several processes, which see what others stored, or would have. Raises `StoreUnavailable`."""
        if not self.dry_run:
            yield self
            return
        with open_rehearsal(self.measurements, zone=self.zone) as rehearsal:
            yield replace(self, scratch=rehearsal.scratch)

    def _store(self) -> MeasurementStore:
        if self.dry_run:
            return open_rehearsal(self.measurements, zone=self.zone, scratch=self.scratch)
        return open_store(self.measurements, zone=self.zone)

    def _directory(self) -> RegistryDirectory:
        now = datetime.fromtimestamp(self.recorded_at / 1000, UTC)
        return RegistryDirectory(self.registry, today=civil_day_of(now, self.zone))
