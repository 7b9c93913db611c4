"""The newest change of rights that was answered: a registry that lacks it is an older one, put in its place."""

import sqlite3
from pathlib import Path

import orjson

from gridgate.dataplane.registry.port import RegistryUnavailable
from gridgate.dataplane.registry.statements import HAS

NEWEST = "newest-change.json"


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
        statement, key = HAS[said["change"]], said["key"]
    except (OSError, ValueError, KeyError, TypeError):  # nothing was answered yet, or nothing is known of it
        return False
    return connection.execute(statement, key).fetchone() is None
