"""One port on one machine: the data plane's paths go to the data plane, everything else to Django.

In production the planes run apart behind nginx, which routes by the same prefixes (`deploy/nginx`).
"""

import gc
import os

from a2wsgi import WSGIMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gridgate.config.connections import STALLED_SECONDS, give_up_stalled_readers
from gridgate.config.environment import Environment, read_environment
from gridgate.config.http_limits import Hosts, HttpLimits, Limits, Side
from gridgate.config.portal_threads import in_threads
from gridgate.config.private import keep_private
from gridgate.core.errors import GridgateError
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.http.app import create_app, rendering
from gridgate.dataplane.http.guard import HEADERS, LARGEST_BODY, LONGEST_QUERY
from gridgate.dataplane.http.shared_metrics import shared_directory
from gridgate.dataplane.registry.newest import NEWEST
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
        metrics_directory=shared_directory(),
        behind_proxy=environment.behind_proxy,
        request_log=environment.request_log,
        secret_key=lambda: environment.signing_secret,
    )


def data_side(environment: Environment) -> Side:
    async def refuse(scope: Scope, error: GridgateError) -> Response:
        return rendering(FACADES, scope["path"])(error)

    return Side(
        app=create_app(data_plane_config(environment, "web"), FACADES),
        refuse=refuse,
        headers={**HEADERS, "cache-control": "no-store"},
        largest=lambda path: LARGEST_BODY,
        longest=2 * LONGEST_QUERY,
    )


def portal_side(environment: Environment) -> Side:
    from django.core.wsgi import get_wsgi_application

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gridgate.config.settings")
    django = get_wsgi_application()
    from gridgate.config.registry_engine.base import open_the_newest_only
    from gridgate.portal.guards.uploads import largest_body
    from gridgate.portal.refusals import before_pages

    open_the_newest_only(environment.access_log / NEWEST)

    return Side(
        app=in_threads(WSGIMiddleware(django, workers=PORTAL_THREADS)),
        refuse=before_pages.refuse,
        headers=before_pages.HEADERS,
        largest=lambda path: largest_body(path, environment.attachment_megabytes),
        longest=8 * 1024,
    )


def compose(environment: Environment) -> ASGIApp:
    """The application of the planes that the environment asks for."""
    limits = HttpLimits(
        data=data_side(environment),
        portal=None if environment.plane == "data" else portal_side(environment),
        is_data=lambda path: path.startswith(DATA_PLANE),
        hosts=Hosts(environment.hosts),
        behind_proxy=environment.behind_proxy,
        secure=environment.secure,
        limits=Limits(stalled=STALLED_SECONDS),
    )

    told = False

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal told
        if scope["type"] == "http" and not told:
            # Granian listens only after the application has started.
            told = True
            give_up_stalled_readers()
        await limits(scope, receive, send)

    return application


def collect_seldom() -> None:
    """Look for garbage among what requests made, not among what was loaded, which stays; and not at every few requests,
    of which each holds hundreds of objects for a moment.

    Of a portal's process, all that was loaded takes 50 ms to look through, in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


keep_private()
application = compose(read_environment())
collect_seldom()
