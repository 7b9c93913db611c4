"""The registry's empty tables, migrated once: seconds for every process of every run that asks the database anything.

They are kept in pytest's cache, under what they are made of: a migration that changes makes them anew, and a fresh
checkout has none.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db.backends.sqlite3.creation import DatabaseCreation

import gridgate.audit.append_only
from tests.once import once_at

LOCK_FILE = Path(__file__).resolve().parent.parent / "requirements" / "dev.txt"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix: None
) -> Iterator[None]:
    """What pytest-django asks before it makes the database of a process, which lies in memory."""
    migrate = DatabaseCreation.create_test_db
    cache = request.config.cache
    assert cache is not None
    kept = cache.mkdir("registry") / made_of()

    def create(creation: DatabaseCreation, *args: Any, **more: Any) -> str:
        connection = creation.connection

        def build(path: Path) -> None:
            migrate(creation, *args, **more)
            with closing(sqlite3.connect(path)) as file:
                connection.connection.backup(file)
            for other in kept.parent.glob("*"):
                if not other.name.startswith(kept.name):
                    other.unlink()

        once_at(kept, build)
        name: str = creation._get_test_db_name()
        settings.DATABASES[connection.alias]["NAME"] = connection.settings_dict["NAME"] = name
        connection.ensure_connection()
        with closing(sqlite3.connect(kept)) as file:
            file.backup(connection.connection)
        return name

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DatabaseCreation, "create_test_db", create)
        yield


def made_of() -> str:
    """A name that is another one when a migration, what migrations stand on, or a library is."""
    told = sha256(LOCK_FILE.read_bytes())
    told.update(Path(gridgate.audit.append_only.__file__).read_bytes())
    for app in sorted(apps.get_app_configs(), key=lambda app: app.label):
        for path in sorted(Path(app.path, "migrations").glob("*.py")):
            told.update(f"\0{app.label}/{path.name}\0".encode() + path.read_bytes())
    return told.hexdigest()
