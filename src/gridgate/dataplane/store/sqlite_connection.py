"""The one SQLite file of a store: opening it, reading rows, writing in a transaction, staying with it."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from gridgate.dataplane.sqlite_file import stamp
from gridgate.dataplane.store.port import StoreUnavailable
from gridgate.dataplane.store.schema import open_connection, version_of
from gridgate.dataplane.store.sqlite_delivery import Row


class SqliteFile:
    """A connection to the file, behind one lock."""

    def __init__(self, path: Path, *, read_only: bool = False, zone: ZoneInfo) -> None:
        self._path, self._zone, self._read_only = path, zone, read_only
        self._file = str(path)
        self._open()
        self._lock = threading.Lock()
        self._shown = False  # a snapshot

    def _open(self) -> None:
        self._opened = stamp(self._file) if self._read_only else None
        self._connection = open_connection(self._path, read_only=self._read_only, zone_name=self._zone.key)
        if not self._read_only:
            self._opened = stamp(self._file)
        self._schema = version_of(self._connection)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def state(self) -> object:
        # Erasing has the log copied into the file; so have 4 MB that were taken in, now and then.
        return self._opened

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self._lock:
            self._stay_with_the_file()
            self._execute("begin")
            self._shown = True
        try:
            yield
        finally:
            with self._lock:
                self._shown = False
                with suppress(StoreUnavailable):  # what was read was read
                    self._execute("rollback")

    def _rows(self, statement: str, parameters: Sequence[object], *, schema: int = 1) -> list[Row]:
        """The rows of a statement; none while the file is of an older schema than it is written for."""
        try:
            # Locked: nobody sees a transaction half done. Fetched whole: an open cursor would hold back
            # the checkpoint of the log.
            with self._lock:
                self._stay_with_the_file()
                if self._schema < schema:  # what was opened for reading may be brought up meanwhile
                    self._schema = version_of(self._connection)
                    if self._schema < schema:
                        return []
                return self._connection.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def _execute(self, statement: str) -> None:
        try:
            self._connection.execute(statement).fetchall()
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Take the write lock before anything is read, so that what is merged is what is replaced."""
        if self._read_only:
            raise StoreUnavailable("this store was opened for reading only", where=str(self._path))
        with self._lock:
            self._stay_with_the_file()
            try:
                self._connection.execute("begin immediate")
                try:
                    yield self._connection
                    self._connection.execute("commit")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("rollback")
                    raise
            except sqlite3.Error as error:
                raise self._unavailable(error) from error

    def _stay_with_the_file(self) -> None:
        """A reader opens the file that has taken the place of its own, or was written to; a writer refuses to write to
        one that has no place any more, where nobody would find it. Raises `StoreUnavailable`.
        """
        there = stamp(self._file)
        if self._shown or there == self._opened:
            return
        if self._read_only:
            self._connection.close()
            try:
                self._open()
            except BaseException:
                self._opened = None  # what hinders it may pass, though the file stays as it is
                raise
        elif there is None or self._opened is None or there[:2] != self._opened[:2]:
            raise StoreUnavailable(
                "the measurement store was moved or replaced while it was being written",
                remedy="Put it back and do it again.",
                where=str(self._path),
            )

    def _unavailable(self, error: sqlite3.Error) -> StoreUnavailable:
        return StoreUnavailable(f"the measurement store does not answer: {error}", where=str(self._path))
