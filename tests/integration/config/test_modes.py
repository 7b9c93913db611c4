"""What an instance writes is for its own user alone; the shell that starts these has the usual, wider umask."""

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from gridgate.config.environment import Environment
from gridgate.config.private import open_to_others, replaceable_by_others, take_folder
from tests.browser_session import submit
from tests.instance import Server, run_gridgate
from tests.mailbox import newest_mail
from tests.waiting import PATIENCE


def modes(folder: Path) -> set[str]:
    found = set()
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):  # a draft of an instance that is at work
            found.add(oct(stat.S_IMODE(path.lstat().st_mode)))
    return found


def widen(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


class TestTheFolderOfANewInstance:
    def test_is_made_for_its_user_alone(self, data: Path) -> None:
        take_folder(Environment(data=data))
        assert modes(data) == {"0o700"}

    def test_is_closed_when_it_holds_what_is_the_instances_alone(self, data: Path) -> None:
        for kept in ((), ("keys/secret_key", "registry.sqlite3-wal", "mail/1.log")):
            for name in kept:
                (data / name).parent.mkdir(parents=True, exist_ok=True)
                (data / name).touch()
            data.mkdir(exist_ok=True)
            widen(data)
            take_folder(Environment(data=data))
            assert modes(data) == ({"0o700", "0o600"} if kept else {"0o700"})

    def test_stays_as_it_is_when_somebody_has_files_there(self, data: Path) -> None:
        data.mkdir()
        (data / "page.html").touch()
        widen(data)
        take_folder(Environment(data=data))
        assert open_to_others(data) == [data, data / "page.html"]

    def test_is_closed_with_all_in_it_after_init(self, empty_template: Path) -> None:
        assert modes(empty_template) == {"0o700", "0o600"}


def test_what_a_running_instance_writes_is_closed_too(demo_server: Server) -> None:
    bob = demo_server.world["users"]["bob"]["email"]
    with httpx.Client(base_url=demo_server.base_url, timeout=PATIENCE) as client:
        submit(client, "/mot-de-passe/oublie/", email=bob)
    newest_mail(demo_server, bob)
    names = {path.name for path in demo_server.data.rglob("*")}
    assert {"registry.sqlite3-wal", "measurements.sqlite3", "demo.json", "mail", "metrics"} <= names
    assert modes(demo_server.data) == {"0o700", "0o600"}


def test_check_names_what_others_may_open_and_how_to_mend_it(empty_instance: Path, tmp_path: Path) -> None:
    data = tmp_path / "shared" / "instance"
    shutil.copytree(empty_instance, data)
    widen(data)
    data.parent.chmod(0o775)
    said = run_gridgate("check", "--deploy", data=data, check=False).stderr
    assert f"of the instance's files and folders: {data}, {data / 'accesslog'}, " in said
    assert f"more. Run: chmod -R go-rwx {data}\n" in said
    assert f"Run: chmod go-w {data.parent}\n" in said
    assert f"{tmp_path} can be written" not in said
    assert "Set GRIDGATE_CONTACT_EMAIL, GRIDGATE_CONTACT_PHONE or GRIDGATE_CONTACT_URL." in said


def test_links_and_folders_that_all_may_write_but_not_rename_in_are_no_fault(tmp_path: Path) -> None:
    sticky = tmp_path / "sticky"
    data = sticky / "data"
    data.mkdir(parents=True)
    data.chmod(0o700)
    sticky.chmod(0o1777)
    (data / "link").symlink_to(sticky)
    assert open_to_others(data) == []
    assert list(replaceable_by_others(data)) == []
    sticky.chmod(0o777)
    assert list(replaceable_by_others(data)) == [sticky]


def test_every_command_closes_what_it_makes() -> None:
    """By the one door that all commands pass; what they start inherits it."""
    before = os.umask(0o022)
    try:
        from typer.testing import CliRunner

        from gridgate.config.cli import app

        CliRunner().invoke(app, ["receipt", "verify", "--help"])
        assert os.umask(0o022) == 0o077
    finally:
        os.umask(before)
