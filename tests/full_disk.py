"""A registry whose disk is full, for tests on the database of their own: `disk.fill()`, `disk.make_room()`. With the name
of a table, `disk.fill("django_session")`, that is the one that finds no room any more.

A fault put in where statements are executed: SQLite itself would end the test's transaction with it. What a disk that is
really full does is seen by `python -m drills disk_full`.
"""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class Disk:
    """The registry's."""

    full = False
    table = ""

    def fill(self, table: str = "") -> None:
        self.full, self.table = True, table

    def make_room(self) -> None:
        self.full = False

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.full and self.table in sql and sql.lstrip().upper().startswith(WRITES):
            told = sqlite3.OperationalError("database or disk is full")
            told.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise OperationalError(*told.args) from told
        return execute(sql, params, many, context)


@pytest.fixture
def disk(db: None) -> Iterator[Disk]:
    disk = Disk()
    with connection.execute_wrapper(disk):
        yield disk
