"""For those who run it: `/healthz` (it lives), `/readyz` (it can answer), `/metrics`."""

import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gridgate.core.errors import GridgateError
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.http.metrics import exposition
from gridgate.dataplane.http.plane import DataPlane

NAME = "operations"
PREFIXES: tuple[str, ...] = ()

_LOOPBACK = ("127.0.0.1", "::1")


def routes(plane: DataPlane) -> list[Route]:
    async def healthz(request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(request: Request) -> Response:
        faults = await plane.faults()
        return JSONResponse({"ready": not faults, "faults": faults}, status_code=503 if faults else 200)

    async def metrics(request: Request) -> Response:
        if not _may_see_metrics(request, plane.config):
            return PlainTextResponse("Not Found\n", status_code=404)
        return Response(
            exposition(plane.config.metrics_directory),
            media_type="text/plain; version=0.0.4",
        )

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


def render(error: GridgateError) -> Response:
    return PlainTextResponse(f"{error}\n", status_code=getattr(error, "status", 500))


def _may_see_metrics(request: Request, config: DataPlaneConfig) -> bool:
    """With a token, who bears it; without one, this machine only.

    Behind a proxy every peer is this machine, so it must be a token.
    """
    if config.metrics_token:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {config.metrics_token}".encode())
    return not config.behind_proxy and request.client is not None and request.client.host in _LOOPBACK
