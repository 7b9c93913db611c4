"""The module that Django looks for in an engine."""

import sqlite3
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

from gridgate.dataplane.sqlite_file import fault_of


class DatabaseWrapper(base.DatabaseWrapper):
    """While the file is away, nothing may be made in its place: it would be taken for the registry when the log of
    changes of the one that comes back is laid over it.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        path = conn_params["database"]
        if isinstance(path, Path):  # else one in memory, of a test
            if fault := fault_of(path):
                raise sqlite3.OperationalError(f"the registry cannot be opened: {fault}")
            conn_params = {**conn_params, "database": f"{path.absolute().as_uri()}?mode=rw"}
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        return connection
