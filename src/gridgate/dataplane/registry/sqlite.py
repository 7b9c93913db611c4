"""The registry as the data plane sees it: read-only, one statement per request, nothing remembered between
two.

A permission ends in the registry by one commit. A statement that starts after that commit sees it, whatever
the process, since nothing here is cached: that is the whole of "the very next request is refused". Whatever
prevents the statement from being answered (no file, no table, a lock held too long) is `RegistryUnavailable`:
no projection, no answer.
"""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from json import dumps
from operator import itemgetter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gridgate.core.sharing import AccessLine
from gridgate.dataplane.registry.newest import require_newest
from gridgate.dataplane.registry.port import (
    Access,
    Application,
    CredentialRow,
    Perimeter,
    RegistryUnavailable,
    TokenRow,
)
from gridgate.dataplane.registry.rows import lines_of, lines_of_each, point_of, titles_first
from gridgate.dataplane.registry.statements import (
    ACCESS,
    ACCESSES,
    CHECK,
    CREDENTIAL,
    LINE_AT,
    LINES,
    PERIMETERS,
    POINT_AT,
    POINTS,
    REACH,
    REACH_AT,
    REACH_WITHIN,
    TOKEN,
)
from gridgate.dataplane.sqlite_file import Stamp, fault_of, stamp

BUSY_SECONDS = 0.25
"""How long a statement waits for a lock: readers of a WAL database meet one only while it is being recovered.
"""


class SqliteRegistry:
    """The registry in an SQLite file. One instance belongs to one thread, or to whoever holds its owner's
    lock.

    `newest` is a file that names the newest change of rights that was answered. A registry that lacks it, put in the
    place of the one that was served, is not read.
    """

    def __init__(self, path: Path, *, zone: ZoneInfo, newest: Path | None = None) -> None:
        self._path = path
        self._newest = newest
        self._zone = zone
        self._file = str(path)
        self._opened: Stamp | None = None
        self._connection: sqlite3.Connection | None = None

    def token(self, token_sha256: str, *, api: str, metering_point: str, at: datetime) -> TokenRow | None:
        rows = self._all(
            TOKEN,
            {
                "token": token_sha256,
                "api": api,
                "point": metering_point,
                "today": self._today(at),
                "instant": stored_instant(at),
            },
        )
        if not rows:
            return None
        first = rows[0]
        return TokenRow(
            expires_at=first[0],
            revoked_at=first[1],
            active=bool(first[2]),
            subscribed=bool(first[3]),
            application=Application(first[4], first[5], first[6], first[7]),
            access=Access(point_of([row[POINT_AT:] for row in rows], at), lines_of(rows, LINE_AT)),
        )

    def access(self, reader: int, metering_point: str, *, at: datetime) -> Access:
        rows = self._all(ACCESS, {"reader": reader, "point": metering_point, "today": self._today(at)})
        return Access(point_of(rows, at), lines_of(rows, LINE_AT - POINT_AT)) if rows else Access(None, ())

    def lines(self, reader: int, metering_points: Sequence[str]) -> dict[str, tuple[AccessLine, ...]]:
        return lines_of_each(self._all(LINES, (dumps(metering_points), reader)), order=itemgetter(0))

    def accesses(
        self, application: Application, metering_points: Sequence[str], *, at: datetime
    ) -> dict[str, Access]:
        parameters = {
            "points": dumps(metering_points),
            "application": application.id,
            "reader": application.organisation,
            "today": self._today(at),
            "instant": stored_instant(at),
        }
        return self._accesses(ACCESSES, parameters, at)

    def reach(
        self,
        application: Application,
        *,
        at: datetime,
        site: str | None = None,
        perimeter: int | None = None,
    ) -> dict[str, tuple[AccessLine, ...]]:
        parameters: dict[str, Any] = {
            "application": application.id,
            "now": int(at.timestamp()),
            "instant": stored_instant(at),
        }
        statement = REACH
        if site is not None:
            statement = REACH_AT
            parameters |= {"site": site, "today": self._today(at)}
        elif perimeter is not None:
            statement = REACH_WITHIN
            parameters |= {"perimeter": perimeter}
        lines = lines_of_each(self._all(statement, parameters), order=titles_first)
        return {point: lines[point] for point in sorted(lines)}

    def perimeters(self, application: Application, *, at: datetime) -> list[Perimeter]:
        rows = self._all(PERIMETERS, {"application": application.id, "instant": stored_instant(at)})
        return [Perimeter(group, name) for group, name in rows]

    def points(self, application: Application, *, after: str, limit: int, at: datetime) -> list[Access]:
        parameters = {
            "application": application.id,
            "reader": application.organisation,
            "after": after,
            "limit": limit,
            "now": int(at.timestamp()),
            "today": self._today(at),
            "instant": stored_instant(at),
        }
        return list(self._accesses(POINTS, parameters, at).values())

    def credential(self, client_id: str, *, at: datetime) -> CredentialRow | None:
        rows = self._all(CREDENTIAL, {"client_id": client_id, "now": stored_instant(at)})
        if not rows:
            return None
        first = rows[0]
        return CredentialRow(
            Application(first[0], first[1], first[2], first[3]),
            tuple(row[4] for row in rows if row[4] is not None),
        )

    def check(self) -> None:
        self.close()  # what a connection remembers proves nothing of the file
        self._all(CHECK, ())

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = self._opened = None

    def _accesses(self, statement: str, parameters: dict[str, Any], at: datetime) -> dict[str, Access]:
        of_point: dict[str, list[tuple[Any, ...]]] = {}
        for row in self._all(statement, parameters):
            of_point.setdefault(row[0], []).append(row)
        return {
            point: Access(point_of(rows, at), lines_of(rows, LINE_AT - POINT_AT))
            for point, rows in of_point.items()
        }

    def _today(self, at: datetime) -> str:
        return at.astimezone(self._zone).date().isoformat()

    def _all(self, statement: str, parameters: dict[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
        there = stamp(self._file)
        if there != self._opened:  # another file, or written to: what is remembered of it may be over
            self.close()
        try:
            if self._connection is None:
                self._connection = connect_read_only(self._path)
                require_newest(self._connection, self._newest)
                self._opened = there
            return self._connection.execute(statement, parameters).fetchall()
        except RegistryUnavailable:
            self.close()
            raise
        except sqlite3.Error as error:
            # A new connection next time: the file may have been put back in place meanwhile.
            self.close()
            raise RegistryUnavailable(str(error)) from error


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open an SQLite file that must exist, refusing every write on this connection. Raises `RegistryUnavailable`."""
    if fault := fault_of(path):
        raise RegistryUnavailable(fault)
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA query_only = 1")
    return connection


def stored_instant(at: datetime) -> str:
    """An instant as the portal plane's tables write it in SQLite: text, UTC, comparable as text."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
