"""Files of an instance that are missing or damaged: each command says what, where and what to do, and ends with 2.

Refused before anything is loaded, so that all commands are asked in this process; `python -m drills damaged_files` asks
them as they are installed, in every way of every file.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.main import get_command

from gridgate.config import cli, files
from gridgate.config.environment import Environment
from gridgate.dataplane.sqlite_file import fault_of
from gridgate.dataplane.store import open_store
from gridgate.sharing.signing import make_key

Run = Callable[..., tuple[int, str]]
SECRET = "keys/secret_key"
NEEDS_THE_REGISTRY = (
    "serve --port 1",
    "worker",
    "migrate",
    "import points FILE",
    "import holders FILE",
    "user add a@b.example --password long-enough-2026",
    "user forget-factors a@b.example",
    "application add program --siren 732829320",
    "first-administrator declare a@b.example --siren 732829320 --name Ada",
    "terms publish FILE --version 2",
    "kyc publish FILE --version 2",
    "kyc show --version 1",
    "eic import FILE",
    "export --metering-point 30001234567890 --kind load_curve --direction withdrawal --start 2026-01-01 --end 2026-01-02",
    "audit verify",
)
COMMANDS = (*NEEDS_THE_REGISTRY, "ingest FILE", "watch incoming --once")
COMMAND_LINE = get_command(cli.app)
"""Put together once: typer does so at each call."""
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "it is missing"),
    "empty": (lambda path: path.write_bytes(b""), "it is empty"),
    "a few bytes": (lambda path: path.write_bytes(path.read_bytes()[:80]), "it is cut short"),
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:6000]), "it is damaged"),
    "garbage": (lambda path: path.write_bytes(b"\xff\x00garbage" * 900), "it is no SQLite database"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "it is a folder"),
    "its log garbage": (
        lambda path: path.with_name(f"{path.name}-wal").write_bytes(b"garbage" * 90),
        "-wal beside it, which holds the latest changes, is damaged",
    ),
    "its log a folder": (
        lambda path: path.with_name(f"{path.name}-wal").mkdir(),
        "-wal beside it is a folder",
    ),
    "its index a folder": (
        lambda path: path.with_name(f"{path.name}-shm").mkdir(),
        "-shm beside it is a folder",
    ),
}


def _database(path: Path, *statements: str) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as file, file:
        for statement in statements:
            file.execute(statement)


def _migrated(path: Path, *more: str) -> None:
    applied = [*sorted(files._migrations_of_this_version()), *more]
    rows = ",".join("('{}','{}')".format(*one.split(".")) for one in applied)
    _database(
        path,
        "PRAGMA journal_mode=WAL",
        "CREATE TABLE django_migrations (app, name)",
        f"INSERT INTO django_migrations VALUES {rows}",
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an instance, with as much in them as is looked at."""
    data = tmp_path_factory.mktemp("template") / "instance"
    environment = Environment(data=data)
    for folder in (environment.access_log, environment.receipt_key.parent):
        folder.mkdir(parents=True)
    environment.secret_key_file.write_text("a" * 64)
    make_key(environment.receipt_key)
    _migrated(environment.registry)
    open_store(environment.measurements).close()
    return data


@pytest.fixture
def data(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "instance"))


@pytest.fixture
def run(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command on the instance; its exit code and what it said of what is wrong, which is one message."""
    given = tmp_path / "given.csv"
    given.write_text("{}")
    monkeypatch.setenv("GRIDGATE_DATA", str(data))
    monkeypatch.setattr(cli, "app", COMMAND_LINE)

    def run(command: str) -> tuple[int, str]:
        words = [str(given) if word == "FILE" else word for word in command.split()]
        monkeypatch.setattr("sys.argv", ["gridgate", "--data", str(data), *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr().err
        assert "Traceback" not in said
        assert said.count("\n") <= 5, said
        return int(ended.value.code or 0), said

    return run


@pytest.mark.parametrize("damage", DAMAGES)
def test_no_command_touches_a_registry_that_is_damaged(run: Run, data: Path, damage: str) -> None:
    do, what = DAMAGES[damage]
    registry = data / "registry.sqlite3"
    do(registry)
    before = sorted(data.iterdir())
    for command in COMMANDS:
        code, said = run(command)
        assert (code, str(registry) in said, what in said) == (2, True, True), f"{command}: {said}"
        assert "back from" in said, command
    assert sorted(data.iterdir()) == before  # nothing was made in its place, nothing was mended unasked


@pytest.mark.parametrize(
    ("change", "what", "remedy", "spared"),
    [
        (lambda path: _migrated(path, "sharing.9999_later"), "of a newer version", "Run the Gridgate that made it", ()),
        (
            lambda path: _database(
                path, "CREATE TABLE django_migrations (app, name)",
                "INSERT INTO django_migrations VALUES ('sharing', '0001_initial')",
            ),
            "of an older version",
            "gridgate migrate",
            ("migrate",),
        ),
        (lambda path: _database(path, "CREATE TABLE t (x)"), "another program's tables", "last backup", ()),
        (lambda path: _database(path, "PRAGMA user_version=1"), "no tables", "last backup", ()),
    ],
    ids=["newer", "older", "foreign", "without tables"],
)  # fmt: skip
def test_no_command_works_on_tables_of_another_version(
    run: Run, data: Path, change: Callable[[Path], None], what: str, remedy: str, spared: tuple[str, ...]
) -> None:
    change(data / "registry.sqlite3")
    for command in COMMANDS:
        if command not in spared:
            code, said = run(command)
            assert (code, what in said, remedy in said) == (2, True, True), f"{command}: {said}"


@pytest.mark.parametrize("content", [None, b"", b"short", b"\xff" * 64, b"\x00" * 64])
def test_a_secret_key_is_never_made_anew_beside_a_registry(
    run: Run, data: Path, content: bytes | None
) -> None:
    key = data / SECRET
    key.unlink()
    if content is not None:
        key.write_bytes(content)
    for command in NEEDS_THE_REGISTRY:
        code, said = run(command)
        assert (code, str(key) in said, "Put it back from the backup of keys/" in said) == (2, True, True), (
            said
        )
    assert (key.read_bytes() if key.exists() else None) == content
    assert run("check")[0] == 1


@pytest.mark.parametrize("damage", [name for name in DAMAGES if name != "its index a folder"])
def test_measurements_are_not_made_anew(run: Run, data: Path, damage: str) -> None:
    do, what = DAMAGES[damage]
    store = data / "measurements.sqlite3"
    do(store)
    before = sorted(data.iterdir())
    code, said = run("ingest FILE")
    assert (code, str(store) in said, what in said) == (2, True, True), said
    fault = files.measurements_fault(Environment(data=data))
    assert str(fault) in said
    assert sorted(data.iterdir()) == before


def test_an_instance_without_its_registry_is_no_place_for_a_new_one(run: Run, data: Path) -> None:
    (data / "registry.sqlite3").unlink()
    code, said = run("demo --no-serve")
    assert (code, "is not empty" in said) == (2, True)
    (data / "registry.sqlite3").mkdir()
    assert run("demo --no-serve")[0] == 2


def test_a_place_that_is_no_folder_is_named(run: Run, data: Path) -> None:
    shutil.rmtree(data)
    data.write_text("")
    for command in (*COMMANDS, "check", "demo --no-serve"):
        code, said = run(command)
        assert (code, str(data) in said) == (2, True), said


def test_check_lists_every_fault_with_its_remedy(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "registry.sqlite3").write_bytes(b"garbage" * 999)
    (data / "measurements.sqlite3").unlink()
    (data / SECRET).write_bytes(b"")
    (data / "keys" / "receipts.pem").unlink()
    (data / "accesslog").rmdir()
    (data / "accesslog").write_text("")
    (data / "attachments").write_text("")
    (data / "prepared").write_text("")
    (data / "mail").write_text("")
    monkeypatch.setenv("GRIDGATE_BRAND_CSS", str(data / "brand.css"))
    before = sorted(path for path in data.rglob("*"))
    found = [str(fault) for fault in files.faults(Environment(data=data))]
    for name in ("registry.sqlite3", "measurements.sqlite3", SECRET, "keys/receipts.pem", "accesslog", "attachments",
                 "prepared", "mail", "brand.css"):  # fmt: skip
        (told,) = [fault for fault in found if fault.startswith(f"{data / name}:")]
        assert told.count(". ") >= 1, told
    assert sorted(path for path in data.rglob("*")) == before


def test_check_is_not_fooled_by_a_sound_beginning(data: Path) -> None:
    registry = data / "registry.sqlite3"
    with closing(sqlite3.connect(registry)) as file, file:
        file.execute("PRAGMA journal_mode=DELETE")
        file.execute("CREATE TABLE filler (x)")
        file.executemany("INSERT INTO filler VALUES (?)", [("x" * 500,)] * 200)
    content = bytearray(registry.read_bytes())
    content[-20_000:-10_000] = os.urandom(10_000)
    registry.write_bytes(content)
    (fault,) = files.faults(Environment(data=data))
    assert str(fault).startswith(f"{registry}: it is damaged")


@pytest.mark.parametrize("name", ["receipts.pem", "former/2026.pem"])
@pytest.mark.parametrize("damage", ["missing", "empty", "garbage", "a folder", "of another kind"])
def test_a_key_that_cannot_be_used_is_named(run: Run, data: Path, name: str, damage: str) -> None:
    key = data / "keys" / name
    key.parent.mkdir(exist_ok=True)
    make_key(key)
    if damage == "of another kind":
        other = generate_private_key(65537, 2048)
        key.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    else:
        DAMAGES[damage][0](key)
    if name.startswith("former") and damage == "missing":
        assert files.key_fault(Environment(data=data)) is None  # nobody can tell that there was one
        return
    code, said = run("receipt verify FILE")
    assert (code, f"{key}: " in said) == (2, True), said
    code, said = run("audit verify")
    assert (code, f"{key}: " in said) == (2, True), said


def test_serving_begins_with_what_cannot_be_done_without_the_key(data: Path) -> None:
    environment = Environment(data=data)
    assert list(files.before_serving(environment)) == []
    environment.receipt_key.unlink()
    (said,) = files.before_serving(environment)
    assert "receipts and letters of what ends wait" in str(said)
    assert "Put it back from the backup" in str(said)


def test_a_log_that_a_power_cut_left_empty_is_no_damage(data: Path) -> None:
    registry = data / "registry.sqlite3"
    for content in (b"", bytes(4096)):
        registry.with_name("registry.sqlite3-wal").write_bytes(content)
        assert fault_of(registry) is None


def test_a_database_that_fails_later_is_told_in_one_message(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(cli, "app", fail)
    code, said = run("check")
    assert (code, "registry.sqlite3: the registry does not answer" in said, "gridgate check" in said) == (
        2,
        True,
        True,
    )


def test_a_file_that_fails_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise PermissionError(13, "Permission denied", "/there/[bold]file")

    monkeypatch.setattr(cli, "app", fail)
    assert run("check") == (
        2,
        "/there/[bold]file: Permission denied. Run the command as the user that owns it, or mend its owner or mode.\n",
    )


def test_a_defect_says_how_to_tell_of_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(cli, "app", fail)
    code, said = run("check")
    assert code == 2
    assert "ZeroDivisionError at test_damaged_files.py:" in said
    assert "GRIDGATE_DEBUG=true" in said
    monkeypatch.setenv("GRIDGATE_DEBUG", "true")
    with pytest.raises(SystemExit):
        cli.main()
    assert "Traceback" in capsys.readouterr().err


def test_being_interrupted_is_no_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "folder_fault", interrupt)
    assert run("worker") == (130, "")
