"""What deliveries would do, done on a scratch copy of what they touch: the store itself is read, never written.

The copy is a store like any, so that a rehearsal goes the way of the delivery itself. Before each delivery what is held
of its series on its days is brought over, unless an earlier delivery of the rehearsal was there already.
"""

import sqlite3
from collections.abc import Sequence
from json import dumps
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from gridgate.dataplane.scratch import ScratchFolder
from gridgate.dataplane.store.days import Days
from gridgate.dataplane.store.port import DayBlock, PutResult, Source
from gridgate.dataplane.store.quarantine import Quarantined
from gridgate.dataplane.store.schema import open_connection
from gridgate.dataplane.store.sqlite import SqliteStore
from gridgate.dataplane.store.sqlite_delivery import BLOCK_COLUMNS

PREFIX: Final = "gridgate-rehearsal-"
_NEW: Final = 2**30
"""New rows are numbered from here on, above all that is held: the order of sources decides which of two values stays.
A block has four bytes for the number of a source."""
_EVER: Final = 2**31
_SERIES: Final = "id, metering_point, kind, direction, resolution, register, first_day, last_day, recorded_at"
_SOURCE: Final = "id, sha256, name, format, published_at, recorded_at"
_HISTORY: Final = f"id, series, day, {BLOCK_COLUMNS}, superseded_at"
_NUMBERED: Final = (
    f"insert into main.series ({_SERIES}) values (?, '', '', '', 0, '', 0, 0, 0)",  # noqa: S608
    f"insert into main.source ({_SOURCE}) values (?, '', '', '', null, 0)",  # noqa: S608
    f"insert into main.history ({_HISTORY}) values (?1, ?1, 0, 0, 0, 0, 0, 0, 0, x'', null, null, null, 0)",  # noqa: S608
)
_OF_POINTS: Final = (
    "series in (select id from series where metering_point in (select value from json_each(?)))"
)
_BRING_SERIES: Final = f"""insert or ignore into main.series ({_SERIES}) select {_SERIES} from held.series
  where metering_point in (select value from json_each(?))"""  # noqa: S608 -- composed of constants
_BRING_SOURCE: Final = f"""insert or ignore into main.source ({_SOURCE}) select {_SOURCE} from held.source
  where sha256 = ?"""  # noqa: S608
_BRING_BLOCKS: Final = f"""insert or ignore into main.block (series, day, {BLOCK_COLUMNS})
  select series, day, {BLOCK_COLUMNS} from held.block
  where {_OF_POINTS} and day between ? and ?"""  # noqa: S608
_BRING_HISTORY: Final = f"""insert or ignore into main.history ({_HISTORY}) select {_HISTORY} from held.history
  where {_OF_POINTS} and day between ? and ?"""  # noqa: S608


class Rehearsal(SqliteStore):
    """The port on a scratch copy of the store in the file `path`: to be asked what `put` would answer."""

    def __init__(self, path: Path, *, zone: ZoneInfo, scratch: Path | None = None) -> None:
        """`scratch` is that of another, open as long as this one: each sees what the others took before."""
        open_connection(path, read_only=True, zone_name=zone.key).close()  # raises when it is none to be read
        self._folder = ScratchFolder(None, PREFIX) if scratch is None else None
        self.scratch = scratch or self._folder.path  # type: ignore[union-attr]
        try:
            super().__init__(self.scratch / "rehearsal.sqlite3", zone=zone)
            self._attach(path)
            if scratch is None:
                self._number()
        except BaseException:
            self._clean_up()
            raise

    def _clean_up(self) -> None:
        if self._folder is not None:
            self._folder.close()

    def _attach(self, path: Path) -> None:
        connection = self._connection
        connection.execute("attach database ? as held", (f"{path.absolute().as_uri()}?mode=ro",))
        for wanted in ("main.synchronous = off", "foreign_keys = off"):
            connection.execute(f"pragma {wanted}")

    def _number(self) -> None:
        for statement in _NUMBERED:
            self._connection.execute(statement, (_NEW,))

    def close(self) -> None:
        super().close()
        self._clean_up()

    def put(
        self,
        blocks: Sequence[DayBlock],
        *,
        source: Source,
        quarantined: Sequence[Quarantined],
        recorded_at: int,
        complete: bool = True,
    ) -> PutResult:
        self._bring(blocks, source)
        return super().put(
            blocks, source=source, quarantined=quarantined, recorded_at=recorded_at, complete=complete
        )

    def _bring(self, blocks: Sequence[DayBlock], source: Source) -> None:
        days = Days.of(blocks)
        points = dumps(sorted({key.metering_point for key in days.keys}))
        touched = (points, int(days.day.min(initial=_EVER)), int(days.day.max(initial=0)))
        try:
            self._connection.execute("begin")
            self._connection.execute(_BRING_SOURCE, (source.sha256,))
            self._connection.execute(_BRING_SERIES, (points,))
            self._connection.execute(_BRING_BLOCKS, touched)
            self._connection.execute(_BRING_HISTORY, touched)
            self._connection.execute("commit")
        except sqlite3.Error as error:
            raise self._unavailable(error) from error
