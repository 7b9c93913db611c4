"""The embedded adapter: one SQLite file, many reading processes, one writer at a time."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from functools import partial
from json import dumps
from operator import itemgetter

import numpy as np

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Resolution
from gridgate.dataplane.store import merging, packing
from gridgate.dataplane.store.amounts import AMOUNTS, AMOUNTS_AS_OF, BLOCKS_AT_ONCE, amounts_of
from gridgate.dataplane.store.checking import canonical
from gridgate.dataplane.store.days import Days, day_number, day_of_number, key_columns
from gridgate.dataplane.store.port import (
    Amounts,
    DayBlock,
    PackedDay,
    PutResult,
    SeriesInfo,
    SeriesKey,
    Source,
    SourceInfo,
    StoreUnavailable,
    Version,
)
from gridgate.dataplane.store.quarantine import Cause, Quarantined, QuarantinedRow, SetAside
from gridgate.dataplane.store.sqlite_connection import SqliteFile
from gridgate.dataplane.store.sqlite_delivery import (
    BLOCK_COLUMNS,
    Delivery,
    Held,
    Row,
    record_completion,
    record_source,
)
from gridgate.dataplane.store.sqlite_quarantine import erase_quarantine, record_quarantine

SLOT_SECONDS = Resolution.PT5M.seconds
_LONGEST_DAY = 25 * 3600

# What a read needs of a block, after (day, step, register): the order of the answer is the order of the
# columns.
_READ = """select b.day, s.resolution, s.register,
  b.recorded_at, b.scale, b.width, b.amounts, b.quality, b.offsets, b.provenance
  from series s join {table} b on b.series = s.id
  where s.metering_point = ? and s.kind = ? and s.direction = ? and b.day between ? and ?"""
_READ_NOW = _READ.format(table="block")
_READ_AS_OF = (
    f"{_READ_NOW} and b.recorded_at <= ? union all "
    f"{_READ.format(table='history')} and b.recorded_at <= ? and b.superseded_at > ?"
)
# Of a time that several files tell, one value; of values whose time is not sure, as many as the file that tells the
# most.
_SET_ASIDE = f"""select day, cause, min(starts), max(ends), case when slot is null then max(told) else sum(told) end
  from (
    select day, cause, span_start / {SLOT_SECONDS} as slot, min(span_start) as starts, max(span_end) as ends,
      case when span_start is null then count(*)
           else count(distinct (span_start << 31) | (span_end - span_start)) end as told
    from quarantine
    where metering_point = ? and day between ? and ? and kind = ?
      and (direction = ? or (direction is null and ?)) and recorded_at <= ?
    group by day, cause, slot, case when span_start is null then source end)
  group by day, cause, case when day in (select value from json_each(?)) then slot else slot is null end
  order by day, cause, min(starts)"""  # noqa: S608 -- composed of constants

_OF_POINT = "day < ? and series in (select id from series where metering_point = ?)"
_ERASE_BLOCKS = f"delete from block where {_OF_POINT}"  # noqa: S608
_ERASE_HISTORY = f"delete from history where {_OF_POINT}"  # noqa: S608
_EVER = 2**62


class SqliteStore(SqliteFile):
    """The port on one SQLite file (see `MeasurementStore` for what each method promises).

    Threads: an object may be shared, calls then wait for each other; for reads that run side by side give
    each thread, and each process, its own. From an event loop, call `read` directly: a week takes less than
    handing it to a thread would. Never carry an open store across a fork.

    Processes: readers never wait. Writers queue for up to 30 s, then `put` raises `StoreUnavailable`.
    """

    # Reading

    def read(
        self,
        metering_point: str,
        kind: Kind,
        direction: FlowDirection,
        first: date,
        last: date,
        *,
        as_of: int | None = None,
        register: str | None = None,
    ) -> list[DayBlock]:
        packed = self.read_packed(metering_point, kind, direction, first, last, as_of=as_of)
        if register is not None:
            packed = [day for day in packed if day.register == register]
        return packing.blocks_of(metering_point, kind, direction, packed)

    def read_packed(
        self,
        metering_point: str,
        kind: Kind,
        direction: FlowDirection,
        first: date,
        last: date,
        *,
        as_of: int | None = None,
    ) -> list[PackedDay]:
        about = (metering_point, kind.value, direction.value, day_number(first), day_number(last))
        if as_of is None:
            rows = self._rows(_READ_NOW, about)
        else:
            rows = self._rows(_READ_AS_OF, (*about, as_of, *about, as_of, as_of))
        rows.sort(key=_DAY_STEP_REGISTER)
        return list(map(_AS_PACKED, rows))

    def amounts(
        self,
        metering_points: Sequence[str],
        kind: Kind,
        direction: FlowDirection,
        first: date,
        last: date,
        *,
        as_of: int | None = None,
    ) -> Iterator[list[Amounts]]:
        days = (last - first).days + 1
        span = max(0, day_number(first)), day_number(last)
        about = (kind.value, direction.value, *span, *(() if as_of is None else (as_of,)))
        statement = AMOUNTS if as_of is None else AMOUNTS_AS_OF
        at_once = max(1, BLOCKS_AT_ONCE // max(1, days))
        for start in range(0, len(metering_points), at_once):
            points = list(metering_points[start : start + at_once])
            (row,) = self._rows(statement, (dumps(points), *about))
            yield amounts_of(row, first_point=start)

    def series(self, metering_points: Sequence[str]) -> list[SeriesInfo]:
        rows = self._rows(
            """select s.metering_point, s.kind, s.direction, s.resolution, s.register,
              s.first_day, s.last_day, s.recorded_at
              from json_each(?) p join series s on s.metering_point = p.value""",
            (dumps(sorted(set(metering_points))),),
        )
        return _infos(rows)

    def latest(self, metering_points: Sequence[str]) -> list[tuple[str, date, int]]:
        rows = self._rows(
            """select p.value, max(s.last_day), max(s.recorded_at)
              from json_each(?) p cross join series s on s.metering_point = p.value group by p.key""",
            (dumps(list(dict.fromkeys(metering_points))),),
        )
        days = {number: day_of_number(number) for number in {row[1] for row in rows}}
        return [(point, days[number], recorded_at) for point, number, recorded_at in rows]

    def series_within(self, metering_point: str, first: date, last: date) -> list[SeriesInfo]:
        rows = self._rows(
            """select s.metering_point, s.kind, s.direction, s.resolution, s.register,
              (select min(b.day) from block b where b.series = s.id and b.day >= ?2) as earliest,
              (select max(b.day) from block b where b.series = s.id and b.day <= ?3) as latest, s.recorded_at
              from series s where s.metering_point = ?1 and earliest <= ?3 and latest >= ?2""",
            (metering_point, day_number(first), day_number(last)),
        )
        return _infos(rows)

    def steps_within(
        self,
        metering_points: Sequence[str],
        kind: Kind,
        direction: FlowDirection,
        first: date,
        last: date,
    ) -> int:
        about = kind.value, direction.value, day_number(first), day_number(last)
        ((steps,),) = self._rows(
            f"""select total((min(s.last_day, ?5) - max(s.first_day, ?4) + 1) * max(1, {_LONGEST_DAY} / s.resolution))
              from json_each(?1) p cross join series s on s.metering_point = p.value
              where s.kind = ?2 and s.direction = ?3 and s.register = '' and s.last_day >= ?4 and s.first_day <= ?5""",  # noqa: S608 -- a constant
            (dumps(list(metering_points)), *about),
        )
        return int(steps)

    def versions(self, key: SeriesKey, day: date) -> list[Version]:
        rows = self._rows(
            f"""with one as (select id from series
                where metering_point = ? and kind = ? and direction = ? and resolution = ? and register = ?),
              state as (
                select h.id as place, {BLOCK_COLUMNS}, superseded_at
                from history h, one where series = one.id and day = ?
                union all
                select null, {BLOCK_COLUMNS}, null from block b, one where series = one.id and day = ?)
              select state.*, source.name from state join source on source.id = state.source
              order by state.place is null, state.place""",  # noqa: S608
            (*key_columns(key), *[day_number(day)] * 2),
        )
        versions = []
        for _, *columns, superseded_at, source in rows:
            held = Held.of(columns)
            versions.append(
                Version(
                    recorded_at=held.recorded_at,
                    superseded_at=superseded_at,
                    published_at=held.rank.published,
                    source=source,
                    block=held.block(key, day),
                    arrived_too_late=held.version == 0,
                )
            )
        return versions

    def quarantine(self, *, limit: int = 100) -> list[QuarantinedRow]:
        rows = self._rows(
            """select s.name, s.sha256, q.recorded_at, q.place, q.reason, q.value
              from quarantine q join source s on s.id = q.source
              order by q.recorded_at desc, q.source desc, q.id desc limit ?""",
            (limit,),
        )
        return [QuarantinedRow(*row) for row in rows]

    def set_aside(
        self,
        metering_point: str,
        kind: Kind,
        direction: FlowDirection,
        first: date,
        last: date,
        *,
        by_time: Collection[date] = (),
        unsaid: bool = False,
        as_of: int | None = None,
    ) -> list[SetAside]:
        rows = self._rows(
            _SET_ASIDE,
            (
                metering_point,
                day_number(first),
                day_number(last),
                kind.value,
                direction.value,
                unsaid,
                _EVER if as_of is None else as_of,
                dumps([day_number(day) for day in by_time]),
            ),
            schema=2,
        )
        return [
            SetAside(day_of_number(day), Cause(cause), count, None if start is None else (start, end))
            for day, cause, start, end, count in rows
        ]

    def sources(self, *, limit: int = 100) -> list[SourceInfo]:
        rows = self._rows(
            """select name, sha256, format, published_at, recorded_at,
              (select count(*) from quarantine q where q.source = s.id)
              from source s order by id desc limit ?""",
            (limit,),
        )
        return [SourceInfo(Source(*row[:4]), recorded_at=row[4], quarantined=row[5]) for row in rows]

    # Writing

    def put(
        self,
        blocks: Sequence[DayBlock],
        *,
        source: Source,
        quarantined: Sequence[Quarantined],
        recorded_at: int,
        complete: bool = True,
    ) -> PutResult:
        days = canonical(Days.of(blocks), self._zone)
        count = int(np.count_nonzero(days.spoken))
        days = merging.united(days)
        with self._transaction() as connection:
            rank = record_source(connection, source, recorded_at)
            record_quarantine(connection, rank.source, quarantined, recorded_at)
            delivery = Delivery(connection, rank, recorded_at)
            delivery.take(days)
            if complete:
                record_completion(connection, rank.source, recorded_at)
        return PutResult(stored=delivery.stored, unchanged=count - delivery.stored, older=delivery.older)

    def erase(self, metering_point: str, *, before: date | None = None) -> int:
        limit = 2**31 if before is None else day_number(before)
        self._execute("pragma secure_delete = on")  # What is erased is overwritten, not just unlinked.
        with self._transaction() as connection:
            erased = 0
            for statement in (_ERASE_BLOCKS, _ERASE_HISTORY):
                erased += connection.execute(statement, (limit, metering_point)).rowcount
            erase_quarantine(connection, metering_point, limit)
            connection.execute(
                """update series set first_day = (select min(day) from block where series = series.id)
                  where metering_point = ? and exists (select 1 from block where series = series.id)""",
                (metering_point,),
            )
            connection.execute(
                """delete from series where metering_point = ?
                  and not exists (select 1 from block where series = series.id)""",
                (metering_point,),
            )
        self._execute("pragma secure_delete = off")
        ((held_back, *_),) = self._rows("pragma wal_checkpoint(truncate)", ())
        if held_back:
            raise StoreUnavailable(
                "what was erased is in no answer any more, but still in the log of the file, which another process is "
                "reading",
                remedy="Erase it again when nobody reads.",
                where=str(self._path),
            )
        return erased


_DAY_STEP_REGISTER = itemgetter(0, 1, 2)
_AS_PACKED: Callable[[Row], PackedDay] = partial(tuple.__new__, PackedDay)
"""What `PackedDay._make` does, without a look at what SQL has the right number of: a year has hundreds of days."""


def _infos(rows: list[Row]) -> list[SeriesInfo]:
    order = {kind.value: index for index, kind in enumerate(Kind)}
    rows.sort(key=lambda r: (r[0], order[r[1]], r[2] == FlowDirection.INJECTION, r[3], r[4]))
    return [
        SeriesInfo(
            SeriesKey(point, Kind(kind), FlowDirection(direction), Resolution(seconds), register),
            day_of_number(first),
            day_of_number(last),
            recorded_at,
        )
        for point, kind, direction, seconds, register, first, last, recorded_at in rows
    ]
