"""One port on one machine: the data plane's paths go to the data plane, everything else to Django.

In production the planes run apart behind nginx, which routes by the same prefixes (`deploy/nginx`).
"""

import os

from a2wsgi import WSGIMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridgate.config.environment import Environment, read_environment
from gridgate.config.private import keep_private
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.http.app import create_app
from gridgate.facades import FACADES

DATA_PLANE = (
    "/healthz",
    "/readyz",
    "/metrics",
    *(prefix for facade in FACADES for prefix in facade.PREFIXES),
)
PORTAL_THREADS = 8


def data_plane_config(environment: Environment, process: str) -> DataPlaneConfig:
    return DataPlaneConfig(
        registry=environment.registry,
        measurements=environment.measurements,
        access_log=environment.access_log,
        zone=environment.zone,
        process=process,
        metrics_token=environment.metrics_token,
        metrics_directory=environment.metrics if "PROMETHEUS_MULTIPROC_DIR" in os.environ else None,
        behind_proxy=environment.behind_proxy,
        request_log=environment.request_log,
    )


def portal_plane() -> ASGIApp:
    from django.core.wsgi import get_wsgi_application

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gridgate.config.settings")
    django = WSGIMiddleware(get_wsgi_application(), workers=PORTAL_THREADS)

    async def portal(scope: Scope, receive: Receive, send: Send) -> None:
        # Granian's receive and send give awaitables that are no coroutines, which a2wsgi asks for.
        async def receiving() -> Message:
            return await receive()

        async def sending(message: Message) -> None:
            await send(message)

        await django(scope, receiving, sending)

    return portal


def compose(environment: Environment) -> ASGIApp:
    """The application of the planes that the environment asks for."""
    data = create_app(data_plane_config(environment, "web"), FACADES)
    if environment.plane == "data":
        return data
    portal = portal_plane()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        # Lifespan goes to the data plane, which opens its files there; Django has none.
        to_portal = scope["type"] == "http" and not scope["path"].startswith(DATA_PLANE)
        await (portal if to_portal else data)(scope, receive, send)

    return application


keep_private()
application = compose(read_environment())
