"""The registry as the data plane sees it: read-only, one statement per request, nothing remembered between
two.

A permission ends in the registry by one commit. A statement that starts after that commit sees it, whatever
the process, since nothing here is cached: that is the whole of "the very next request is refused". Whatever
prevents the statement from being answered (no file, no table, a lock held too long) is `RegistryUnavailable`:
no projection, no answer.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from json import dumps
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import orjson

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, bits
from gridgate.core.sharing import AccessLine, Basis
from gridgate.core.time import Interval, civil_day_bounds, civil_day_of
from gridgate.dataplane.sqlite_file import Stamp, fault_of, stamp

BUSY_SECONDS = 0.25
"""How long a statement waits for a lock: readers of a WAL database meet one only while it is being recovered.
"""


class RegistryUnavailable(GridgateError):
    """The registry cannot be read; nothing was decided, so nothing is answered."""

    def __init__(self, message: str, *, remedy: str = "Try again in a moment.") -> None:
        super().__init__(ErrorKind.UNAVAILABLE, f"the registry does not answer: {message}", remedy=remedy)


@dataclass(frozen=True, slots=True)
class Application:
    """A program that calls, and the organisation in whose name it reads."""

    id: int
    client_id: str
    organisation: int
    organisation_name: str


@dataclass(frozen=True, slots=True)
class PointFacts:
    """What the dialects need to know of a metering point, none of which may be told to a caller who has no
    line on it.

    It is as the holder whose data the caller reads is shown it: a former holder, and whoever reads its time, is told
    what the point was then.
    """

    id: str
    segment: str | None
    """None when the registry knows nothing of the holder's time; so is the power."""
    directions: int
    """All that the point has had in the holder's time; both when nothing is known of it."""
    activated_on: date
    journal_of: int | None
    """The organisation whose log shows a refused read: the caller's own if it holds, held or will hold the point,
    else that which holds it today.
    """
    subscribed_power_kva: float | None = None
    holder: int | None = None
    """Whose time it is: the states of collection are this company's, and say nothing of another's time."""
    held: bool = False
    """Whether that company holds the point today."""
    states: str | None = None
    """The states that the collection of its load curve had, as the registry gives them: `state|since|until;…`."""

    @property
    def unknown(self) -> bool:
        """Whether nothing is known of the point in the holder's time: the directions are then no fact about it."""
        return self.segment is None and self.directions == _BOTH_WAYS

    @property
    def collection(self) -> str | None:
        """The present state of collection; None when nobody ever asked for one, and when it is another holder's."""
        return next((state for state, _, until in self._states() if not until), None) if self.held else None

    def collected(self, zone: ZoneInfo) -> list[tuple[datetime, datetime | None]]:
        """The civil days of which the collection was active for a part at least (None: still)."""
        return self._days_of("active", zone)

    def opposed(self, zone: ZoneInfo) -> list[tuple[datetime, datetime | None]]:
        """The civil days of which the holder opposed it for a part at least (None: still)."""
        return self._days_of("opposed", zone)

    def _days_of(self, wanted: str, zone: ZoneInfo) -> list[tuple[datetime, datetime | None]]:
        return [
            (_day(since, zone).start, _day(until, zone, ends=True).end if until else None)
            for state, since, until in self._states()
            if state == wanted
        ]

    def _states(self) -> Iterator[list[str]]:
        return (one.split("|") for one in (self.states or "").split(";") if one)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as stored, and all that its bearer needs to be told apart: application, subscription, lines,
    point.
    """

    expires_at: int
    revoked_at: int | None
    active: bool
    """False when the application is switched off."""
    subscribed: bool
    """True when the application may call the API it called."""
    application: Application
    point: PointFacts | None
    """None when no such point exists."""
    lines: tuple[AccessLine, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """A reader's lines on one point, and the facts of that point (None: no such point)."""

    point: PointFacts | None
    lines: tuple[AccessLine, ...]


@dataclass(frozen=True, slots=True)
class Perimeter:
    """The points on which a group of a company's users has the measurements."""

    group: int
    name: str


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """An application and the hashes of the secrets that are valid now; several while a secret is being
    replaced.
    """

    application: Application
    secrets: tuple[str, ...]


class Registry(Protocol):
    """What the data plane asks of a registry. Every method raises `RegistryUnavailable`."""

    def token(self, token_sha256: str, *, api: str, metering_point: str, at: datetime) -> TokenRow | None:
        """Everything a request's decision rests on, in one statement; None when there is no such token."""
        ...

    def access(self, reader: int, metering_point: str, *, at: datetime) -> Access:
        """The lines of an organisation on one point, whatever their validity."""
        ...

    def lines(self, reader: int, metering_points: Sequence[str]) -> dict[str, tuple[AccessLine, ...]]:
        """The lines of an organisation on several points, whatever their validity, in one statement. Points whose lines
        say the same share one tuple.
        """
        ...

    def accesses(
        self, application: Application, metering_points: Sequence[str], *, at: datetime
    ) -> dict[str, Access]:
        """What `token` tells of one point, for several, in one statement; a point that does not exist is not there."""
        ...

    def reach(
        self,
        application: Application,
        *,
        at: datetime,
        site: str | None = None,
        perimeter: int | None = None,
    ) -> dict[str, tuple[AccessLine, ...]]:
        """The lines valid at `at` of all points within the application's reach, by id, in one statement. Points whose
        lines say the same share one tuple.

        With a `site` (an address, as the portal writes it), of those that its organisation holds or held there. With a
        `perimeter` (the number of a group), of those within it; of none when it is not among `perimeters`.
        """
        ...

    def perimeters(self, application: Application, *, at: datetime) -> list[Perimeter]:
        """The perimeters that the application may name: of its group, or, in none, of each group of its organisation; in
        force at `at`, by name.
        """
        ...

    def points(self, application: Application, *, after: str, limit: int, at: datetime) -> list[Access]:
        """The points within the application's reach on which its organisation has a line valid at `at`, with those
        lines, by id, following `after`.
        """
        ...

    def credential(self, client_id: str, *, at: datetime) -> CredentialRow | None:
        """The active application of that name and its valid secrets; None when there is no such application."""
        ...

    def check(self) -> None:
        """Succeed when the registry answers and has the tables it should."""
        ...

    def close(self) -> None: ...


_LINE = """l.basis, l.permission_id, l.holder_id, l.kinds, l.directions, l.finest_resolution,
       l.data_from, l.data_to, l.valid_from, l.valid_until"""

# Of the point as the holder of the line's data is shown it today (`metering_pointasheld`). The `+` keeps the states
# from being looked for among those of all the holder's points: of one point there are a few.
_POINT = """p.id, v.segment, s.directions, p.activated_on,
       h.holder_id = l.holder_id,
       CASE WHEN EXISTS (SELECT 1 FROM metering_titleholding own
                         WHERE own.metering_point_id = p.id AND own.holder_id = {reader})
            THEN {reader} ELSE h.holder_id END,
       v.subscribed_power_kva,
       (SELECT group_concat(c.state || '|' || c.since || '|' || coalesce(c.until, ''), ';')
        FROM metering_loadcurvecollection c WHERE c.metering_point_id = p.id AND +c.holder_id = l.holder_id)"""

_PRESENT = """
LEFT JOIN metering_titleholding h
       ON h.metering_point_id = p.id AND h.valid_from <= :today AND (h.valid_to IS NULL OR h.valid_to >
       :today)"""

_AS_HELD = """
LEFT JOIN metering_pointasheld s
       ON s.holder_id = l.holder_id AND s.metering_point_id = l.metering_point_id
      AND s.shown_from <= :today AND (s.shown_to IS NULL OR s.shown_to > :today)
LEFT JOIN metering_pointversion v ON v.id = s.version_id"""

# An application may be put in a group of its company's users: it then reads what the group's perimeter of the
# measurements lets it at that instant, by the rule of `core.roles`: a service is reserved from its beginning on, and
# gives until its end. A group that is gone leaves nothing: no group, no answer.
_IN_FORCE = """e.code = 'measurements' AND (e.valid_from IS NULL OR e.valid_from <= :instant)
                     AND (e.valid_until IS NULL OR e.valid_until > :instant)"""
_COVERED = """(NOT e.restricted OR EXISTS (
                       SELECT 1 FROM organisations_perimeterpoint pp
                       WHERE pp.entitlement_id = e.id AND pp.metering_point_id = l.metering_point_id))"""
_REACHED = f"""(a.group_id IS NULL OR EXISTS (
    SELECT 1 FROM organisations_usergroup g WHERE g.id = a.group_id AND (
        NOT EXISTS (SELECT 1 FROM organisations_usergroup any_g
                    JOIN organisations_entitlement any_e ON any_e.group_id = any_g.id
                    WHERE any_g.organisation_id = a.organisation_id AND any_e.code = 'measurements'
                      AND (any_e.valid_from IS NULL OR any_e.valid_from <= :instant))
        OR EXISTS (SELECT 1 FROM organisations_entitlement e
                   WHERE e.group_id = g.id AND {_IN_FORCE} AND {_COVERED}))))"""  # noqa: S608 -- constants

# Outer joins, so that an unknown token (no row), an unknown point, a missing subscription and a missing line
# are told apart by one statement.
_TOKEN = f"""
SELECT t.expires_at, t.revoked_at, a.active, s.active, a.id, a.client_id, a.organisation_id, o.legal_name,
       {_POINT.format(reader="a.organisation_id")},
       {_LINE}
FROM applications_accesstoken t
JOIN applications_application a ON a.id = t.application_id
JOIN organisations_organisation o ON o.id = a.organisation_id
LEFT JOIN applications_apisubscription s ON s.application_id = a.id AND s.api = :api
LEFT JOIN metering_meteringpoint p ON p.id = :point
{_PRESENT}
LEFT JOIN sharing_accessline l ON l.reader_id = a.organisation_id AND l.metering_point_id = p.id
      AND {_REACHED}
{_AS_HELD}
WHERE t.token_sha256 = :token
"""  # noqa: S608 -- composed of constants

_ACCESS = f"""
SELECT {_POINT.format(reader=":reader")},
       {_LINE}
FROM metering_meteringpoint p
{_PRESENT}
LEFT JOIN sharing_accessline l ON l.reader_id = :reader AND l.metering_point_id = p.id
{_AS_HELD}
WHERE p.id = :point
"""  # noqa: S608 -- composed of constants

_POINTS = f"""
SELECT {_POINT.format(reader=":reader")},
       {_LINE}
FROM (SELECT DISTINCT l.metering_point_id AS id
      FROM applications_application a JOIN sharing_accessline l ON l.reader_id = a.organisation_id
      WHERE a.id = :application AND l.metering_point_id > :after
        AND l.valid_from <= :now AND (l.valid_until IS NULL OR l.valid_until > :now) AND {_REACHED}
      ORDER BY l.metering_point_id LIMIT :limit) page
JOIN metering_meteringpoint p ON p.id = page.id
{_PRESENT}
JOIN sharing_accessline l ON l.reader_id = :reader AND l.metering_point_id = p.id
 AND l.valid_from <= :now AND (l.valid_until IS NULL OR l.valid_until > :now)
{_AS_HELD}
ORDER BY p.id, l.basis DESC, l.data_from
"""  # noqa: S608 -- composed of constants

_ACCESSES = f"""
SELECT {_POINT.format(reader=":reader")},
       {_LINE}
FROM json_each(:points) asked
CROSS JOIN metering_meteringpoint p ON p.id = asked.value
JOIN applications_application a ON a.id = :application
{_PRESENT}
LEFT JOIN sharing_accessline l ON l.reader_id = :reader AND l.metering_point_id = p.id
      AND {_REACHED}
{_AS_HELD}
"""  # noqa: S608 -- composed of constants

# A row costs more than what it says, and most points of a company have the same lines: so one row for all of those.
_OF_POINTS = "json_group_array(l.metering_point_id), json_group_array(l.id)"

_LINES = f"""
SELECT {_LINE}, {_OF_POINTS}
FROM json_each(?) asked CROSS JOIN sharing_accessline l ON l.reader_id = ? AND l.metering_point_id = asked.value
GROUP BY {_LINE}
"""  # noqa: S608 -- composed of constants

_WITHIN_REACH = f"""
WHERE a.id = :application AND l.valid_from <= :now AND (l.valid_until IS NULL OR l.valid_until > :now) AND {_REACHED}
"""

_REACH = f"""
SELECT {_LINE}, {_OF_POINTS}
FROM applications_application a JOIN sharing_accessline l ON l.reader_id = a.organisation_id
{_WITHIN_REACH}
GROUP BY {_LINE}
"""  # noqa: S608 -- composed of constants

# Where a point is, is told to its holder alone: whoever reads by a permission knows of no site.
_REACH_AT = f"""
SELECT {_LINE}, {_OF_POINTS}
FROM applications_application a
JOIN sharing_accessline l ON l.reader_id = a.organisation_id AND l.basis = '{Basis.TITLE.value}'
{_AS_HELD}
{_WITHIN_REACH} AND v.address || ', ' || v.postcode || ' ' || v.city = :site
GROUP BY {_LINE}
"""  # noqa: S608 -- composed of constants

# A company's own programs know its groups, as its directory does; one that is in a group, that one alone. What is asked
# for is of these, and of it what the application may read.
_NAMEABLE = "g.organisation_id = a.organisation_id AND (a.group_id IS NULL OR a.group_id = g.id)"

_REACH_WITHIN = f"""
SELECT {_LINE}, {_OF_POINTS}
FROM applications_application a
JOIN organisations_usergroup g ON g.id = :perimeter AND {_NAMEABLE}
JOIN organisations_entitlement e ON e.group_id = g.id AND {_IN_FORCE}
JOIN sharing_accessline l ON l.reader_id = a.organisation_id
{_WITHIN_REACH} AND {_COVERED}
GROUP BY {_LINE}
"""  # noqa: S608 -- composed of constants

_PERIMETERS = f"""
SELECT g.id, g.name
FROM applications_application a
JOIN organisations_usergroup g ON {_NAMEABLE}
JOIN organisations_entitlement e ON e.group_id = g.id AND {_IN_FORCE}
WHERE a.id = :application
ORDER BY g.name, g.id
"""  # noqa: S608 -- composed of constants

_CREDENTIAL = """
SELECT a.id, a.client_id, a.organisation_id, o.legal_name, k.secret_sha256
FROM applications_application a
JOIN organisations_organisation o ON o.id = a.organisation_id
LEFT JOIN applications_credential k ON k.application_id = a.id
      AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)
WHERE a.client_id = :client_id AND a.active
"""

_CHECK = """
SELECT 1
FROM sharing_accessline, applications_accesstoken, applications_apisubscription, metering_titleholding,
     metering_pointasheld, metering_pointversion
LIMIT 1
"""

_POINT_AT, _LINE_AT, _LINE_WIDTH = 8, 16, 10
_BOTH_WAYS = bits(FlowDirection)


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
            _TOKEN,
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
            point=_point([row[_POINT_AT:] for row in rows], at),
            lines=_lines(rows, _LINE_AT),
        )

    def access(self, reader: int, metering_point: str, *, at: datetime) -> Access:
        rows = self._all(_ACCESS, {"reader": reader, "point": metering_point, "today": self._today(at)})
        return Access(_point(rows, at), _lines(rows, _LINE_AT - _POINT_AT)) if rows else Access(None, ())

    def lines(self, reader: int, metering_points: Sequence[str]) -> dict[str, tuple[AccessLine, ...]]:
        return _lines_of_each(self._all(_LINES, (dumps(metering_points), reader)), order=itemgetter(0))

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
        return self._accesses(_ACCESSES, parameters, at)

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
        statement = _REACH
        if site is not None:
            statement = _REACH_AT
            parameters |= {"site": site, "today": self._today(at)}
        elif perimeter is not None:
            statement = _REACH_WITHIN
            parameters |= {"perimeter": perimeter}
        lines = _lines_of_each(self._all(statement, parameters), order=_titles_first)
        return {point: lines[point] for point in sorted(lines)}

    def perimeters(self, application: Application, *, at: datetime) -> list[Perimeter]:
        rows = self._all(_PERIMETERS, {"application": application.id, "instant": stored_instant(at)})
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
        return list(self._accesses(_POINTS, parameters, at).values())

    def credential(self, client_id: str, *, at: datetime) -> CredentialRow | None:
        rows = self._all(_CREDENTIAL, {"client_id": client_id, "now": stored_instant(at)})
        if not rows:
            return None
        first = rows[0]
        return CredentialRow(
            Application(first[0], first[1], first[2], first[3]),
            tuple(row[4] for row in rows if row[4] is not None),
        )

    def check(self) -> None:
        self.close()  # what a connection remembers proves nothing of the file
        self._all(_CHECK, ())

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = self._opened = None

    def _accesses(self, statement: str, parameters: dict[str, Any], at: datetime) -> dict[str, Access]:
        of_point: dict[str, list[tuple[Any, ...]]] = {}
        for row in self._all(statement, parameters):
            of_point.setdefault(row[0], []).append(row)
        return {
            point: Access(_point(rows, at), _lines(rows, _LINE_AT - _POINT_AT))
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


NEWEST = "newest-change.json"
_HAS = {
    "permission": "SELECT 1 FROM sharing_permissionevent WHERE permission_id = ? AND sequence = ? AND state = ?",
    "receipt": "SELECT 1 FROM sharing_receipt WHERE number = ? AND jws <> ''",
    "rights": "SELECT 1 FROM audit_auditevent WHERE id = ? AND hash = ?",
}


def require_newest(connection: sqlite3.Connection, newest: Path | None) -> None:
    """Raises `RegistryUnavailable` for a registry that lacks the newest change that was answered: an older one."""
    if newest is not None and lacks_newest(connection, newest):
        raise RegistryUnavailable(
            "it lacks the newest change of rights, so an older one was put in its place",
            remedy="Put the newer one back; or start the instance anew, which then says what to do.",
        )


def lacks_newest(connection: sqlite3.Connection, newest: Path) -> bool:
    try:
        said = orjson.loads(newest.read_bytes())
        statement, key = _HAS[said["change"]], said["key"]
    except (OSError, ValueError, KeyError, TypeError):  # nothing was answered yet, or nothing is known of it
        return False
    return connection.execute(statement, key).fetchone() is None


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


def _point(rows: Sequence[Sequence[Any]], at: datetime) -> PointFacts | None:
    """The facts as the line in force tells them, the one with the latest data when there are several."""
    row = max(rows, key=lambda row: _precedence(row, at.timestamp())) if len(rows) > 1 else rows[0]
    if row[0] is None:
        return None
    return PointFacts(
        id=row[0],
        segment=row[1],
        directions=_BOTH_WAYS if row[2] is None else row[2],
        activated_on=date.fromisoformat(row[3]),
        journal_of=row[5],
        subscribed_power_kva=None if row[6] is None else float(row[6]),
        holder=row[_LINE_AT - _POINT_AT + 2],
        held=bool(row[4]),
        states=row[7],
    )


def _day(stored: str, zone: ZoneInfo, *, ends: bool = False) -> Interval:
    at = datetime.fromisoformat(stored).replace(tzinfo=UTC)
    return civil_day_bounds(civil_day_of(at - timedelta(microseconds=ends), zone), zone)


def _precedence(row: Sequence[Any], now: float) -> tuple[bool, int]:
    *_, data_from, _data_to, valid_from, valid_until = row
    return valid_from <= now and (valid_until is None or now < valid_until), data_from


def _lines(rows: Iterable[Sequence[Any]], at: int) -> tuple[AccessLine, ...]:
    return tuple(_line(row[at:]) for row in rows if row[at] is not None)


def _titles_first(numbered: tuple[int, AccessLine]) -> tuple[bool, int, int]:
    number, line = numbered
    return line.basis is not Basis.TITLE, line.data_from, number


def _lines_of_each(
    rows: Iterable[Sequence[Any]], *, order: Callable[[tuple[int, AccessLine]], Any]
) -> dict[str, tuple[AccessLine, ...]]:
    """By point, from rows that end with the points whose line they tell, and the numbers of those lines; `order` is that
    of a point's several lines.
    """
    found: dict[str, tuple[AccessLine, ...]] = {}
    several: dict[str, list[tuple[int, AccessLine]]] = {}
    told = [(_line(row), orjson.loads(row[_LINE_WIDTH]), orjson.loads(row[_LINE_WIDTH + 1])) for row in rows]
    for line, points, _ in told:
        once = dict.fromkeys(points, (line,))
        several.update((point, []) for point in once.keys() & found.keys())
        if len(once) < len(points):
            several.update((point, []) for point, times in Counter(points).items() if times > 1)
        found |= once
    if several:
        for line, points, numbers in told:
            for point, number in zip(points, numbers, strict=True):
                if point in several:
                    several[point].append((number, line))
        made: dict[tuple[AccessLine, ...], tuple[AccessLine, ...]] = {}
        for point, numbered in several.items():
            lines = tuple(line for _, line in sorted(numbered, key=order))
            found[point] = made.setdefault(lines, lines)
    return found


_BASES: dict[str, Basis] = {basis.value: basis for basis in Basis}


def _line(row: Sequence[Any]) -> AccessLine:
    try:
        basis = _BASES[row[0]]
    except KeyError:
        raise RegistryUnavailable(
            f"an access line rests on {row[0]!r}, which this version does not know"
        ) from None
    return AccessLine(basis, _dashed(row[1]), *row[2:_LINE_WIDTH])


def _dashed(uuid: str | None) -> str | None:
    """A permission's id as everyone writes it: SQLite keeps it as 32 digits."""
    if uuid is None or len(uuid) != 32:
        return uuid
    return f"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}"
