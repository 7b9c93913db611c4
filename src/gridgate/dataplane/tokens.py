"""Access tokens: opaque, 32 random bytes, kept as their SHA-256, read back at every request.

The data plane reads the registry and does not write it, with this one exception: issuing a token inserts one
row of `applications_accesstoken`, revoking one sets its `revoked_at`. `TokenStore` has its own connection for
that, and no other statement in it.

Opaque tokens, because one that carries its own rights could not be taken back at the next request, and
because a look at the registry (20 µs) is cheaper than the check of a signature (100 µs).
"""

import hmac
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gridgate.dataplane.authz import sha256
from gridgate.dataplane.group_commit import GroupCommit
from gridgate.dataplane.registry.newest import require_newest
from gridgate.dataplane.registry.port import Application, CredentialRow, Registry, RegistryUnavailable
from gridgate.dataplane.sqlite_file import Stamp, fault_of, stamp

_TOKEN_BYTES = 32
_BUSY_SECONDS = 5.0
_ASKED_AGAIN_AFTER = 0.0005
_PAGES_AHEAD = 4000
"""Of the log of changes, until whoever asks for a token waits for them to be copied into the file: with the engine's
1,000 that is one group of fifty. Who writes besides, the worker above all, does it sooner. More than 4,096 would cost
readers.
"""
_NO_SECRET = "0" * 64


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token, in clear for the only time."""

    token: str
    expires_in: int
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The application that proved itself."""

    application: Application


@dataclass(frozen=True, slots=True)
class NotRecognised:
    """`known` is False when no active application has that name."""

    known: bool


def recognise(
    registry: Registry, *, client_id: str, client_secret: str, at: datetime
) -> Recognised | NotRecognised:
    """Check a client's secret against every secret of it that is valid at `at`, each compared in constant
    time.

    An application has several while one replaces another; an expired or revoked one is no longer among them.
    """
    row = registry.credential(client_id, at=at)
    given = sha256(client_secret)
    # No early end: neither the number of secrets nor the one that matches shows in the time taken.
    matches = [hmac.compare_digest(kept, given) for kept in (row.secrets if row else ()) or (_NO_SECRET,)]
    if isinstance(row, CredentialRow) and row.secrets and any(matches):
        return Recognised(row.application)
    return NotRecognised(known=row is not None)


@dataclass(frozen=True, slots=True)
class _Statement:
    """One row that is to be inserted or changed."""

    sql: str
    parameters: tuple[object, ...]


_ISSUE = (
    "INSERT INTO applications_accesstoken"
    " (token_sha256, application_id, issued_at, expires_at, revoked_at) VALUES (?, ?, ?, ?, NULL)"
)
_REVOKE = (
    "UPDATE applications_accesstoken SET revoked_at = ?"
    " WHERE token_sha256 = ? AND application_id = ? AND revoked_at IS NULL"
)


class TokenStore:
    """Inserts and revokes tokens. Safe to call from several tasks and threads; what they ask for together is one durable
    transaction, and each is answered when it is.

    `newest` as in `SqliteRegistry`: nothing is written into an older registry either.
    """

    def __init__(self, path: Path, *, newest: Path | None = None) -> None:
        self._path = path
        self._newest = newest
        self._lock = threading.Lock()
        self._opened: Stamp | None = None
        self._connection: sqlite3.Connection | None = None
        self._group = GroupCommit("tokens", self._write, closed=lambda: RegistryUnavailable("it is closed"))

    async def issue(self, application: Application, *, lifetime: int, at: datetime) -> IssuedToken:
        """Issue a token valid for `lifetime` seconds. Raises `RegistryUnavailable`."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now = int(at.timestamp())
        await self._group.durable(_Statement(_ISSUE, (sha256(token), application.id, now, now + lifetime)))
        return IssuedToken(token, lifetime)

    async def revoke(self, token: str, *, application: Application, at: datetime) -> bool:
        """Revoke a token of that application; False when it has none such. Raises `RegistryUnavailable`.

        A token of another application is left alone (RFC 7009, 2.1).
        """
        statement = _Statement(_REVOKE, (int(at.timestamp()), sha256(token), application.id))
        return await self._group.durable(statement) > 0

    def check(self) -> None:
        """Succeed when a token could be written: a number of the file is written as it stands, durably, since a
        transaction that is rolled back reaches no disk. Raises `RegistryUnavailable`.

        While another writes it waits for nothing: that one shows that the registry can be written.
        """
        with self._connected() as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                number = connection.execute("PRAGMA user_version").fetchone()[0]
                connection.execute(f"PRAGMA user_version = {number:d}")
                connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise

    def close(self) -> None:
        """Write what was asked for and stop. Nothing can be written afterwards."""
        self._group.close()
        with self._lock:
            self._close()

    def _write(self, statements: Sequence[_Statement]) -> Sequence[int | Exception]:
        """How many rows each changed, or why it could not."""
        try:
            return self._write_together(statements)
        except _Refused as error:
            if len(statements) == 1:
                return [RegistryUnavailable(str(error))]
            # One row of them, or several: each by itself then, so that the others are written.
            return [outcome for one in statements for outcome in self._write([one])]
        except RegistryUnavailable as error:
            return [error] * len(statements)

    def _write_together(self, statements: Sequence[_Statement]) -> Sequence[int]:
        with self._connected() as connection:
            _begin(connection)
            try:
                changed = [connection.execute(one.sql, one.parameters).rowcount for one in statements]
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.IntegrityError):
                    raise _Refused(str(error)) from error
                raise
        return changed

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one at a time; after a failure another next time."""
        with self._lock:
            there = stamp(str(self._path))
            if there != self._opened:
                self._close()
            try:
                if self._connection is None:
                    self._connection = self._open()
                    self._opened = there
                yield self._connection
            except sqlite3.Error as error:
                self._close()
                raise RegistryUnavailable(str(error)) from error

    def _open(self) -> sqlite3.Connection:
        if fault := fault_of(self._path):
            raise RegistryUnavailable(fault)
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=rw",
            uri=True,
            # To open it: another process that closes it looks for a moment whether it is the last, and keeps others out.
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA foreign_keys = 1")
            # A revocation that was acknowledged must survive a power cut.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_AHEAD}")
            require_newest(connection, self._newest)
            connection.execute("PRAGMA busy_timeout = 0")
        except Exception:
            connection.close()
            raise
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = self._opened = None


class _Refused(Exception):
    """A row breaks a rule of the tables: of an application that is gone, say."""


def _begin(connection: sqlite3.Connection) -> None:
    """Take the write lock, which others hold for moments. The engine's own waiting sleeps longer each time, up to a
    tenth of a second, and lets whoever came later go first.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(_ASKED_AGAIN_AFTER)
        else:
            return


def _is_busy(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
