"""What the routes of a process share: the registry, the tokens, the store, the access log, and the clock."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import monotonic

from starlette.concurrency import run_in_threadpool

from gridgate.core.errors import GridgateError
from gridgate.core.sharing import Granted, Refused, Wanted
from gridgate.dataplane.accesslog import AccessLog
from gridgate.dataplane.authz import Caller, authenticate, bearer
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.http.metrics import READS
from gridgate.dataplane.http.request_log import RequestLog
from gridgate.dataplane.http.shared_metrics import write_changes
from gridgate.dataplane.reading.log_lines import entries
from gridgate.dataplane.reading.reader import Reader
from gridgate.dataplane.registry.newest import NEWEST
from gridgate.dataplane.registry.port import PointFacts, Registry
from gridgate.dataplane.registry.sqlite import SqliteRegistry
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import MeasurementStore
from gridgate.dataplane.summing import SumReader
from gridgate.dataplane.tokens import TokenStore

PROBE_SECONDS = 1.0
"""How long what was seen to work, or not to, is told to those who ask again."""

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    return datetime.now(UTC)


class DataPlane:
    """One per process. Files are opened at first use, so that it may be made before a server forks its
    workers.

    `registry` and `store` are used on the event loop: what they do takes less than handing it to a thread.
    """

    def __init__(self, config: DataPlaneConfig, *, clock: Clock = system_clock) -> None:
        self.config = config
        self.clock = clock
        self.zone = config.zone
        self.registry: Registry = SqliteRegistry(
            config.registry, zone=config.zone, newest=config.access_log / NEWEST
        )
        self.tokens = TokenStore(config.registry, newest=config.access_log / NEWEST)
        self.log = AccessLog(config.access_log, config.process, started_at=clock())
        self.sums = SumReader(config)

        self.requests = RequestLog() if config.request_log else None
        self._store: MeasurementStore | None = None
        self._looked: asyncio.Task[list[str]] | None = None
        self._looked_at = 0.0

    @property
    def store(self) -> MeasurementStore:
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

    async def record(
        self,
        wanted: Wanted,
        verdict: Granted | Refused | str,
        reader: Reader,
        channel: str,
        point: PointFacts | None,
        *,
        counts: Sequence[int] = (),
    ) -> None:
        """Log a read, and return when its lines are durable: only then may it be answered. `counts` are the values of
        each part of what was granted.

        Raises `AccessLogUnavailable`.
        """
        lines = entries(reader, wanted, verdict, channel=channel, point=point, counts=counts)
        for line in lines:
            await self.log.durable(line)
        READS.labels(channel, lines[0].outcome).inc()

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
        for check in (self.registry.check, lambda: self.store.series([])):
            try:
                check()
            except GridgateError as error:
                found.append(error.message)
        for attempt in (self.log.probe(self.clock()), run_in_threadpool(self.tokens.check)):
            try:
                await attempt
            except GridgateError as error:
                found.append(error.message)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        if self.requests is not None:
            self.requests.flush()
        write_changes()
        self.log.close()
        self.registry.close()
        self.tokens.close()
        self.sums.close()
        if self._store is not None:
            self._store.close()
            self._store = None


def reader_of(caller: Caller) -> Reader:
    """The caller as the access log names it."""
    application = caller.application
    return Reader(application.organisation, application.organisation_name, application=application.client_id)
