"""The tables of the SQLite store, and how a connection to them is opened.

    series   one row for each series; its extent is kept so that listing what exists reads no block
    block    the truth, one row for each series and civil day (days since 1970-01-01), in the order of reading
    history  what a block was before, and what arrived too late ever to be the truth (version 0)
    source   every file or message received, once for each content; `completed_at` says since when it is taken whole
    quarantine  what could not be taken of a source, and what it is of, as far as that is sure: `day` as in a block,
                `span_start` and `span_end` in epoch seconds. A view: `quarantine_item` has a row for each, which names
                by their numbers what many have in common, the words of its place and of its reason (`quarantine_why`)
                and its subject (`quarantine_of`)

Schema 1 knew nothing of what a quarantined value is of; up to schema 2 a source was taken in one transaction; up to
schema 3 `quarantine` was a table. Whoever opens such a file for writing brings it up; reading goes on without.

The same layout, with `bytea` for blobs, is the one for PostgreSQL.
"""

import sqlite3
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from time import monotonic, sleep

from gridgate.dataplane.sqlite_file import fault_of
from gridgate.dataplane.store.port import StoreUnavailable
from gridgate.dataplane.store.sqlite_quarantine import record_items

APPLICATION_ID = 0x67726467  # "grdg"
SCHEMA_VERSION = 4
BUSY_SECONDS = 30
"""How long one waits for another's lock before giving up."""
_AT_ONCE = 10_000
"""Rows of an older schema that are in memory together."""

RESTORE = "Put the file back from the last backup, then ingest what has arrived since."
_FOREIGN = "this file is not a measurement store"

_BLOCK_COLUMNS = """
  recorded_at integer not null,
  published_at integer not null,
  source integer not null,
  version integer not null,
  scale integer not null,
  width integer not null,
  amounts blob not null,
  quality blob,
  offsets blob,
  provenance blob"""

_SCHEMA = f"""
create table instance (name text primary key, value text not null) strict, without rowid;
create table series (
  id integer primary key,
  metering_point text not null,
  kind text not null,
  direction text not null,
  resolution integer not null,
  register text not null,
  first_day integer not null,
  last_day integer not null,
  recorded_at integer not null,
  unique (metering_point, kind, direction, resolution, register)
) strict;
create table block (
  series integer not null references series (id),
  day integer not null,{_BLOCK_COLUMNS},
  primary key (series, day)
) strict, without rowid;
create table history (
  id integer primary key,
  series integer not null references series (id),
  day integer not null,{_BLOCK_COLUMNS},
  superseded_at integer not null
) strict;
create index history_block on history (series, day);
create table source (
  id integer primary key,
  sha256 text not null unique,
  name text not null,
  format text not null,
  published_at integer,
  recorded_at integer not null
) strict;
create table quarantine (
  id integer primary key,
  source integer not null references source (id),
  place text not null,
  reason text not null,
  value text not null,
  recorded_at integer not null,
  unique (source, place, reason, value)
) strict;
"""

_SECOND = """
alter table quarantine add column cause text;
alter table quarantine add column metering_point text;
alter table quarantine add column kind text;
alter table quarantine add column direction text;
alter table quarantine add column day integer;
alter table quarantine add column span_start integer;
alter table quarantine add column span_end integer;
create index quarantine_of on quarantine (metering_point, day) where metering_point is not null;
"""
_THIRD = """
alter table source add column completed_at integer;
update source set completed_at = recorded_at;
"""
_FOURTH = """
drop index quarantine_of;
alter table quarantine rename to quarantine_before;
create table quarantine_why (
  id integer primary key,
  place text not null,
  place_end text not null,
  reason text not null,
  reason_end text not null,
  unique (place, place_end, reason, reason_end)
) strict;
create table quarantine_of (
  id integer primary key,
  metering_point text,
  day integer,
  cause text,
  kind text,
  direction text
) strict;
create table quarantine_item (
  source integer not null references source (id),
  place any not null,
  why integer not null references quarantine_why (id),
  said text not null,
  value text not null,
  subject integer references quarantine_of (id),
  span_start integer,
  seconds integer,
  later integer not null,
  primary key (source, place, why, said, value)
) strict, without rowid;
create index quarantine_of_day on quarantine_of (metering_point, day, cause, kind, direction);
create index quarantine_subject on quarantine_item (subject) where subject is not null;
create view quarantine as
  select i.place as id, i.source, w.place || i.place || w.place_end as place,
    w.reason || i.said || w.reason_end as reason, i.value, s.recorded_at + i.later as recorded_at,
    o.cause, o.metering_point, o.kind, o.direction, o.day, i.span_start, i.span_start + i.seconds as span_end
  from quarantine_item i join source s on s.id = i.source
  left join quarantine_why w on w.id = i.why left join quarantine_of o on o.id = i.subject;
"""
_STEPS = {1: _SCHEMA, 2: _SECOND, 3: _THIRD, 4: _FOURTH}
"""What makes each version of the one before it; a new file goes through all of them."""


def open_connection(path: Path, *, read_only: bool, zone_name: str) -> sqlite3.Connection:
    """Open the file, making it when it is not there (unless `read_only`), durable and shared between
    processes.

    Raises `StoreUnavailable`: no such file, not a store, made by a newer Gridgate, or kept in another time
    zone.
    """
    if read_only and not path.exists():
        raise StoreUnavailable(
            "there is no measurement store here",
            remedy="Run `gridgate init` for a new instance; put the file of an earlier one back from its backup.",
            where=str(path),
        )
    if read_only and (fault := fault_of(path)):
        raise StoreUnavailable(
            f"the measurement store cannot be opened: {fault}", remedy=RESTORE, where=str(path)
        )
    connection: sqlite3.Connection | None = None
    try:
        mode = "ro" if read_only else "rwc"
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=BUSY_SECONDS,
            check_same_thread=False,
        )
        if not read_only:
            _refuse_foreign(connection, path)
            _share(connection)
            connection.execute("pragma synchronous = full")
            connection.execute("pragma foreign_keys = on")
            _make_tables(connection, zone_name)
        connection.execute("pragma mmap_size = 1073741824")
        _check(connection, path, zone_name)
    except (sqlite3.Error, StoreUnavailable) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, StoreUnavailable):
            raise
        if is_busy(error):
            raise StoreUnavailable(
                "the measurement store is in use: another process is writing to it",
                remedy="Let it finish, or stop it, and try again.",
                where=str(path),
            ) from error
        raise StoreUnavailable(
            f"the measurement store cannot be opened: {error}", remedy=RESTORE, where=str(path)
        ) from error
    return connection


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Nothing of ours may be written into somebody else's database."""
    (tables,) = connection.execute("select count(*) from sqlite_master").fetchone()
    if tables and _pragma(connection, "application_id") != APPLICATION_ID:
        raise StoreUnavailable(_FOREIGN, remedy=RESTORE, where=str(path))


def _share(connection: sqlite3.Connection) -> None:
    """Let readers go on beside a writer, by a log that is written ahead: a property of the file, set once.

    The engine does not wait for a lock when it changes this, so that of two processes that open a new file
    together one is told that it is locked.
    """
    deadline = monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or monotonic() > deadline:
                raise
            sleep(0.01)


def _make_tables(connection: sqlite3.Connection, zone_name: str) -> None:
    if version_of(connection) >= SCHEMA_VERSION:
        return
    connection.execute("begin immediate")
    try:
        there = version_of(connection)  # Another process may have been faster.
        for version in range(there + 1, SCHEMA_VERSION + 1):
            for statement in _STEPS[version].split(";\n"):
                connection.execute(statement)
            if version == 4:
                _bring_over_quarantine(connection)
            connection.execute(f"pragma user_version = {version}")
        if not there:
            connection.execute("insert into instance values ('time_zone', ?)", (zone_name,))
            connection.execute(f"pragma application_id = {APPLICATION_ID}")
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _bring_over_quarantine(connection: sqlite3.Connection) -> None:
    """What the table before held, in the rows that there are now. The pages that it took are used again."""
    rows = connection.execute(
        """select source, recorded_at, place, reason, value, cause, metering_point, kind, direction, day,
          span_start, span_end from quarantine_before order by source, recorded_at, id"""
    )
    for (source, recorded_at), several in groupby(rows, itemgetter(0, 1)):
        while some := list(islice(several, _AT_ONCE)):
            record_items(connection, source, [row[2:] for row in some], recorded_at)
    connection.execute("drop table quarantine_before")


def _check(connection: sqlite3.Connection, path: Path, zone_name: str) -> None:
    version, application = version_of(connection), _pragma(connection, "application_id")
    if application != APPLICATION_ID:
        raise StoreUnavailable(_FOREIGN, remedy=RESTORE, where=str(path))
    if version > SCHEMA_VERSION:
        raise StoreUnavailable(
            f"the store has schema {version}, this Gridgate knows {SCHEMA_VERSION}",
            remedy="Run the Gridgate that made it, or a newer one.",
            where=str(path),
        )
    (kept,) = connection.execute("select value from instance where name = 'time_zone'").fetchone()
    if kept != zone_name:
        raise StoreUnavailable(
            f"the store counts civil days of {kept}, not of {zone_name}",
            remedy=f"Set GRIDGATE_TIME_ZONE={kept}.",
            where=str(path),
        )


def is_busy(error: sqlite3.Error) -> bool:
    """Whether it was the lock of another that one met: nothing is amiss with the file."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def version_of(connection: sqlite3.Connection) -> int:
    return _pragma(connection, "user_version")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"pragma {name}").fetchone()[0])
