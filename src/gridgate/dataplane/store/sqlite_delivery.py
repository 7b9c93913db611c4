"""Writing a delivery into SQLite: what was held is read, merged and replaced inside one write transaction."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from json import dumps
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridgate.dataplane.store import merging, packing
from gridgate.dataplane.store.days import Days, key_columns
from gridgate.dataplane.store.port import DayBlock, SeriesKey, Source

Row = tuple[Any, ...]

BLOCK_COLUMNS = (
    "recorded_at, published_at, source, version, scale, width, amounts, quality, offsets, provenance"
)
_REPLACED = ", ".join(f"{column} = excluded.{column}" for column in BLOCK_COLUMNS.split(", "))
_UPSERT = f"""insert into block (series, day, {BLOCK_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (series, day) do update set {_REPLACED}"""  # noqa: S608
_TO_HISTORY = f"""insert into history (series, day, {BLOCK_COLUMNS}, superseded_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""  # noqa: S608
_HELD = f"""select block.series, block.day, {BLOCK_COLUMNS} from json_each(?) wanted
  cross join block on block.series = json_extract(wanted.value, '$[0]')
  and block.day between json_extract(wanted.value, '$[1]') and json_extract(wanted.value, '$[2]')"""  # noqa: S608
_SERIES = """select s.id, s.metering_point, s.kind, s.direction, s.resolution, s.register
  from json_each(?) wanted cross join series s on s.metering_point = wanted.value"""
_HISTORY = f"select {BLOCK_COLUMNS} from history where series = ? and day = ?"  # noqa: S608
_CONFIRM = "update block set published_at = ?, source = ?, provenance = ? where series = ? and day = ?"


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
    """A delivery, merged inside the write transaction that the caller holds."""

    def __init__(self, connection: sqlite3.Connection, rank: merging.Rank, recorded_at: int) -> None:
        self._connection, self._rank, self._now = connection, rank, recorded_at
        self._written: list[Row] = []
        self._superseded: list[Row] = []
        self._confirmed: list[Row] = []
        self.stored = self.older = 0

    def take(self, days: Days) -> None:
        """Merge canonical blocks, in the order of series and days and none twice, and write what changed."""
        if not len(days):
            return
        begins = np.flatnonzero(np.diff(days.series, prepend=-1))
        first, last = days.day[begins], days.day[np.append(begins[1:], len(days)) - 1]
        keys = [days.keys[number] for number in days.series[begins].tolist()]
        extents = list(zip(first.tolist(), last.tolist(), strict=True))
        ids = self._series(keys)
        held = self._held(
            [(ids[key], *extent) for key, extent in zip(keys, extents, strict=True) if key in ids]
        )
        new = [(key, begin) for key, (begin, _) in zip(keys, extents, strict=True) if key not in ids]
        ids |= self._made(new)
        stored = self._merge_all(days, [ids[key] for key in keys], np.append(begins, len(days)), held)
        for statement, rows in (
            (_TO_HISTORY, self._superseded),
            (_UPSERT, self._written),
            (_CONFIRM, self._confirmed),
        ):
            if rows:
                self._connection.executemany(statement, rows)
        self._connection.executemany(
            """update series set first_day = min(first_day, ?), last_day = max(last_day, ?),
              recorded_at = max(recorded_at, ?) where id = ?""",
            [
                (*extent, self._now, ids[key])
                for key, extent, changed in zip(keys, extents, stored, strict=True)
                if changed
            ],
        )

    def _merge_all(
        self, days: Days, ids: Sequence[int], begins: NDArray[np.int64], held: dict[tuple[int, int], Held]
    ) -> list[int]:
        """Merge block by block; how many values of each series changed."""
        spoken = days.counted(days.spoken)
        withdrawn = np.zeros(len(days), bool) if days.cancelled is None else days.counted(days.cancelled) > 0
        packed = zip(
            np.repeat(ids, np.diff(begins)).tolist(),
            days.day.tolist(),
            spoken.tolist(),
            withdrawn.tolist(),
            days.scale.tolist(),
            packing.pack_values_of(days.values, days.bounds),
            packing.pack_quality_of(days.quality, days.bounds),
            packing.pack_offsets_of(days.offsets, days.bounds),
            strict=True,
        )
        rank, stored_before = (self._rank.published, self._rank.source), np.zeros(len(days) + 1, np.int64)
        for index, (series, day, count, cancels, scale, (width, amounts), quality, offsets) in enumerate(
            packed
        ):
            place = series, day
            there = held.get(place)
            if there is None and not cancels:
                said = (self._now, *rank, 1, scale, width, amounts, quality, offsets, None)
                self._written.append((*place, *said))
                self.stored += count
            elif there is None:
                self._begin(days[index], place)
            elif cancels or not self._same(there, (scale, width, amounts, quality, offsets)):
                self._merge(days[index], place, there)
            stored_before[index + 1] = self.stored
        changed: list[int] = np.diff(stored_before[begins]).tolist()
        return changed

    def _series(self, keys: Sequence[SeriesKey]) -> dict[SeriesKey, int]:
        """Those that are there."""
        wanted = {key_columns(key): key for key in keys}
        rows = self._connection.execute(
            _SERIES, (dumps(list(dict.fromkeys(key.metering_point for key in keys))),)
        )
        return {wanted[columns]: number for number, *key in rows if (columns := tuple(key)) in wanted}

    def _made(self, new: Sequence[tuple[SeriesKey, int]]) -> dict[SeriesKey, int]:
        if not new:
            return {}
        self._connection.executemany(
            """insert into series
              (metering_point, kind, direction, resolution, register, first_day, last_day, recorded_at)
              values (?, ?, ?, ?, ?, ?, ?, ?)""",
            [(*key_columns(key), day, day, self._now) for key, day in new],
        )
        return self._series([key for key, _ in new])

    def _held(self, extents: Sequence[tuple[int, ...]]) -> dict[tuple[int, int], Held]:
        """What is held of those series between those days."""
        if not extents:
            return {}
        rows = self._connection.execute(_HELD, (dumps(extents),))
        return {(series, day): Held.of(columns) for series, day, *columns in rows}

    def _begin(self, block: DayBlock, place: tuple[int, int]) -> None:
        merged = merging.first(block, self._rank, self._now)
        new = Held.pack(block, merged.provenance, self._rank, version=1, recorded_at=self._now)
        self._written.append((*place, *new.columns()))
        self.stored += merged.changed

    def _same(self, held: Held, told: Row) -> bool:
        """True for the usual day of a file delivered again: told by a glance at the bytes."""
        return (
            held.packed_provenance is None
            and self._rank <= held.rank
            and told == (held.scale, held.width, held.amounts, held.quality, held.offsets)
        )

    def _merge(self, block: DayBlock, place: tuple[int, int], held: Held) -> None:
        # The clock of the machine may have been set back; the versions of a block never overlap.
        now = max(self._now, held.recorded_at)
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


def record_completion(connection: sqlite3.Connection, source: int, recorded_at: int) -> None:
    """Say that all of the source is taken, at the first time that it is."""
    connection.execute(
        "update source set completed_at = ? where id = ? and completed_at is null", (recorded_at, source)
    )
