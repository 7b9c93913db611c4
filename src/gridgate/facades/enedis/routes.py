"""The paths of Data Connect under `/enedis`: the token endpoint and the five metering resources (v5)."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from starlette.routing import Route
from starlette.types import Scope

from gridgate.core.sharing import Wanted
from gridgate.core.time import Interval, civil_day_of
from gridgate.dataplane.http.facade import Direct, header
from gridgate.dataplane.http.plane import DataPlane
from gridgate.dataplane.http.token_endpoint import revocation_endpoint, token_endpoint
from gridgate.dataplane.reading.window import Window
from gridgate.facades.enedis import catalogue, tokens, wire
from gridgate.facades.enedis.judging import judged, midnight_of
from gridgate.facades.enedis.readings import read
from gridgate.facades.enedis.texts import DayTexts

NAME: Final = "enedis"
PREFIXES: Final = ("/enedis/",)

_JSON: Final = ((b"content-type", b"application/json"),)
_CHANNEL: Final = f"api:{NAME}"


def routes(plane: DataPlane) -> list[Route]:
    texts = DayTexts()
    return [
        *(Route(f"/enedis{r.path}", _metering(plane, r, texts), methods=["GET"]) for r in wire.RESOURCES),
        Route("/enedis/oauth2/v3/token", token_endpoint(plane, tokens), methods=["POST"]),
        Route("/enedis/oauth2/v3/revoke", revocation_endpoint(plane, tokens), methods=["POST"]),
    ]


def _metering(plane: DataPlane, resource: wire.Resource, texts: DayTexts) -> Direct:
    judge = partial(judged, zone=plane.zone)
    write = partial(read, texts=texts, zone=plane.zone)

    async def metering(scope: Scope) -> tuple[bytes, Sequence[tuple[bytes, bytes]]]:
        at = plane.clock()
        authorization = header(scope, b"authorization")
        today = civil_day_of(at, plane.zone)
        try:
            query = wire.decode_query(scope["query_string"], resource, today=today)
        except catalogue.EnedisError:
            # The gateway stands before the service: without a good token, nothing is said of the parameters.
            plane.authenticate(authorization, api=NAME, metering_point="", at=at)
            raise
        caller = plane.authenticate(authorization, api=NAME, metering_point=query.usage_point_id, at=at)
        past = query.start < query.end
        period = Interval(
            midnight_of(query.start, plane.zone),
            midnight_of(query.end if past else query.asked_end, plane.zone),
        )
        wanted = Wanted(query.usage_point_id, resource.kind, resource.direction, period, at)
        found = await plane.read(caller, wanted, _CHANNEL, judge=judge, write=write if past else _nothing)
        if not found.encoded:
            raise catalogue.no_data()
        body = wire.encode(
            resource,
            usage_point_id=query.usage_point_id,
            start=query.start,
            end=query.end,
            readings=found.encoded,
        )
        return body, _JSON

    return Direct(metering)


def _nothing(window: Window) -> wire.Readings:
    """Of days that have not been yet."""
    return wire.Readings()
