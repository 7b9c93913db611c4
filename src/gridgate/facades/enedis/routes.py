"""The paths of Data Connect under `/enedis`: the token endpoint and the five metering resources (v5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from starlette.routing import Route
from starlette.types import Scope

from gridgate.core.sharing import AccessLine, Basis, Granted, RefusalReason, Refused, Wanted
from gridgate.core.time import Interval, civil_day_of
from gridgate.dataplane.authz import Caller, authorise, is_valid
from gridgate.dataplane.http.facade import Direct, header
from gridgate.dataplane.http.plane import DataPlane, reader_of
from gridgate.dataplane.http.token_endpoint import revocation_endpoint, token_endpoint
from gridgate.dataplane.query.days import instant, midnight
from gridgate.facades.enedis import catalogue, tokens, wire
from gridgate.facades.enedis.readings import read
from gridgate.facades.enedis.texts import DayTexts

NAME: Final = "enedis"
PREFIXES: Final = ("/enedis/",)

_JSON: Final = ((b"content-type", b"application/json"),)
_CHANNEL: Final = f"api:{NAME}"
_HOUR: Final = 3600


def routes(plane: DataPlane) -> list[Route]:
    texts = DayTexts()
    return [
        *(Route(f"/enedis{r.path}", _metering(plane, r, texts), methods=["GET"]) for r in wire.RESOURCES),
        Route("/enedis/oauth2/v3/token", token_endpoint(plane, tokens), methods=["POST"]),
        Route("/enedis/oauth2/v3/revoke", revocation_endpoint(plane, tokens), methods=["POST"]),
    ]


def _metering(plane: DataPlane, resource: wire.Resource, texts: DayTexts) -> Direct:
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
        return await _answer(plane, resource, query, caller, at, texts), _JSON

    return Direct(metering)


async def _answer(
    plane: DataPlane,
    resource: wire.Resource,
    query: wire.Query,
    caller: Caller,
    at: datetime,
    texts: DayTexts,
) -> bytes:
    """Decide, read, log, and only then answer. Raises `EnedisError`, that too after logging."""
    past = query.start < query.end
    period = Interval(
        _midnight(query.start, plane.zone), _midnight(query.end if past else query.asked_end, plane.zone)
    )
    wanted = Wanted(query.usage_point_id, resource.kind, resource.direction, period, at)
    verdict = _judge(resource, wanted, caller, plane.zone)
    if isinstance(verdict, _Denied):
        await plane.record(wanted, verdict.outcome, reader_of(caller), _CHANNEL, caller.point)
        raise verdict.error
    parts = verdict.parts if past else ()
    found, counts = wire.Readings(), []
    for part in parts:
        of_part = read(plane.store, wanted, part, texts=texts, zone=plane.zone)
        counts.append(of_part.count)
        found.extend(of_part)
    await plane.record(wanted, verdict, reader_of(caller), _CHANNEL, caller.point, counts=counts)
    if not found.count:
        raise catalogue.no_data()
    return wire.encode(
        resource,
        usage_point_id=query.usage_point_id,
        start=query.start,
        end=query.end,
        readings=found.encoded,
    )


@dataclass(frozen=True, slots=True)
class _Denied:
    """What the access log says, and what the caller is told."""

    outcome: Refused | str
    error: catalogue.EnedisError


def _judge(resource: wire.Resource, wanted: Wanted, caller: Caller, zone: ZoneInfo) -> Granted | _Denied:
    """The decision in the dialect's words.

    To a caller without a valid line on it, a point that exists and one that does not are the same: whatever
    is a fact about the point (direction, activation, collection) is looked at only once there is one. Whoever had
    one is told that its holder left the point, whatever period is asked for.
    """
    verdict = authorise(caller, wanted)
    point = caller.point
    if point is None or not caller.knows_point(wanted.at):
        refused = verdict if isinstance(verdict, Refused) else Refused(RefusalReason.NO_PERMISSION)
        left = refused.reason is RefusalReason.HOLDER_LEFT
        return _Denied(refused, catalogue.moved_out() if left else catalogue.no_consent())
    if not point.directions & wanted.direction.bit:
        return _Denied("direction_absent", catalogue.wrong_direction())
    if isinstance(verdict, Refused) and verdict.reason not in _ABOUT_THE_PERIOD:
        return _Denied(verdict, catalogue.no_consent())
    if wanted.period.start < _midnight(point.activated_on, zone):
        return _Denied("before_activation", catalogue.before_activation())
    if isinstance(verdict, Refused):
        return _Denied(verdict, _about_the_period(verdict.reason, caller, wanted.at))
    if resource.is_curve:
        if point.collection == "opposed":
            return _Denied("collection_opposed", catalogue.collection_opposed())
        by_the_hour = _no_coarser_than_an_hour(verdict)
        if by_the_hour is None:
            # The lines allow daily values only, and this interface has no step of a day.
            return _Denied(RefusalReason.RESOLUTION_TOO_FINE.value, catalogue.no_consent())
        verdict = by_the_hour
    first = verdict.parts[0]
    if wanted.period.start < first.readable.start:
        return _Denied(RefusalReason.BEFORE_HISTORY.value, _too_early(first.line))
    return verdict


def _no_coarser_than_an_hour(granted: Granted) -> Granted | None:
    kept = [part for part in granted.parts if part.line.finest_resolution <= _HOUR]
    return Granted(kept[0].line, kept[0].readable, tuple(kept[1:])) if kept else None


_ABOUT_THE_PERIOD: Final = (
    RefusalReason.BEFORE_HISTORY,
    RefusalReason.AFTER_TITLE,
    RefusalReason.BETWEEN_TITLES,
)


def _about_the_period(reason: RefusalReason, caller: Caller, at: datetime) -> catalogue.EnedisError:
    """Whoever left the point and came back holds it: what lies between is before its present time."""
    if reason is RefusalReason.AFTER_TITLE:
        return catalogue.moved_out()
    return _too_early(
        max((line for line in caller.lines if is_valid(line, at)), key=lambda line: line.data_from)
    )


def _too_early(line: AccessLine) -> catalogue.EnedisError:
    return catalogue.not_the_holder_then() if line.basis is Basis.TITLE else catalogue.before_consent()


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return instant(midnight(day, zone))
