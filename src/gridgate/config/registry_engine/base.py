"""The module that Django looks for in an engine."""

import sqlite3
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

from gridgate.dataplane.registry.newest import require_newest
from gridgate.dataplane.registry.port import RegistryUnavailable
from gridgate.dataplane.sqlite_file import Stamp, fault_of, log_of, stamp

_newest: Path | None = None
_known: tuple[Stamp | None, int | None] | None = None
"""The file that had the newest change when it was last asked, and which log of changes lay beside it."""


def open_the_newest_only(newest: Path | None) -> None:
    """From now on this process opens no registry that lacks the change that the file `newest` names: for what serves,
    after it has compared registry and log. Whoever mends the registry opens any.
    """
    global _newest, _known
    _newest, _known = newest, None


class DatabaseWrapper(base.DatabaseWrapper):
    """While the file is away, nothing may be made in its place: it would be taken for the registry when the log of
    changes of the one that comes back is laid over it. Nor is anything written into an older one.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        path = conn_params["database"]
        if not isinstance(path, Path):  # one in memory, of a test
            return self._opened(conn_params)
        if fault := fault_of(path):
            raise sqlite3.OperationalError(f"the registry cannot be opened: {fault}")
        before = _file(path)
        connection = self._opened({**conn_params, "database": f"{path.absolute().as_uri()}?mode=rw"})
        if before != _known:
            _require_newest(connection, before)
        return connection

    def _opened(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        return connection


def _file(path: Path) -> tuple[Stamp | None, int | None]:
    log = stamp(str(log_of(path)))
    return stamp(str(path)), log and log[1]


def _require_newest(connection: sqlite3.Connection, file: tuple[Stamp | None, int | None]) -> None:
    global _known
    try:
        require_newest(connection, _newest)
    except RegistryUnavailable as error:
        connection.close()
        raise sqlite3.OperationalError(error.message) from error
    except BaseException:
        connection.close()
        raise
    _known = file
