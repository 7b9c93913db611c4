"""The instance that is measured: a thousand points with a month of half hours, all shared with one third
party.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Resolution, slots_in_day
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import DayBlock, SeriesKey, Source
from tests.dataplane_world import ACME, CHARLIE, PARIS, TIERS1, RegistryFile

POINTS = 1000
DAYS = 30
FOREIGN = "99999999999999"


@dataclass(frozen=True, slots=True)
class Instance:
    """What the workloads need to know of it."""

    folder: str
    token: str
    client_id: str
    client_secret: str
    first: str
    """First day of the week that is asked for."""
    end: str


def build(folder: Path, *, now: datetime) -> Instance:
    """Make the instance in an empty folder."""
    (folder / "accesslog").mkdir(parents=True)
    today = now.astimezone(PARIS).date()
    registry = RegistryFile(folder / "registry.sqlite3")
    registry.db.execute("BEGIN")
    client = registry.application("tiers1", TIERS1, "enedis", "native")
    points = [f"{number:014d}" for number in range(1, POINTS + 1)]
    for point in points:
        registry.point(point, holder=ACME)
        registry.line(point, reader=TIERS1, holder=ACME, valid_from=today - timedelta(days=400))
    registry.point(FOREIGN, holder=CHARLIE)
    token = registry.token(client, at=now, lifetime=86_400)
    registry.db.execute("COMMIT")
    registry.db.close()
    _fill(
        folder / "measurements.sqlite3", points, [today - timedelta(days=n) for n in range(DAYS, 0, -1)], now
    )
    instance = Instance(
        folder=str(folder),
        token=token,
        client_id=client.client_id,
        client_secret=client.client_secret,
        first=(today - timedelta(days=7)).isoformat(),
        end=today.isoformat(),
    )
    (folder / "instance.json").write_text(json.dumps(asdict(instance)))
    return instance


def load(folder: Path) -> Instance:
    return Instance(**json.loads((folder / "instance.json").read_text()))


def _fill(path: Path, points: list[str], days: list[date], now: datetime) -> None:
    draw = np.random.default_rng(1)
    store = open_store(path, zone=PARIS)
    blocks = []
    for point in points:
        key = SeriesKey(point, Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, Resolution.PT30M)
        for day in days:
            slots = slots_in_day(day, Resolution.PT30M, PARIS)
            values = draw.integers(100, 9000, slots)
            blocks.append(DayBlock(key, day, values, np.zeros(slots, np.uint8)))
    source = Source("benchmark", "0" * 64, "benchmark", None)
    store.put(blocks, source=source, quarantined=[], recorded_at=int(now.astimezone(UTC).timestamp() * 1000))
    store.close()
