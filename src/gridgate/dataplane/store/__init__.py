"""The measurement store: day blocks behind one port (`port.py`), adapters beside it."""

from pathlib import Path
from zoneinfo import ZoneInfo

from gridgate.dataplane.store.port import MeasurementStore
from gridgate.dataplane.store.rehearsal import Rehearsal
from gridgate.dataplane.store.sqlite import SqliteStore

PARIS = ZoneInfo("Europe/Paris")


def open_store(path: Path, *, read_only: bool = False, zone: ZoneInfo = PARIS) -> MeasurementStore:
    """Open the store kept in the file `path`, making it when it is not there (unless `read_only`).

    `zone` is the zone whose civil days the store counts; it is kept in the file and must not change.
    One object per thread for reads that run side by side; see `SqliteStore` for the rules.
    Raises `StoreUnavailable`.
    """
    return SqliteStore(path, read_only=read_only, zone=zone)


def open_rehearsal(path: Path, *, zone: ZoneInfo = PARIS, scratch: Path | None = None) -> Rehearsal:
    """Open a store that answers as the one in the file `path` would, and leaves that as it is.

    It takes deliveries on a scratch copy of what they touch, in the folder for temporary files; `scratch` is that
    of another rehearsal, whose deliveries this one sees. Raises `StoreUnavailable`.
    """
    return Rehearsal(path, zone=zone, scratch=scratch)
