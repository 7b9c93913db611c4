"""The applications that are measured. Each server process imports one of them."""

import os
from datetime import date
from pathlib import Path

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.instance import load
from gridgate.core.time import Resolution
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.http.app import create_app
from gridgate.dataplane.query.columns import Columns
from gridgate.dataplane.query.days import midnight
from gridgate.facades import FACADES
from gridgate.facades.enedis import wire
from gridgate.facades.enedis.wire import PARIS

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
_VALUES = 100 + np.arange((_END - _FIRST).days * 48) * 26
_WEEK = Columns(midnight(_FIRST, PARIS), Resolution.PT30M, _VALUES, 1, np.zeros(len(_VALUES), np.uint8))


async def _bare(request: Request) -> Response:
    """The same body, by the same encoder, from memory: what is left when everything else is taken away."""
    readings = [text for _, text, _ in wire.curve_readings([_WEEK])]
    body = wire.encode(
        wire.RESOURCES[0], usage_point_id="00000000000001", start=_FIRST, end=_END, readings=readings
    )
    return Response(body, media_type="application/json")


bare = Starlette(routes=[Route("/{path:path}", _bare)])
