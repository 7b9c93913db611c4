"""Writing a delivery into SQLite: what was held is read, merged and replaced inside one write transaction."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridgate.dataplane.store import merging, packing
from gridgate.dataplane.store.port import DayBlock, Quarantined, SeriesKey, Source

Row = tuple[Any, ...]

BLOCK_COLUMNS = (
    "recorded_at, published_at, source, version, scale, width, amounts, quality, offsets, provenance"
)
_REPLACED = ", ".join(f"{column} = excluded.{column}" for column in BLOCK_COLUMNS.split(", "))
_UPSERT = f"""insert into block (series, day, {BLOCK_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (series, day) do update set {_REPLACED}"""  # noqa: S608
_TO_HISTORY = f"""insert into history (series, day, {BLOCK_COLUMNS}, superseded_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""  # noqa: S608
_HELD = f"select day, {BLOCK_COLUMNS} from block where series = ? and day between ? and ?"  # noqa: S608
_HISTORY = f"select {BLOCK_COLUMNS} from history where series = ? and day = ?"  # noqa: S608
_CONFIRM = "update block set published_at = ?, source = ?, provenance = ? where series = ? and day = ?"
_EPOCH = date(1970, 1, 1).toordinal()


def day_number(day: date) -> int:
    """Days since 1970-01-01: how a civil day is stored."""
    return day.toordinal() - _EPOCH


def day_of_number(number: int) -> date:
    return date.fromordinal(number + _EPOCH)


def key_columns(key: SeriesKey) -> tuple[str, str, str, int, str]:
    return key.metering_point, key.kind.value, key.direction.value, key.resolution.seconds, key.register


@dataclass(slots=True)
class Held:
    """A row of `block` or `history`, without its key."""

    recorded_at: int
    rank: merging.Rank
    version: int
    scale: int
    width: int
    amounts: bytes
    quality: bytes | None
    offsets: bytes | None
    packed_provenance: bytes | None

    @classmethod
    def of(cls, columns: Sequence[Any]) -> "Held":
        recorded_at, published_at, source, *rest = columns
        return cls(recorded_at, merging.Rank(published_at, source), *rest)

    @classmethod
    def pack(
        cls,
        block: DayBlock,
        provenance: packing.Provenance,
        rank: merging.Rank,
        *,
        version: int,
        recorded_at: int,
    ) -> "Held":
        width, amounts = packing.pack_values(block.values)
        return cls(
            recorded_at,
            rank,
            version,
            block.scale,
            width,
            amounts,
            packing.pack_quality(block.quality),
            packing.pack_offsets(block.offsets),
            packing.pack_provenance(provenance, block.said),
        )

    def columns(self) -> Row:
        return (
            self.recorded_at,
            self.rank.published,
            self.rank.source,
            self.version,
            self.scale,
            self.width,
            self.amounts,
            self.quality,
            self.offsets,
            self.packed_provenance,
        )

    def block(self, key: SeriesKey, day: date) -> DayBlock:
        values = packing.unpack_values(self.width, self.amounts)
        return DayBlock(
            key,
            day,
            values,
            packing.unpack_quality(self.quality, len(values)),
            self.scale,
            packing.unpack_offsets(self.offsets),
            self.recorded_at,
            None
            if self.packed_provenance is None
            else packing.unpack_provenance(self.packed_provenance).recorded,
        )

    def provenance(self, said: NDArray[np.bool_]) -> packing.Provenance:
        if self.packed_provenance is not None:
            return packing.unpack_provenance(self.packed_provenance)
        return packing.Provenance.uniform(
            said, published=self.rank.published, source=self.rank.source, recorded=self.recorded_at
        )


class Delivery:
    """One series of a delivery, merged inside the write transaction that the caller holds."""

    def __init__(self, connection: sqlite3.Connection, rank: merging.Rank, recorded_at: int) -> None:
        self._connection, self._rank, self._now = connection, rank, recorded_at
        self._series = 0
        self._written: list[Row] = []
        self._superseded: list[Row] = []
        self._confirmed: list[Row] = []
        self.stored = self.older = 0

    def take(self, blocks: Sequence[DayBlock]) -> None:
        """Merge canonical blocks of one series, in the order of their days, and write what changed."""
        first, last = day_number(blocks[0].day), day_number(blocks[-1].day)
        self._series = _series_id(self._connection, blocks[0].key, first, self._now)
        held = self._held(first, last)
        for block in blocks:
            self._merge(block, held.get(day_number(block.day)))
        for statement, rows in (
            (_TO_HISTORY, self._superseded),
            (_UPSERT, self._written),
            (_CONFIRM, self._confirmed),
        ):
            if rows:
                self._connection.executemany(statement, rows)
        if self.stored:
            self._connection.execute(
                """update series set first_day = min(first_day, ?), last_day = max(last_day, ?),
                  recorded_at = max(recorded_at, ?) where id = ?""",
                (first, last, self._now, self._series),
            )

    def _held(self, first: int, last: int) -> dict[int, Held]:
        rows = self._connection.execute(_HELD, (self._series, first, last))
        return {day: Held.of(columns) for day, *columns in rows}

    def _merge(self, block: DayBlock, held: Held | None) -> None:
        place = (self._series, day_number(block.day))
        if held is None:
            merged = merging.first(block, self._rank, self._now)
            new = Held.pack(block, merged.provenance, self._rank, version=1, recorded_at=self._now)
            self._written.append((*place, *new.columns()))
            self.stored += merged.changed
            return
        # The clock of the machine may have been set back; the versions of a block never overlap.
        now = max(self._now, held.recorded_at)
        if self._nothing_new(block, held):
            return
        old = held.block(block.key, block.day)
        merged = merging.merge(old, held.provenance(old.said), block, self._rank, now)
        self.stored += merged.changed
        self.older += merged.late_count
        top = max(held.rank, self._rank)
        if merged.changed:
            new = Held.pack(merged.block, merged.provenance, top, version=held.version + 1, recorded_at=now)
            self._superseded.append((*place, *held.columns(), now))
            self._written.append((*place, *new.columns()))
        elif merged.confirmed:
            confirmed = packing.pack_provenance(merged.provenance, old.said)
            self._confirmed.append((top.published, top.source, confirmed, *place))
        if merged.late is not None:
            self._keep_late(merged.late, place, now)

    def _nothing_new(self, block: DayBlock, held: Held) -> bool:
        """True for the usual day of a file delivered again: told by a glance at the bytes."""
        return (
            held.packed_provenance is None
            and block.cancelled is None
            and self._rank <= held.rank
            and packing.pack_values(block.values) == (held.width, held.amounts)
            and block.scale == held.scale
            and packing.pack_quality(block.quality) == held.quality
            and packing.pack_offsets(block.offsets) == held.offsets
        )

    def _keep_late(self, late: DayBlock, place: tuple[int, int], now: int) -> None:
        rows = self._connection.execute(_HISTORY, place)
        untold = merging.not_told(late, [Held.of(row).block(late.key, late.day) for row in rows])
        if untold is None:
            return
        provenance = packing.Provenance.uniform(
            untold.said, published=self._rank.published, source=self._rank.source, recorded=now
        )
        kept = Held.pack(untold, provenance, self._rank, version=0, recorded_at=now)
        self._superseded.append((*place, *kept.columns(), now))


def record_source(connection: sqlite3.Connection, source: Source, recorded_at: int) -> merging.Rank:
    """Record the source once for its content; return the rank of what it delivers, at every repeat."""
    connection.execute(
        """insert into source (sha256, name, format, published_at, recorded_at) values (?, ?, ?, ?, ?)
          on conflict (sha256) do nothing""",
        (source.sha256, source.name, source.format, source.published_at, recorded_at),
    )
    identity, published_at, received_at = connection.execute(
        "select id, published_at, recorded_at from source where sha256 = ?", (source.sha256,)
    ).fetchone()
    published_at = source.published_at if source.published_at is not None else published_at
    # A source whose clock runs ahead must not silence those that follow it.
    return merging.Rank(received_at if published_at is None else min(published_at, received_at), identity)


def record_quarantine(
    connection: sqlite3.Connection, source: int, quarantined: Sequence[Quarantined], recorded_at: int
) -> None:
    # What was recorded before the store knew what such a value is of learns it when its file comes again.
    connection.executemany(
        """insert into quarantine (source, place, reason, value, recorded_at,
            cause, metering_point, kind, direction, day, span_start, span_end)
          values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          on conflict (source, place, reason, value) do update set cause = excluded.cause,
            metering_point = excluded.metering_point, kind = excluded.kind, direction = excluded.direction,
            day = excluded.day, span_start = excluded.span_start, span_end = excluded.span_end
          where quarantine.metering_point is null and excluded.metering_point is not null""",
        [
            (source, q.where, q.reason, q.value, recorded_at, q.cause, *_subject_columns(q))
            for q in quarantined
        ],
    )


def _subject_columns(item: Quarantined) -> Row:
    subject = item.subject
    if subject is None:
        return (None,) * 6
    start, end = subject.span or (None, None)
    day = None if subject.day is None else day_number(subject.day)
    return subject.metering_point, subject.kind, subject.direction, day, start, end


def _series_id(connection: sqlite3.Connection, key: SeriesKey, day: int, recorded_at: int) -> int:
    """The series, made when it is new."""
    columns = key_columns(key)
    found = connection.execute(
        """select id from series
          where metering_point = ? and kind = ? and direction = ? and resolution = ? and register = ?""",
        columns,
    ).fetchone()
    if found is None:
        found = connection.execute(
            """insert into series
              (metering_point, kind, direction, resolution, register, first_day, last_day, recorded_at)
              values (?, ?, ?, ?, ?, ?, ?, ?) returning id""",
            (*columns, day, day, recorded_at),
        ).fetchone()
    return int(found[0])
