"""What the routes of a process share: one way to read, callers, tokens, and the clock."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic

from prometheus_client import Counter
from starlette.concurrency import run_in_threadpool

from gridgate.core.errors import GridgateError
from gridgate.core.quantities import Kind
from gridgate.core.sharing import Wanted
from gridgate.dataplane.accesslog import AccessLog
from gridgate.dataplane.accesslog.entry import GRANTED, AccessEntry
from gridgate.dataplane.authz import Caller, authenticate, bearer
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.http.metrics import READS
from gridgate.dataplane.http.request_log import RequestLog
from gridgate.dataplane.http.shared_metrics import write_changes
from gridgate.dataplane.http.sums import Among, Check, Summed, SumReader
from gridgate.dataplane.reading.reader import Reader
from gridgate.dataplane.reading.sealed import Judge, Sealed, W, take
from gridgate.dataplane.reading.window import Window
from gridgate.dataplane.registry.newest import NEWEST
from gridgate.dataplane.registry.opening import open_registry
from gridgate.dataplane.registry.port import Access, Application, Perimeter
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import MeasurementStore, SeriesInfo
from gridgate.dataplane.summing import SumAsked
from gridgate.dataplane.tokens import TokenStore

PROBE_SECONDS = 1.0
"""How long what was seen to work, or not to, is told to those who ask again."""

_LONG = timedelta(days=32)
"""What is read in a thread."""
_LONG_OF_A_CURVE = timedelta(days=367)
"""Of a load curve a year is read and written in about a millisecond, less than a thread keeps others waiting for."""

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    return datetime.now(UTC)


class DataPlane:
    """One per process. Files are opened at first use, so that it may be made before a server forks its
    workers.

    The registry and the store are used on the event loop: what they do takes less than handing it to a thread. No façade
    reaches the store or the log: it gets what was logged.
    """

    def __init__(self, config: DataPlaneConfig, *, clock: Clock = system_clock) -> None:
        self.config = config
        self.clock = clock
        self.zone = config.zone
        self.registry = open_registry(config)
        self.tokens = TokenStore(config.registry, newest=config.access_log / NEWEST)
        self._log = AccessLog(config.access_log, config.process, started_at=clock())
        self._sums = SumReader(config)

        self.requests = RequestLog() if config.request_log else None
        self._store: MeasurementStore | None = None
        self._counters: dict[tuple[str, str], Counter] = {}
        self._looked: asyncio.Task[list[str]] | None = None
        self._looked_at = 0.0

    def _opened(self) -> MeasurementStore:
        """The measurements. Raises `StoreUnavailable`."""
        if self._store is None:
            self._store = open_store(self.config.measurements, read_only=True, zone=self.zone)
        return self._store

    def authenticate(
        self, authorization: str | None, *, api: str, metering_point: str, at: datetime
    ) -> Caller:
        """Resolve a request's `Authorization` header. Raises as `authz.authenticate` does."""
        token = bearer(authorization)
        return authenticate(self.registry, token, api=api, metering_point=metering_point, at=at)

    async def read(
        self,
        caller: Caller,
        wanted: Wanted,
        channel: str,
        *,
        judge: Judge[W],
        write: Callable[[Window], W],
    ) -> W:
        """Decide, read, log, and only then give what was written of it: long periods are read in a thread, so that they
        do not hold up those who ask for a week.

        Raises what `judge` says a refused caller is told, `StoreUnavailable`, `AccessLogUnavailable`.
        """
        taking = partial(self._take, caller, wanted, channel, judge, write)
        sealed = await run_in_threadpool(taking) if is_long(wanted) else taking()
        if lines := sealed.lines:
            await self._log.durable(*lines)
            self._counter(channel, lines[0].outcome).inc()
        return sealed.open()

    def _take(
        self, caller: Caller, wanted: Wanted, channel: str, judge: Judge[W], write: Callable[[Window], W]
    ) -> Sealed[AccessEntry, W]:
        reader = _reader_of(caller.application)
        return take(
            self._opened, reader, caller.access, wanted, channel, judge=judge, write=write, zone=self.zone
        )

    async def add_up(
        self,
        caller_at: Callable[[datetime], Caller],
        asked: SumAsked,
        among: Among,
        channel: str,
        *,
        check: Check,
    ) -> Summed:
        """The same of many points, added up. The caller is asked for when it has its turn: what ended while others had
        theirs has ended.

        Raises what `caller_at` and `check` do, `RegistryUnavailable`, `StoreUnavailable`, `AccessLogUnavailable`.
        """
        async with self._sums.turn:
            at = self.clock()
            application = caller_at(at).application
            sealed = await run_in_threadpool(
                partial(
                    self._sums.take,
                    application,
                    _reader_of(application),
                    asked,
                    among,
                    channel,
                    at=at,
                    check=check,
                )
            )
            await self._log.durable(*sealed.lines)
        found = sealed.open()
        self._counter(channel, GRANTED).inc(len(found.points))
        return found

    def secret_key(self) -> str:
        """By which rows are named outside (`handles`)."""
        return self.config.secret_key()

    def _counter(self, channel: str, outcome: str) -> Counter:
        counter = self._counters.get((channel, outcome))
        if counter is None:
            counter = self._counters[channel, outcome] = READS.labels(channel, outcome)
        return counter

    def points(self, caller: Caller, *, after: str, limit: int, at: datetime) -> list[Access]:
        """The points within the caller's reach, following `after`; no measurements, so not logged."""
        return self.registry.points(caller.application, after=after, limit=limit, at=at)

    def perimeters(self, caller: Caller, *, at: datetime) -> list[Perimeter]:
        """Those that the caller may name."""
        return self.registry.perimeters(caller.application, at=at)

    def series(self, caller: Caller, *, at: datetime) -> list[SeriesInfo]:
        """What is held of the point that the caller names, if they may be told facts about it; not its values, so not
        logged. Raises `StoreUnavailable`.
        """
        point = caller.access.point
        return self._opened().series([point.id]) if point and caller.access.valid(at) else []

    async def faults(self) -> list[str]:
        """What keeps this process from answering; empty when it is ready.

        It is tried, not looked up: a line is logged and the registry is written. So that it costs no more than that
        however many ask, they are told together.
        """
        if self._looked is None or (self._looked.done() and monotonic() - self._looked_at >= PROBE_SECONDS):
            self._looked, self._looked_at = asyncio.ensure_future(self._look()), monotonic()
        return await asyncio.shield(self._looked)

    async def _look(self) -> list[str]:
        found = []
        for check in (self.registry.check, lambda: self._opened().series([])):
            try:
                check()
            except GridgateError as error:
                found.append(error.message)
        for attempt in (self._log.probe(self.clock()), run_in_threadpool(self.tokens.check)):
            try:
                await attempt
            except GridgateError as error:
                found.append(error.message)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        if self.requests is not None:
            self.requests.flush()
        write_changes()
        self._log.close()
        self.registry.close()
        self.tokens.close()
        self._sums.close()
        if self._store is not None:
            self._store.close()
            self._store = None


def is_long(wanted: Wanted) -> bool:
    """Whether it is read and written in a thread."""
    end = wanted.period.end
    long = _LONG_OF_A_CURVE if wanted.kind is Kind.LOAD_CURVE else _LONG
    return end is None or end - wanted.period.start >= long


def _reader_of(application: Application) -> Reader:
    """The caller as the access log names it."""
    return Reader(application.organisation, application.organisation_name, application=application.client_id)
