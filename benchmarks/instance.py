"""The instance that is measured: a thousand points with a month of half hours, the first of them with a year; others
kept at ten minutes, which may be read at half hours; and others that changed from the one to the other within the week.
All are shared with one third party.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution, slots_in_day
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import DayBlock, SeriesKey, Source
from tests.dataplane_world import ACME, CHARLIE, PARIS, TIERS1, RegistryFile

POINTS = 1000
DAYS = 30
OF_A_YEAR = 40
"""How many of the points have a year."""
TENS, CHANGED = 2 * 10**13, 3 * 10**13
"""After which numbers those kept at ten minutes come, and those that changed."""
OTHERS = 200
"""How many there are of each of these."""
FOREIGN = "99999999999999"
HALF, TEN = Resolution.PT30M, Resolution.PT10M


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
    year: str
    """First day of the year."""


def build(folder: Path, *, now: datetime) -> Instance:
    """Make the instance in an empty folder."""
    (folder / "accesslog").mkdir(parents=True)
    today = now.astimezone(PARIS).date()
    registry = RegistryFile(folder / "registry.sqlite3")
    registry.db.execute("BEGIN")
    client = registry.application("tiers1", TIERS1, "enedis", "native")
    half_hours = _numbered(0, POINTS)
    tens, changed = _numbered(TENS, OTHERS), _numbered(CHANGED, OTHERS)
    since = today - timedelta(days=400)
    for point in (*half_hours, *tens, *changed):
        registry.point(point, holder=ACME)
        finest = 0 if point in half_hours else HALF.seconds
        registry.line(point, reader=TIERS1, holder=ACME, valid_from=since, finest_resolution=finest)
    registry.point(FOREIGN, holder=CHARLIE)
    token = registry.token(client, at=now, lifetime=86_400)
    registry.db.execute("COMMIT")
    registry.db.close()
    month = [today - timedelta(days=n) for n in range(DAYS, 0, -1)]
    year = [today - timedelta(days=n) for n in range(366, 0, -1)]
    blocks = _Blocks()
    for number, point in enumerate(half_hours):
        blocks.add(point, HALF, year if number < OF_A_YEAR else month)
    for point in tens:
        blocks.add(point, TEN, month)
    for point in changed:
        blocks.add(point, TEN, month[:-4], until=True)
        blocks.add(point, HALF, month[-4:], since=True)
    with open_store(folder / "measurements.sqlite3", zone=PARIS) as store:
        source = Source("benchmark", "0" * 64, "benchmark", None)
        at = int(now.astimezone(UTC).timestamp() * 1000)
        store.put(blocks.made, source=source, quarantined=[], recorded_at=at)
    instance = Instance(
        folder=str(folder),
        token=token,
        client_id=client.client_id,
        client_secret=client.client_secret,
        first=(today - timedelta(days=7)).isoformat(),
        end=today.isoformat(),
        year=(today - timedelta(days=365)).isoformat(),
    )
    (folder / "instance.json").write_text(json.dumps(asdict(instance)))
    return instance


def load(folder: Path) -> Instance:
    return Instance(**json.loads((folder / "instance.json").read_text()))


def _numbered(after: int, count: int) -> list[str]:
    return [f"{after + number:014d}" for number in range(1, count + 1)]


class _Blocks:
    """Days drawn at random, the same each time."""

    def __init__(self) -> None:
        self.made: list[DayBlock] = []
        self._draw = np.random.default_rng(1)

    def add(
        self,
        point: str,
        resolution: Resolution,
        days: list[date],
        *,
        until: bool = False,
        since: bool = False,
    ) -> None:
        """Days of one step. With `until`, noon of the day after is told too in it, and with `since` the first day only
        from noon on.
        """
        key = SeriesKey(point, Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, resolution)
        for number, day in enumerate([*days, days[-1] + timedelta(days=1)] if until else days):
            slots = slots_in_day(day, resolution, PARIS)
            quality = np.zeros(slots, np.uint8)
            if until and number == len(days):
                quality[slots // 2 :] = Quality.MISSING
            elif since and number == 0:
                quality[: slots // 2] = Quality.MISSING
            values = np.where(quality == Quality.MISSING, 0, self._draw.integers(100, 9000, slots))
            self.made.append(DayBlock(key, day, values, quality))
