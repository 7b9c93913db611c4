"""The application: every façade's routes, each behind its guard."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.http import operations
from gridgate.dataplane.http.facade import Facade, NotRouted
from gridgate.dataplane.http.guard import (
    HEADERS,
    LARGEST_BODY,
    Guard,
    Render,
    RequestTooLarge,
    defect_logger,
)
from gridgate.dataplane.http.plane import Clock, DataPlane, system_clock


def create_app(
    config: DataPlaneConfig, facades: Sequence[Facade], *, clock: Clock = system_clock
) -> Starlette:
    """Build the data plane of one process. `clock` is read once a request; tests set it."""
    plane = DataPlane(config, clock=clock)
    logger = defect_logger()
    routes: list[BaseRoute] = []
    for facade in (*facades, operations):
        for route in facade.routes(plane):
            limited = RequestBodyLimitMiddleware(route.app, max_body_size=LARGEST_BODY)
            app = limited if route.methods and "POST" in route.methods else route.app
            route.app = Guard(
                app, facade=facade.NAME, render=facade.render, logger=logger, requests=plane.requests
            )
            routes.append(route)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        plane.close()

    async def not_routed(request: Request, error: Exception) -> Response:
        return _not_routed(request, error, facades)

    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: not_routed})
    # A redirect would be made of the request's own `Host`, and a 307 sends the client's secret after it.
    app.router.redirect_slashes = False
    app.state.plane = plane
    return app


def _not_routed(request: Request, error: Exception, facades: Sequence[Facade]) -> Response:
    """What the router refuses, in the words of the façade that the path belongs to."""
    assert isinstance(error, HTTPException)
    allow = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", "))) if error.headers else ""
    if allow and request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": allow, **HEADERS})
    refusal = (
        RequestTooLarge(f"the body is larger than {LARGEST_BODY} bytes", status=413)
        if error.status_code == 413
        else NotRouted(error.status_code, allow)
    )
    response = rendering(facades, request.url.path)(refusal)
    response.headers.update(HEADERS)
    if allow:
        response.headers["Allow"] = allow
    return response


def rendering(facades: Sequence[Facade], path: str) -> Render:
    """The words of the façade that a path belongs to."""
    return next((f.render for f in facades if path.startswith(tuple(f.PREFIXES))), operations.render)
