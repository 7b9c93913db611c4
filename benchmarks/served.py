"""The applications that are measured. Each server process imports one of them."""

import os
from datetime import date, timedelta
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.instance import load
from gridgate.core.time import Resolution
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.http.app import create_app
from gridgate.facades import FACADES
from gridgate.facades.enedis import wire

_folder = Path(os.environ["GRIDGATE_BENCH_FOLDER"])
_instance = load(_folder)

data_plane = create_app(
    DataPlaneConfig(
        registry=_folder / "registry.sqlite3",
        measurements=_folder / "measurements.sqlite3",
        access_log=_folder / "accesslog",
        process=f"bench-{os.getpid()}",
    ),
    FACADES,
)

_FIRST, _END = date.fromisoformat(_instance.first), date.fromisoformat(_instance.end)
_WEEK = [
    (_FIRST + timedelta(days=number), [100 + (number * 48 + slot) * 26 for slot in range(48)])
    for number in range((_END - _FIRST).days)
]


async def _bare(request: Request) -> Response:
    """The same body, by the same encoder, from lists in memory: what is left when everything else is taken
    away.
    """
    readings = [wire.whole_day(day, Resolution.PT30M, values) for day, values in _WEEK]
    body = wire.encode(
        wire.RESOURCES[0], usage_point_id="00000000000001", start=_FIRST, end=_END, readings=readings
    )
    return Response(body, media_type="application/json")


bare = Starlette(routes=[Route("/{path:path}", _bare)])
