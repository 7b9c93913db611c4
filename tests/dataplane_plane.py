"""A data plane in this process, with a registry, a store and a clock that tests hold in their hands."""

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution, slots_in_day
from gridgate.dataplane.accesslog import read_segment
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.http.app import create_app
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import DayBlock, SeriesKey, Source
from gridgate.facades import FACADES
from tests.dataplane_world import NOW, PARIS, Client, RegistryFile

WITHDRAWAL, INJECTION = FlowDirection.WITHDRAWAL, FlowDirection.INJECTION


SECRET = "a secret key of tests"


class Plane:
    """The data plane, its registry (`world`), its store, and a client that calls it without a socket."""

    def __init__(self, folder: Path, *, zone: ZoneInfo = PARIS, **config: Any) -> None:
        self.folder = folder
        self.now = NOW
        (folder / "accesslog").mkdir()
        self.world = RegistryFile(folder / "registry.sqlite3")
        self.store = open_store(folder / "measurements.sqlite3", zone=zone)
        self.config = DataPlaneConfig(
            registry=folder / "registry.sqlite3",
            measurements=folder / "measurements.sqlite3",
            access_log=folder / "accesslog",
            zone=zone,
            process="test",
            **{"request_log": False, "secret_key": lambda: SECRET, **config},
        )
        self.app = create_app(self.config, FACADES, clock=lambda: self.now)
        self._runner = asyncio.Runner()
        self._transport = httpx.ASGITransport(self.app)

    def close(self) -> None:
        self._runner.close()
        self.app.state.plane.close()
        self.store.close()
        self.world.db.close()

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://gridgate") as client:
                return await client.request(method, path, **arguments)

        return self._runner.run(call())

    def get(self, path: str, token: str | None = None, **arguments: Any) -> httpx.Response:
        headers = {**arguments.pop("headers", {})}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self.request("GET", path, headers=headers, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("POST", path, **arguments)

    def token(self, client: Client) -> str:
        return self.world.token(client, at=self.now)

    def logged(self) -> list[dict[str, Any]]:
        """Every line of the access log so far, in order."""
        return [
            entry
            for path in sorted((self.folder / "accesslog").glob("2*.jsonl"))
            for entry in read_segment(path).entries
        ]

    def put(self, *blocks: DayBlock, recorded_at: datetime = NOW) -> None:
        source = Source(secrets.token_hex(4), secrets.token_hex(32), "test", None)
        self.store.put(blocks, source=source, quarantined=[], recorded_at=int(recorded_at.timestamp() * 1000))

    def put_curve(
        self,
        point: str,
        first: date,
        days: int,
        *,
        resolution: Resolution = Resolution.PT30M,
        direction: FlowDirection = WITHDRAWAL,
        recorded_at: datetime = NOW,
    ) -> None:
        """A load curve whose values tell their place: 1000 for the first half hour of the first day, then
        1001…
        """
        value, blocks = 1000, []
        for number in range(days):
            day = first + timedelta(days=number)
            slots = slots_in_day(day, resolution, PARIS)
            blocks.append(
                day_block(point, Kind.LOAD_CURVE, direction, resolution, day, range(value, value + slots))
            )
            value += slots
        self.put(*blocks, recorded_at=recorded_at)


def day_block(
    point: str,
    kind: Kind,
    direction: FlowDirection,
    resolution: Resolution,
    day: date,
    values: Iterable[int | None],
    *,
    scale: int = 0,
    offsets: Sequence[int] | None = None,
    quality: Sequence[Quality] | None = None,
    register: str = "",
) -> DayBlock:
    """A block from values; None is missing."""
    given = list(values)
    codes = quality or [Quality.MISSING if value is None else Quality.MEASURED for value in given]
    return DayBlock(
        SeriesKey(point, kind, direction, resolution, register),
        day,
        np.array([value or 0 for value in given], np.int64),
        np.array(codes, np.uint8),
        scale,
        None if offsets is None else np.array(offsets, np.int32),
    )


def daily(
    point: str, first: date, values: Iterable[int | None], direction: FlowDirection = WITHDRAWAL
) -> list[DayBlock]:
    """Daily energy of consecutive days."""
    return [
        day_block(point, Kind.DAILY_ENERGY, direction, Resolution.P1D, first + timedelta(days=n), [value])
        for n, value in enumerate(values)
    ]
