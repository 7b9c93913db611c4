"""The paths of the native API, and of the token endpoint that its clients use."""

from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from gridgate.core.quantities import Kind
from gridgate.core.sharing import AccessLine, RefusalReason, Refused, Wanted
from gridgate.core.time import Resolution
from gridgate.dataplane.authz import Caller, authorise, is_valid
from gridgate.dataplane.handles import handle_of
from gridgate.dataplane.http.facade import Direct, header
from gridgate.dataplane.http.oauth import in_oauth_words
from gridgate.dataplane.http.plane import DataPlane, reader_of
from gridgate.dataplane.http.token_endpoint import Endpoint, revocation_endpoint, token_endpoint
from gridgate.dataplane.reading.answering import answer, nothing_readable
from gridgate.facades.native import aggregates, problems, tokens
from gridgate.facades.native.reasons import CHANNEL, LONGEST_ID, NAME, is_about_the_period, why_nothing
from gridgate.facades.native.wire import answers, media, queries

PREFIXES: Final = ("/api/", "/oauth2/")

_HEADERS: Final = {
    media.MediaType.JSON: ((b"vary", b"Accept"), (b"content-type", b"application/json")),
    media.MediaType.CSV: ((b"vary", b"Accept"), (b"content-type", b"text/csv; charset=utf-8")),
}
_ROOT: Final = "/api/v1/metering-points"
_DAYS_ON_THE_LOOP: Final = 31
"""Longer periods are read in a thread, so that they do not hold up those who ask for a week."""
_DAYS_OF_CURVE_ON_THE_LOOP: Final = 366
"""Of a load curve a year is read and written in about a millisecond, less than a thread keeps others waiting for."""


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
        return await _read(plane, wanted, caller, form), _HEADERS[form]

    return Direct(measurements)


async def _read(plane: DataPlane, wanted: Wanted, caller: Caller, form: media.MediaType) -> bytes:
    """Decide, read, log, and only then answer. Raises `Problem`, that too after logging."""
    verdict, reader, point = authorise(caller, wanted), reader_of(caller), caller.point
    lines = [line for line in caller.lines if is_valid(line, wanted.at)]
    if point is None or not lines:
        if len(wanted.metering_point) <= LONGEST_ID:
            reason = verdict if isinstance(verdict, Refused) else Refused(RefusalReason.NO_PERMISSION)
            await plane.record(wanted, reason, reader, CHANNEL, point)
        raise _unreadable(caller)
    if isinstance(verdict, Refused):
        await plane.record(wanted, verdict, reader, CHANNEL, point)
        if is_about_the_period(verdict.reason):
            nothing = nothing_readable(wanted, why_nothing(verdict.reason, lines))
            return answers.encode_answer(nothing, form, zone=plane.zone)
        raise _problem_of(verdict.reason, wanted, lines)

    def read() -> tuple[list[int], bytes]:
        found = answer(plane.store, wanted, verdict, point=point, zone=plane.zone)
        return found.counts, answers.encode_answer(found, form, zone=plane.zone)

    apart = _is_long(wanted) or form is media.MediaType.CSV
    counts, body = await run_in_threadpool(read) if apart else read()
    await plane.record(wanted, verdict, reader, CHANNEL, point, counts=counts)
    return body


def _unreadable(caller: Caller) -> problems.Problem:
    """No line is valid. Whoever had one until its holder left the point is told so; to others nothing is there."""
    left = any(line.ended_by_move_out for line in caller.lines)
    return problems.holder_left() if left else problems.point_not_found()


def _problem_of(reason: RefusalReason, wanted: Wanted, lines: Sequence[AccessLine]) -> problems.Problem:
    """The caller has a valid line on the point, so it may know what that line covers."""
    if reason is RefusalReason.KIND_NOT_COVERED:
        return problems.kind_not_covered(wanted.kind.value, answers.covered_kinds(lines))
    of_kind = [line for line in lines if line.kinds & wanted.kind.bit]
    if reason is RefusalReason.DIRECTION_NOT_COVERED:
        return problems.direction_not_covered(wanted.direction.value, answers.covered_directions(of_kind))
    assert wanted.resolution is not None
    finest = min(line.finest_resolution for line in of_kind if line.directions & wanted.direction.bit)
    return problems.resolution_too_fine(wanted.resolution.iso, Resolution.of_seconds(finest).iso)


def _is_long(wanted: Wanted) -> bool:
    end = wanted.period.end
    most = _DAYS_OF_CURVE_ON_THE_LOOP if wanted.kind is Kind.LOAD_CURVE else _DAYS_ON_THE_LOOP
    return end is None or (end - wanted.period.start).days > most


def _points(plane: DataPlane) -> Endpoint:
    async def metering_points(request: Request) -> Response:
        at = plane.clock()
        caller = _caller(plane, request, "", at)
        query = queries.decode_page_query(request.scope["query_string"])
        # One more than asked, to know whether there is a next page.
        found = plane.registry.points(caller.application, after=query.after, limit=query.limit + 1, at=at)
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
        lines = [line for line in caller.lines if is_valid(line, at)]
        if caller.point is None or not lines:
            raise _unreadable(caller)
        series = plane.store.series([point])
        return _json(answers.encode_point(caller.point, lines, series, zone=plane.zone))

    return metering_point


def _perimeters(plane: DataPlane) -> Endpoint:
    async def perimeters(request: Request) -> Response:
        at = plane.clock()
        found = plane.registry.perimeters(_caller(plane, request, "", at).application, at=at)
        secret = plane.config.secret_key()
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
