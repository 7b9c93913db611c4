"""The paths of the native API, and of the token endpoint that its clients use."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from importlib.resources import files
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from gridgate.core.sharing import Wanted
from gridgate.dataplane.authz import Caller
from gridgate.dataplane.handles import handle_of
from gridgate.dataplane.http.facade import Direct, header
from gridgate.dataplane.http.oauth import in_oauth_words
from gridgate.dataplane.http.plane import DataPlane, is_long
from gridgate.dataplane.http.token_endpoint import Endpoint, revocation_endpoint, token_endpoint
from gridgate.dataplane.reading.window import Window
from gridgate.facades.native import aggregates, problems, tokens
from gridgate.facades.native.judging import judged, unreadable
from gridgate.facades.native.reasons import CHANNEL, NAME
from gridgate.facades.native.wire import answers, media, queries

PREFIXES: Final = ("/api/", "/oauth2/")

_HEADERS: Final = {
    media.MediaType.JSON: ((b"vary", b"Accept"), (b"content-type", b"application/json")),
    media.MediaType.CSV: ((b"vary", b"Accept"), (b"content-type", b"text/csv; charset=utf-8")),
}
_ROOT: Final = "/api/v1/metering-points"


def routes(plane: DataPlane) -> list[Route]:
    return [
        Route(f"{_ROOT}/{{point}}/measurements", _measurements(plane), methods=["GET"]),
        Route(f"{_ROOT}/{{point}}", _point(plane), methods=["GET"]),
        Route(_ROOT, _points(plane), methods=["GET"]),
        Route("/api/v1/perimeters", _perimeters(plane), methods=["GET"]),
        Route("/api/v1/aggregates", aggregates.endpoint(plane, _caller), methods=["GET"]),
        Route("/oauth2/token", in_oauth_words(token_endpoint(plane, tokens)), methods=["POST"]),
        Route("/oauth2/revoke", in_oauth_words(revocation_endpoint(plane, tokens)), methods=["POST"]),
        Route("/api/v1/openapi.json", _openapi(), methods=["GET"]),
    ]


def _measurements(plane: DataPlane) -> Direct:
    async def measurements(scope: Scope) -> tuple[bytes, Sequence[tuple[bytes, bytes]]]:
        at, point = plane.clock(), scope["path_params"]["point"]
        caller = plane.authenticate(header(scope, b"authorization"), api=NAME, metering_point=point, at=at)
        query = queries.decode_measurements_query(scope["query_string"], zone=plane.zone)
        form = media.preferred(header(scope, b"accept"))
        if form is None:
            raise problems.not_acceptable()
        wanted = Wanted(point, query.kind, query.direction, query.period, at, query.resolution, query.as_of)
        found = await plane.read(caller, wanted, CHANNEL, judge=judged, write=Window.answer)
        encode = partial(answers.encode_answer, found, form, zone=plane.zone)
        apart = is_long(wanted) or form is media.MediaType.CSV
        return await run_in_threadpool(encode) if apart else encode(), _HEADERS[form]

    return Direct(measurements)


def _points(plane: DataPlane) -> Endpoint:
    async def metering_points(request: Request) -> Response:
        at = plane.clock()
        caller = _caller(plane, request, "", at)
        query = queries.decode_page_query(request.scope["query_string"])
        # One more than asked, to know whether there is a next page.
        found = plane.points(caller, after=query.after, limit=query.limit + 1, at=at)
        page, more = found[: query.limit], len(found) > query.limit
        last = page[-1].point if page else None
        next_path = (
            f"{_ROOT}?cursor={queries.cursor_after(last.id)}&limit={query.limit}" if more and last else None
        )
        return _json(answers.encode_page(page, next_path=next_path))

    return metering_points


def _point(plane: DataPlane) -> Endpoint:
    async def metering_point(request: Request) -> Response:
        at, point = plane.clock(), request.path_params["point"]
        caller = _caller(plane, request, point, at)
        known, lines = caller.access.point, caller.access.valid(at)
        if known is None or not lines:
            raise unreadable(caller.access)
        return _json(answers.encode_point(known, lines, plane.series(caller, at=at), zone=plane.zone))

    return metering_point


def _perimeters(plane: DataPlane) -> Endpoint:
    async def perimeters(request: Request) -> Response:
        at = plane.clock()
        found = plane.perimeters(_caller(plane, request, "", at), at=at)
        secret = plane.secret_key()
        named = [(handle_of("group", one.group, secret=secret), one.name) for one in found]
        return _json(answers.encode_perimeters(named))

    return perimeters


def _caller(plane: DataPlane, request: Request, point: str, at: datetime) -> Caller:
    authorization = request.headers.get("authorization")
    return plane.authenticate(authorization, api=NAME, metering_point=point, at=at)


def _openapi() -> Endpoint:
    document = files("gridgate.facades.native").joinpath("openapi.json").read_bytes()

    async def openapi(request: Request) -> Response:
        return Response(
            document, headers={"Cache-Control": "public, max-age=3600"}, media_type="application/json"
        )

    return openapi


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
