"""The applications that are measured. Each server process imports one of them."""

import os
from datetime import date
from importlib import import_module
from pathlib import Path

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.instance import load
from benchmarks.servers import WORKERS
from gridgate.core.time import Resolution
from gridgate.dataplane.http import shared_metrics
from gridgate.dataplane.query.columns import Columns
from gridgate.dataplane.query.days import midnight
from gridgate.facades.enedis import wire
from gridgate.facades.enedis.wire import PARIS

_folder = Path(os.environ["GRIDGATE_BENCH_FOLDER"])
_instance = load(_folder)

# As `gridgate serve` does: limits and all, metrics shared by the processes.
os.environ |= {
    "GRIDGATE_DATA": str(_folder),
    "GRIDGATE_PLANE": "data",
    "GRIDGATE_ALLOWED_HOSTS": "127.0.0.1",
}
shared_metrics.share(_folder / "metrics", 2 * WORKERS)
data_plane = import_module("gridgate.config.asgi").application

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
