"""The application: every façade's routes, each behind its guard."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.http import operations
from gridgate.dataplane.http.facade import Direct, Facade, NotRouted
from gridgate.dataplane.http.guard import (
    HEADERS,
    LARGEST_BODY,
    Guard,
    Render,
    RequestTooLarge,
    defect_logger,
)
from gridgate.dataplane.http.plane import Clock, DataPlane, system_clock


class DataApp(Starlette):
    """The framework's application, which is not asked where it is known beforehand what it would say.

    What is asked thousands of times a second goes from its path to its guard: routes whose endpoint is an application
    itself (`facade.Direct`). Another method, another path, and everything else goes through the router.
    """

    def __init__(self, *, routes: Sequence[BaseRoute], **more: Any) -> None:
        super().__init__(routes=routes, **more)
        direct = [r for r in routes if isinstance(r, Route) and isinstance(r.endpoint, Direct)]
        self._by_path = {route.path: route for route in direct if not route.param_convertors}
        self._by_pattern = [route for route in direct if route.param_convertors]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            route, parameters = self._by_path.get(path), {}
            for other in self._by_pattern if route is None else ():
                if found := other.path_regex.match(path):
                    route, parameters = other, found.groupdict()
            if route is not None and scope["method"] in (route.methods or ()):
                scope["path_params"] = parameters
                await route.app(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


def create_app(config: DataPlaneConfig, facades: Sequence[Facade], *, clock: Clock = system_clock) -> DataApp:
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

    app = DataApp(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: not_routed})
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
