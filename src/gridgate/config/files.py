"""The files of an instance, looked at before they are used: what is missing or damaged, and what to do.

Nothing here makes a file or mends one. What is said of each, and what can be restored from where, stands in
`docs/1-running/operate.md`, "When a file is damaged or missing".
"""

import json
import os
import pwd
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import gridgate
from gridgate.config.environment import HOW_TO_RESTORE, Environment, fault_of_secret
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.sqlite_file import fault_of, has_log, log_of
from gridgate.dataplane.store.schema import APPLICATION_ID, RESTORE, SCHEMA_VERSION

BUSY_SECONDS = 20
_RESTORE_REGISTRY = (
    "Stop the instance, put the file back from the last backup, without the -wal and -shm of another copy beside it,"
    " and compare with the receipts issued since."
)
_RESTORE_LOG = (
    "Put both files back from one copy. When there is none, stop the instance and move the -wal away: its changes are"
    " lost, the earlier ones are not."
)
_RESTORE_ACCESS_LOG = (
    "Put it back from the last backup. Made anew, it proves nothing of what was read before, and gridgate audit verify"
    " says so."
)


def require(*faults: GridgateError | None) -> None:
    """Raise the first fault that there is."""
    for fault in faults:
        if fault is not None:
            raise fault


def folder_fault(environment: Environment) -> GridgateError | None:
    """What keeps anything of the instance from being found."""
    data = environment.data
    try:
        if not environment.registry.exists() and not _holds_the_rest(environment):
            if data.exists() and not data.is_dir():
                return _fault(data, "it is no folder", "Give the instance's folder with --data.")
            return GridgateError(
                ErrorKind.NOT_FOUND,
                f"{data} holds no instance",
                remedy="Make one with gridgate init or gridgate demo, or give --data.",
            )
    except OSError as error:
        return _fault(data, f"it cannot be read: {error.strerror}", _as_owner(data))
    return None


def registry_fault(environment: Environment, *, older_will_do: bool = False) -> GridgateError | None:
    """What keeps the registry from being used; that its tables are of an older version, unless that will do."""
    path = environment.registry
    if (fault := registry_file_fault(environment)) is not None:
        return fault
    try:
        with closing(_read_only(path)) as file:
            applied = _migrations_applied(file)
            tables = file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return _unreadable(path, error, _RESTORE_REGISTRY)
    ours = _migrations_of_this_version()
    if not applied & ours:
        held = "another program's tables" if tables else "no tables"
        return _fault(path, f"it holds {held}", _RESTORE_REGISTRY)
    if newer := sorted(name for name in applied - ours if name.partition(".")[0] in _apps(ours)):
        return _fault(
            path,
            f"its tables are of a newer version ({newer[-1]})",
            "Run the Gridgate that made it, or a newer one.",
        )
    if ours - applied and not older_will_do:
        return _fault(
            path, "its tables are of an older version", "Stop the instance and run: gridgate migrate."
        )
    return None


def registry_file_fault(environment: Environment) -> GridgateError | None:
    """The same of the file alone, whatever its tables."""
    path = environment.registry
    if what := fault_of(path):
        return _fault(path, what, _remedy(path, what, _RESTORE_REGISTRY))
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK | os.X_OK):
        return _fault(path, "it, or its folder, cannot be written to", _as_owner(path))
    return None


def secret_fault(environment: Environment) -> GridgateError | None:
    if environment.secret_key:
        return None
    what = fault_of_secret(environment.secret_key_file)
    return _fault(environment.secret_key_file, what, HOW_TO_RESTORE) if what else None


def measurements_fault(environment: Environment) -> GridgateError | None:
    path = environment.measurements
    if what := fault_of(path):
        again = " Without a backup: gridgate migrate --new-measurements makes an empty one to ingest into."
        return _fault(path, what, _remedy(path, what, RESTORE) + (again if what == "it is missing" else ""))
    if not os.access(path, os.W_OK):
        return _fault(path, "it cannot be written to", _as_owner(path))
    try:
        with closing(_read_only(path)) as file:
            application, version = (
                file.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
            )
            file.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        return _unreadable(path, error, RESTORE)
    if application != APPLICATION_ID or not version:
        return _fault(path, "it is not a measurement store", RESTORE)
    if version > SCHEMA_VERSION:
        what = f"it has schema {version}, and this version knows {SCHEMA_VERSION}"
        return _fault(path, what, "Run the Gridgate that made it, or a newer one.")
    return None


def access_log_fault(environment: Environment) -> GridgateError | None:
    """What keeps reads from being logged, and so from being answered."""
    path = environment.access_log
    if not path.exists():
        return _fault(path, "the access log is missing: no data would be served", _RESTORE_ACCESS_LOG)
    if not path.is_dir():
        return _fault(path, "it is no folder: no data would be served", _RESTORE_ACCESS_LOG)
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return _fault(path, "it cannot be read and written to: no data would be served", _as_owner(path))
    return None


def key_fault(environment: Environment) -> GridgateError | None:
    """What keeps receipts and checkpoints from being signed, or earlier ones from being verified."""
    from gridgate.sharing import (
        signing,
    )  # Of those that look at files, few sign; its libraries are slow to import.

    try:
        signing.load_public_keys(environment.receipt_key)
    except signing.KeyUnusable as error:
        return error
    return None


def before_serving(environment: Environment) -> Iterator[GridgateError]:
    """What whoever starts the instance must know, though it serves. Raises `GridgateError` when it would not."""
    require(measurements_fault(environment), access_log_fault(environment))
    if (fault := key_fault(environment)) is not None:
        yield GridgateError(
            ErrorKind.UNAVAILABLE,
            f"{fault.message}: until it is mended receipts and letters of what ends wait, and the log is not signed",
            where=fault.where,
            remedy=fault.remedy,
        )


def faults(environment: Environment) -> Iterator[GridgateError]:
    """Every fault of the files themselves; of one of several only the first, when the others follow from it."""
    from gridgate.dataplane.accesslog.segments import CHECKPOINTS

    if missing := folder_fault(environment):
        yield missing
        return
    looked_at = (
        registry_fault(environment),
        secret_fault(environment),
        measurements_fault(environment),
        access_log_fault(environment),
        _checkpoints_fault(environment.access_log / CHECKPOINTS),
        key_fault(environment),
        _folder_of_files_fault(environment.attachments, "documents cannot be joined nor read"),
        _folder_of_files_fault(environment.prepared, "no file of measurements is prepared"),
        None
        if environment.smtp_host
        else _folder_of_files_fault(environment.data / "mail", "no e-mail is written"),
        _brand_fault(environment.brand_css),
    )
    yield from (fault for fault in looked_at if fault is not None)
    for path in (environment.registry, environment.measurements):
        if fault_of(path) is None and (what := _deep_fault(path)):
            restore = _RESTORE_REGISTRY if path == environment.registry else RESTORE
            yield _fault(path, f"it is damaged: {what}", restore)


def _holds_the_rest(environment: Environment) -> bool:
    """Whether an instance is there, its registry apart."""
    return (
        environment.measurements.exists()
        or environment.receipt_key.exists()
        or log_of(environment.registry).exists()
    )


def _checkpoints_fault(path: Path) -> GridgateError | None:
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
        whole = all("payload" in json.loads(line) for line in lines)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return _fault(path, f"the signed checkpoints cannot be read: {error.strerror}", _RESTORE_ACCESS_LOG)
    except (ValueError, TypeError):
        whole = False
    if whole:
        return None
    return _fault(
        path,
        "the signed checkpoints are damaged",
        "Run gridgate audit verify, and put the copy back that you keep elsewhere.",
    )


def _folder_of_files_fault(path: Path, so: str) -> GridgateError | None:
    """It is made when it is needed."""
    if not path.exists():
        return None
    if not path.is_dir():
        return _fault(path, f"it is no folder: {so}", "Move it away, or put the folder back from the backup.")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return _fault(path, f"it cannot be read and written to: {so}", _as_owner(path))
    return None


def _brand_fault(path: Path | None) -> GridgateError | None:
    if path is None or (path.is_file() and os.access(path, os.R_OK)):
        return None
    what = "GRIDGATE_BRAND_CSS names it, and it cannot be read: pages have the colours of the product"
    return _fault(path, what, "Mend the path or its mode, or unset the variable.")


def _deep_fault(path: Path) -> str | None:
    try:
        with closing(_read_only(path)) as file:
            found = str(file.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return None if _busy(error) else str(error)
    return None if found == "ok" else found.replace("\n", " ")


def _read_only(path: Path) -> sqlite3.Connection:
    """Without a log nobody has it open; to open it as usual would make one."""
    alone = "" if has_log(path) else "&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True, timeout=BUSY_SECONDS)


def _migrations_applied(file: sqlite3.Connection) -> set[str]:
    try:
        return {f"{app}.{name}" for app, name in file.execute("SELECT app, name FROM django_migrations")}
    except sqlite3.OperationalError as error:
        if "no such" not in str(error):
            raise
        return set()


def _migrations_of_this_version() -> set[str]:
    package = Path(gridgate.__file__).parent
    return {f"{path.parent.parent.name}.{path.stem}" for path in package.glob("*/migrations/[0-9]*.py")}


def _apps(migrations: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in migrations}


def _unreadable(path: Path, error: sqlite3.DatabaseError, remedy: str) -> GridgateError | None:
    """A lock held is no damage, and is met again by whoever needs the file."""
    return None if _busy(error) else _fault(path, f"it cannot be read: {error}", remedy)


def _busy(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _remedy(path: Path, what: str, otherwise: str) -> str:
    if "Permission denied" in what:
        return _as_owner(path)
    return _RESTORE_LOG if log_of(path).name in what else otherwise


def _as_owner(path: Path) -> str:
    try:
        owner = pwd.getpwuid(path.stat().st_uid).pw_name
    except (OSError, KeyError):
        return "Run the command as the user that owns it, or mend its owner or mode."
    return f"Run the command as its owner, {owner}, or mend its owner or mode."


def _fault(path: Path, what: str, remedy: str) -> GridgateError:
    return GridgateError(ErrorKind.UNAVAILABLE, what, where=str(path), remedy=remedy)
