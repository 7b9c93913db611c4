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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gridgate.dataplane.authz import sha256
from gridgate.dataplane.registry import (
    Application,
    CredentialRow,
    Registry,
    RegistryUnavailable,
    require_newest,
)
from gridgate.dataplane.sqlite_file import Stamp, fault_of, stamp

_TOKEN_BYTES = 32
_BUSY_SECONDS = 5.0
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


class TokenStore:
    """Inserts and revokes tokens. Safe to call from several threads; every call is one durable transaction.

    `newest` as in `SqliteRegistry`: nothing is written into an older registry either.
    """

    def __init__(self, path: Path, *, newest: Path | None = None) -> None:
        self._path = path
        self._newest = newest
        self._lock = threading.Lock()
        self._opened: Stamp | None = None
        self._connection: sqlite3.Connection | None = None

    def issue(self, application: Application, *, lifetime: int, at: datetime) -> IssuedToken:
        """Issue a token valid for `lifetime` seconds. Raises `RegistryUnavailable`."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now = int(at.timestamp())
        self._write(
            "INSERT INTO applications_accesstoken"
            " (token_sha256, application_id, issued_at, expires_at, revoked_at) VALUES (?, ?, ?, ?, NULL)",
            (sha256(token), application.id, now, now + lifetime),
        )
        return IssuedToken(token, lifetime)

    def revoke(self, token: str, *, application: Application, at: datetime) -> bool:
        """Revoke a token of that application; False when it has none such. Raises `RegistryUnavailable`.

        A token of another application is left alone (RFC 7009, 2.1).
        """
        return self._write(
            "UPDATE applications_accesstoken SET revoked_at = ?"
            " WHERE token_sha256 = ? AND application_id = ? AND revoked_at IS NULL",
            (int(at.timestamp()), sha256(token), application.id),
        )

    def check(self) -> None:
        """Succeed when a token could be written: a number of the file is written as it stands, durably, since a
        transaction that is rolled back reaches no disk. Raises `RegistryUnavailable`.

        While another writes it waits for nothing: that one shows that the registry can be written.
        """
        with self._connected() as connection:
            connection.execute("PRAGMA busy_timeout = 0")
            try:
                connection.execute("BEGIN IMMEDIATE")
                number = connection.execute("PRAGMA user_version").fetchone()[0]
                connection.execute(f"PRAGMA user_version = {number:d}")
                connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
            finally:
                connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000:.0f}")

    def close(self) -> None:
        with self._lock:
            self._close()

    def _write(self, statement: str, parameters: tuple[object, ...]) -> bool:
        with self._connected() as connection:
            return connection.execute(statement, parameters).rowcount > 0

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
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA foreign_keys = 1")
        # A revocation that was acknowledged must survive a power cut.
        connection.execute("PRAGMA synchronous = FULL")
        try:
            require_newest(connection, self._newest)
        except Exception:
            connection.close()
            raise
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = self._opened = None
