"""A folder that files are dropped into: each is taken once, whole, and found again with its report, whatever happens."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gridgate.config.cli import app
from gridgate.config.commands import watch as watch_command
from gridgate.config.commands.watch import _Watcher
from gridgate.config.environment import read_environment
from gridgate.config.ingesting import drop_folder
from gridgate.config.ingesting.drop_folder import DropFolder
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import Kind
from gridgate.dataplane.ingest import crew
from gridgate.dataplane.ingest.mapping import MeterMapping
from gridgate.dataplane.ingest.readers.plain_csv import READER
from tests.dataplane_world import CONSO
from tests.ingest_samples import offset, plain_csv, starts, zipped
from tests.integration.ingest.conftest import Instance
from tests.waiting import PATIENCE, until

FIRST, SECOND = date(2026, 6, 1), date(2026, 6, 2)


def day_file(day: date, value: int) -> bytes:
    return plain_csv(
        f"{CONSO},load_curve,withdrawal,{stamp},PT30M,{value + n},W,"
        for n, stamp in enumerate(offset(starts(day)))
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "incoming"
    made.mkdir()
    return made


@pytest.fixture
def watch_once(instance: Instance, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("GRIDGATE_DATA", str(instance.data))
    return lambda *more: CliRunner().invoke(app, ["watch", str(folder), "--once", "--settle", "0", *more])


@pytest.fixture
def watching(
    instance: Instance, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[DropFolder, _Watcher]]:
    """Another watcher of the folder, in this process."""
    monkeypatch.setenv("GRIDGATE_DATA", str(instance.data))

    def watching(settle: float = 0, **more: Any) -> tuple[DropFolder, _Watcher]:
        dropped = DropFolder(folder, settle, **more)
        return dropped, _Watcher(dropped, read_environment(), MeterMapping(), "auto", None)

    return watching


def die(dropped: DropFolder) -> None:
    """As a process that is killed does: its lock is let go of, and nothing else."""
    os.close(dropped._lock)


def names(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.is_dir() and path.name != "lock"
    }


def with_reports(name: str) -> set[str]:
    return {name, f"{name}.report.json", f"{name}.report.txt"}


class TestWhereFilesGo:
    def test_to_done_and_quarantine_each_with_its_report(
        self, instance: Instance, folder: Path, watch_once: Callable[..., Result]
    ) -> None:
        (folder / "good.csv").write_bytes(day_file(FIRST, 100))
        (folder / "part.csv").write_bytes(day_file(SECOND, 100).replace(b",100,W", b",-100,W"))
        (folder / "unknown.csv").write_bytes(day_file(FIRST, 100).replace(CONSO.encode(), b"99999999999999"))
        (folder / "bad.csv").write_bytes(b"hello")
        (folder / "bad.zip").write_bytes(zipped({"a.csv": b"hello"}))

        done = watch_once()

        assert done.exit_code == 1
        assert f"good.csv: 48 stored, 0 unchanged, 0 set aside: {folder}/done/good.csv" in done.output
        assert names(folder) == {
            *with_reports("done/good.csv"),
            *with_reports("done/part.csv"),
            *with_reports("quarantine/unknown.csv"),
            *with_reports("quarantine/bad.csv"),
            *with_reports("quarantine/bad.zip"),
        }
        assert json.loads((folder / "done/good.csv.report.json").read_text()) == {
            "files": [
                {
                    "path": str(folder / "good.csv"),
                    "format": "csv",
                    "read": 48,
                    "stored": 48,
                    "unchanged": 0,
                    "quarantined": [],
                }
            ]
        }
        assert "the value is negative" in (folder / "done/part.csv.report.txt").read_text()
        reason = (folder / "quarantine/unknown.csv.report.txt").read_text()
        assert "--map" in reason
        assert "--metering-point" not in reason, "the command has no such option"
        assert "nothing was taken" in (folder / "quarantine/bad.csv.report.txt").read_text()
        assert instance.store.sources()[-1].source.name in (
            str(folder / "good.csv"),
            str(folder / "part.csv"),
            str(folder / "bad.csv"),
        )

    def test_under_other_names_when_theirs_are_taken(
        self, folder: Path, watch_once: Callable[..., Result]
    ) -> None:
        contents = [day_file(FIRST, value) for value in (100, 200, 300)]
        for content in contents:
            (folder / "day.csv").write_bytes(content)
            assert watch_once().exit_code == 0

        kept = [(folder / "done" / name).read_bytes() for name in ("day.csv", "day.2.csv", "day.3.csv")]
        assert kept == contents
        assert len(names(folder)) == 9

    def test_links_and_what_is_no_file_are_refused_unread(
        self, folder: Path, tmp_path: Path, watch_once: Callable[..., Result]
    ) -> None:
        secret = tmp_path / "secret.csv"
        secret.write_bytes(day_file(FIRST, 100))
        (folder / "link.csv").symlink_to(secret)
        os.mkfifo(folder / "pipe.csv")

        assert watch_once().exit_code == 1

        assert (folder / "quarantine/link.csv").is_symlink()
        assert "a link" in (folder / "quarantine/link.csv.report.txt").read_text()
        assert "no file of data" in (folder / "quarantine/pipe.csv.report.txt").read_text()
        assert secret.exists()

    def test_what_may_not_be_read_is_refused_with_its_owner(
        self, folder: Path, watch_once: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (folder / "theirs.csv").write_bytes(day_file(FIRST, 100))
        (folder / "theirs.csv").chmod(0o600)
        access = os.access
        monkeypatch.setattr(
            os, "access", lambda path, mode: Path(path).name != "theirs.csv" and access(path, mode)
        )

        watch_once()

        report = json.loads((folder / "quarantine/theirs.csv.report.json").read_text())
        assert (
            f"its owner is user {os.getuid()}, its mode 600" in report["files"][0]["quarantined"][0]["reason"]
        )

    def test_a_reader_that_fails_holds_up_no_other_file(
        self,
        instance: Instance,
        folder: Path,
        watching: Callable[..., tuple[DropFolder, _Watcher]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        (folder / "a.csv").write_bytes(day_file(FIRST, 100).replace(CONSO.encode(), b"defect"))
        (folder / "b.csv").write_bytes(day_file(SECOND, 100))
        read = type(READER).read

        def failing(self: Any, content: Any, notes: Any) -> Any:
            if b"defect" in content.head:
                raise TypeError("no such thing")
            return read(self, content, notes)

        monkeypatch.setattr(type(READER), "read", failing)
        _, watcher = watching()

        watcher.look()
        watcher.look()

        assert names(folder) == with_reports("quarantine/a.csv") | with_reports("done/b.csv")
        assert "TypeError: no such thing" in (folder / "quarantine/a.csv.report.txt").read_text()


class TestWhichAreWhole:
    def test_those_that_have_not_changed_for_a_while(
        self, folder: Path, watching: Callable[..., tuple[DropFolder, _Watcher]]
    ) -> None:
        now = [0.0]
        dropped, _ = watching(5, clock=lambda: now[0])
        file = folder / "day.csv"
        content = day_file(FIRST, 100)
        for written in (500, 1000, len(content)):
            file.write_bytes(content[:written])
            assert dropped.whole() == []
            now[0] += 4
        assert dropped.whole() == []
        now[0] += 1

        assert [claim.name for claim in dropped.whole()] == ["day.csv"]

    def test_an_empty_one_is_waited_for(
        self, folder: Path, watching: Callable[..., tuple[DropFolder, _Watcher]]
    ) -> None:
        now = [0.0]
        dropped, _ = watching(5, clock=lambda: now[0])
        (folder / "day.csv").touch()
        for _ in range(7):
            assert dropped.whole() == []
            now[0] += 8.5
        now[0] += 1
        assert len(dropped.whole()) == 1

    @pytest.mark.parametrize(
        "name", [".day.csv", "day.csv.part", "day.csv.TMP", "day.csv.filepart", "day.csv~"]
    )
    def test_not_those_that_are_called_as_in_writing(
        self, folder: Path, watching: Callable[..., tuple[DropFolder, _Watcher]], name: str
    ) -> None:
        (folder / name).write_bytes(day_file(FIRST, 100))
        dropped, _ = watching()

        assert dropped.whole() == []
        (folder / name).rename(folder / "day.csv")
        assert len(dropped.whole()) == 1

    def test_not_what_is_in_a_folder_which_is_told_once(
        self, folder: Path, watching: Callable[..., tuple[DropFolder, _Watcher]]
    ) -> None:
        (folder / "sub").mkdir()
        (folder / "sub" / "day.csv").write_bytes(day_file(FIRST, 100))
        told: list[str] = []
        dropped, _ = watching(tell=told.append)

        assert dropped.whole() + dropped.whole() == []
        assert told == [f"{folder / 'sub'} is a folder: what is in it is not taken"]

    def test_one_that_is_written_to_while_it_is_taken_is_taken_again(
        self,
        instance: Instance,
        folder: Path,
        watching: Callable[..., tuple[DropFolder, _Watcher]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        file = folder / "day.csv"
        file.write_bytes(day_file(FIRST, 100))
        sender = file.open("ab")
        _, watcher = watching()
        taken_in = crew.take_in

        def while_the_sender_writes(*given: Any, **more: Any) -> Iterator[Any]:
            for reports in taken_in(*given, **more):
                sender.write(day_file(SECOND, 100).partition(b"\n")[2])
                sender.close()
                yield reports

        monkeypatch.setattr(crew, "take_in", while_the_sender_writes)
        watcher.look()
        assert not (folder / "done/day.csv").exists()
        monkeypatch.setattr(crew, "take_in", taken_in)
        watcher.look()

        assert names(folder) == with_reports("done/day.csv")
        assert [block.day for block in instance.blocks(Kind.LOAD_CURVE)] == [FIRST, SECOND]

    def test_a_few_at_a_time_and_none_waits_longer_for_that(
        self,
        folder: Path,
        watching: Callable[..., tuple[DropFolder, _Watcher]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(drop_folder, "_AT_ONCE", 2)
        now = [0.0]
        _, watcher = watching(5, clock=lambda: now[0])
        for number in range(5):
            (folder / f"{number}.csv").write_bytes(day_file(FIRST, 100))
        assert watcher.look()
        now[0] += 5

        for left in (3, 1, 0):
            assert watcher.look()
            assert len(list(folder.glob("*.csv"))) == left

    def test_once_all_of_them_however_many(
        self, folder: Path, watch_once: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(drop_folder, "_AT_ONCE", 2)
        for number in range(5):
            (folder / f"{number}.csv").write_bytes(day_file(FIRST, 100))

        assert watch_once().exit_code == 0

        assert names(folder) == {name for n in range(5) for name in with_reports(f"done/{n}.csv")}

    def test_once_one_that_is_written_to_all_the_time_holds_it_up_for_no_longer(
        self,
        folder: Path,
        watch_once: Callable[..., Result],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        (folder / "day.csv").write_bytes(day_file(FIRST, 100))
        states = iter(range(1000))
        monkeypatch.setattr(DropFolder, "state", lambda self, claim: next(states))

        watch_once()

        [left] = {name for name in names(folder) if not name.endswith(".begun")}
        assert left.startswith(".taking/")


@pytest.mark.parametrize("settle", [0, 60])
def test_stopped_it_says_what_is_in_hand_only_when_something_is(
    instance: Instance, folder: Path, monkeypatch: pytest.MonkeyPatch, settle: int
) -> None:
    """A file that another watcher left is in hand at once, and waits until it has not changed for a while."""

    def stop(seconds: float) -> None:
        raise KeyboardInterrupt

    left = DropFolder(folder, 0)
    (folder / "day.csv").write_bytes(day_file(FIRST, 100))
    left.whole()
    die(left)
    monkeypatch.setenv("GRIDGATE_DATA", str(instance.data))
    monkeypatch.setattr(watch_command.time, "sleep", stop)

    done = CliRunner().invoke(app, ["watch", str(folder), "--settle", str(settle)])

    said = "Stopped; what was in hand is taken in at the next start." if settle else "Stopped."
    assert done.stdout.splitlines()[-1] == said
    assert bool(list(folder.glob(".taking/*/*/day.csv"))) is bool(settle)


class TestSeveralWatchers:
    def test_take_no_file_twice(
        self, folder: Path, watching: Callable[..., tuple[DropFolder, _Watcher]]
    ) -> None:
        (folder / "day.csv").write_bytes(day_file(FIRST, 100))
        first, _ = watching()
        second, _ = watching()

        assert [claim.name for claim in first.whole()] == ["day.csv"]
        assert second.whole() == []

    def test_take_over_from_one_that_died(
        self, instance: Instance, folder: Path, watching: Callable[..., tuple[DropFolder, _Watcher]]
    ) -> None:
        (folder / "day.csv").write_bytes(day_file(FIRST, 100))
        first, _ = watching()
        _, watcher = watching()
        first.whole()
        (folder / "day.csv").write_bytes(day_file(SECOND, 100))  # another, of the same name

        die(first)
        watcher.look()

        assert names(folder) == with_reports("done/day.csv") | with_reports("done/day.2.csv")
        assert [block.day for block in instance.blocks(Kind.LOAD_CURVE)] == [FIRST, SECOND]


DEADLY = """
import os, signal
from gridgate.config.cli import app
from gridgate.dataplane.ingest.readers.plain_csv import READER

read = type(READER).read

def deadly(self, content, notes):
    if b"deadly" in content.head:
        os.kill(os.getpid(), signal.SIGKILL)
    return read(self, content, notes)

type(READER).read = deadly
app()
"""


@pytest.mark.processes
def test_a_file_that_kills_its_watcher_is_begun_three_times_and_holds_up_no_other(
    instance: Instance, folder: Path
) -> None:
    (folder / "a.csv").write_bytes(day_file(FIRST, 100).replace(CONSO.encode(), b"deadly"))
    (folder / "b.csv").write_bytes(day_file(SECOND, 100))
    command = [sys.executable, "-c", DEADLY, "--data", str(instance.data), "watch", str(folder)]

    def ended() -> int:
        return subprocess.run(
            [*command, "--once", "--settle", "0", "--jobs", "1"], check=False, timeout=PATIENCE
        ).returncode

    assert [ended(), ended()] == [-signal.SIGKILL] * 2
    assert with_reports("done/b.csv") < names(folder), "the other one comes first from then on"
    assert [ended(), ended()] == [-signal.SIGKILL, watch_command.SOME_SET_ASIDE]
    assert names(folder) == with_reports("quarantine/a.csv") | with_reports("done/b.csv")
    told = (folder / "quarantine/a.csv.report.txt").read_text()
    assert "it was begun 3 times, and no outcome was recorded" in told
    assert "No cause is known" in told
    assert "nothing was taken" not in told, "nobody knows"


@pytest.mark.parametrize("ends", [KeyboardInterrupt, OSError(errno.ENOSPC, "full"), GridgateError])
def test_what_this_process_outlives_or_was_told_does_not_count_against_the_file(
    folder: Path,
    watching: Callable[..., tuple[DropFolder, _Watcher]],
    monkeypatch: pytest.MonkeyPatch,
    ends: Any,
) -> None:
    (folder / "day.csv").write_bytes(day_file(FIRST, 100))
    dropped, watcher = watching()
    counts = []

    def ending(*_: Any, **__: Any) -> Any:
        [claim] = dropped._claims
        counts.append(dropped.begun(claim))
        raise ends if ends is not GridgateError else GridgateError(ErrorKind.UNAVAILABLE, "no answer")

    with monkeypatch.context() as patched:
        patched.setattr(crew, "take", ending)
        for _ in range(4):
            with suppress(KeyboardInterrupt):
                assert watcher.look() is False
    assert counts == [1] * 4, "counted before the work begins"
    watcher.look()
    assert names(folder) == with_reports("done/day.csv")


@pytest.mark.parametrize("ends", [KeyboardInterrupt, OSError(errno.ENOSPC, "full")])
def test_counting_that_is_broken_off_does_not_count(
    folder: Path,
    watching: Callable[..., tuple[DropFolder, _Watcher]],
    monkeypatch: pytest.MonkeyPatch,
    ends: Any,
) -> None:
    """A full disk, or the end of the service, told as the count was being made durable: neither is the file's doing."""
    (folder / "day.csv").write_bytes(day_file(FIRST, 100))
    dropped, watcher = watching()

    def broken_off(_: int) -> None:
        raise ends

    with monkeypatch.context() as patched:
        patched.setattr(drop_folder.os, "fsync", broken_off)
        for _ in range(4):
            with suppress(KeyboardInterrupt):
                assert watcher.look() is False
    [claim] = dropped._claims
    assert dropped.begun(claim) == 0
    watcher.look()
    assert names(folder) == with_reports("done/day.csv")


class Killed(BaseException):
    pass


STEPS = ("rename", "mkdir", "unlink", "rmdir", "fsync")


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_instant_nothing_is_lost_or_doubled(
    instance: Instance,
    folder: Path,
    watching: Callable[..., tuple[DropFolder, _Watcher]],
    monkeypatch: pytest.MonkeyPatch,
    when: str,
) -> None:
    """Before and after each thing done to the folder, one after the other, until there is nothing more to break off."""
    content = day_file(FIRST, 100)
    survived = False
    deaths = 0
    while not survived:
        (folder / f"{deaths}.csv").write_bytes(content)
        left = [deaths]

        def counting(name: str, really: Callable[..., Any], left: list[int] = left) -> Callable[..., Any]:
            def call(*given: Any, **more: Any) -> Any:
                left[0] -= 1
                if left[0] == -1 and when == "before":
                    raise Killed
                result = really(*given, **more)
                if left[0] == -1:
                    raise Killed
                return result

            return call

        dropped, watcher = watching()
        with monkeypatch.context() as patched:
            for name in STEPS:
                patched.setattr(os, name, counting(name, getattr(os, name)))
            try:
                watcher.look()
                survived = True
            except Killed:
                deaths += 1
        die(dropped)

        dropped, watcher = watching()
        watcher.look()
        dropped.close()
        name = f"{deaths - (not survived)}.csv"
        assert (folder / "done" / name).read_bytes() == content
        expected = {file for n in range(deaths + survived) for file in with_reports(f"done/{n}.csv")}
        assert names(folder) == expected
        assert [path.name for path in (folder / ".taking").iterdir()] == ["lock"]
    assert deaths > 6
    assert len(instance.blocks(Kind.LOAD_CURVE)) == 1
    (block,) = instance.blocks(Kind.LOAD_CURVE)
    assert len(instance.store.versions(block.key, block.day)) == 1


def test_a_full_disk_is_told_and_what_was_in_hand_is_taken_later(
    folder: Path,
    watching: Callable[..., tuple[DropFolder, _Watcher]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "day.csv").write_bytes(day_file(FIRST, 100))
    _, watcher = watching()

    def full(path: Path, text: str) -> None:
        path.write_text("half", encoding="utf-8")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(drop_folder, "_write", full)
        assert watcher.look() is False

    assert "No space left on device. Nothing is lost; it is tried again" in capsys.readouterr().out
    assert watcher.look() is True
    assert names(folder) == with_reports("done/day.csv")
    (report,) = json.loads((folder / "done/day.csv.report.json").read_text())["files"]
    assert (report["stored"], report["unchanged"]) == (0, 48)


@pytest.mark.processes
def test_as_a_service_it_takes_what_comes_and_ends_when_told(instance: Instance, folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "gridgate.config.cli",
        "--data",
        str(instance.data),
        "watch",
        str(folder),
    ]
    process = subprocess.Popen(
        [*command, "--settle", "0", "--interval", "0.1"], stdout=subprocess.PIPE, text=True
    )
    try:
        until(lambda: (folder / ".taking").is_dir(), "the watcher at work")
        (folder / ".day.csv").write_bytes(day_file(FIRST, 100))
        (folder / ".day.csv").rename(folder / "day.csv")
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(2)]  # not before the file has gone where it goes
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()

    assert process.returncode == 0
    assert said[0] == f"Watching {folder}\n"
    assert said[1].startswith("day.csv: 48 stored")
    assert names(folder) == with_reports("done/day.csv")
    assert output.splitlines()[-1] == "Stopped."
    assert list((folder / ".taking").iterdir()) == [folder / ".taking" / "lock"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_though_what_the_signal_raised_was_lost(
    instance: Instance, folder: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """As it is when the signal comes while Python removes an object."""
    looks = []

    def look(_: _Watcher) -> bool:
        looks.append(1)
        if len(looks) > 1:
            raise AssertionError("it went on")
        with suppress(KeyboardInterrupt):
            signal.raise_signal(number)
        return True

    monkeypatch.setenv("GRIDGATE_DATA", str(instance.data))
    monkeypatch.setattr(_Watcher, "look", look)
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    done = CliRunner().invoke(app, ["watch", str(folder), "--interval", "0.1"])

    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "Stopped.")
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


class TestWhoeverMayRenameWhatLiesInTheFolder:
    """A sender has the right to write to the folder, and so to move what is in it; the watcher has rights of its own."""

    @pytest.fixture
    def precious(self, tmp_path: Path) -> Path:
        made = tmp_path / "access-log"
        made.mkdir()
        (made / "2026-11-25-aa.jsonl").write_text("{}\n")
        return made

    @pytest.mark.parametrize("draft", [".done", ".else"])
    def test_cannot_have_files_elsewhere_removed_or_moved(
        self, folder: Path, precious: Path, draft: str
    ) -> None:
        dropped = DropFolder(folder, 0)
        (folder / ".taking").rename(folder / "aside")
        theirs = folder / ".taking" / "0" / "1"
        theirs.mkdir(parents=True)
        (theirs / draft).symlink_to(precious)
        (theirs / "r63.json").write_text("{}")
        assert dropped.whole() == []
        assert names(precious) == {"2026-11-25-aa.jsonl"}

    @pytest.mark.parametrize("name", ["done", "quarantine", ".taking"])
    def test_cannot_have_files_put_elsewhere_by_a_link_that_is_there_before(
        self, folder: Path, precious: Path, name: str
    ) -> None:
        (folder / name).symlink_to(precious)
        with pytest.raises(GridgateError, match="is no folder, or a link to one"):
            DropFolder(folder, 0)

    def test_nor_by_one_that_is_put_there_later(self, folder: Path, precious: Path) -> None:
        dropped = DropFolder(folder, 0)
        (folder / "2026-11-25-bb.jsonl").write_text("{}\n")
        [claim] = dropped.whole()
        (folder / "quarantine").rename(folder / "aside")
        (folder / "quarantine").symlink_to(precious)
        dropped.put_away(claim, "quarantine", {".report.txt": "no"})
        assert names(precious) == {"2026-11-25-aa.jsonl"}
        assert names(folder / "aside") == {"2026-11-25-bb.jsonl", "2026-11-25-bb.jsonl.report.txt"}

    def test_learns_nothing_of_a_file_of_the_watcher_by_another_name_of_it(
        self, folder: Path, watch_once: Callable[..., Result], tmp_path: Path
    ) -> None:
        key = tmp_path / "key.pem"
        key.write_text("-----BEGIN PRIVATE KEY-----")
        (folder / "key.csv").hardlink_to(key)
        watch_once()
        assert key.read_text() == "-----BEGIN PRIVATE KEY-----"
        told = (folder / "quarantine" / "key.csv.report.json").read_text()
        assert "BEGIN" not in told
        assert "it has another name elsewhere" in told

    def test_has_no_hand_in_where_files_in_hand_lie(self, folder: Path) -> None:
        (folder / ".taking").mkdir()
        (folder / ".taking").chmod(0o777)
        with pytest.raises(GridgateError, match="others than the user that this runs as may write"):
            DropFolder(folder, 0)


def test_a_name_too_long_for_its_reports_holds_up_no_other(
    watch_once: Callable[..., Result], folder: Path
) -> None:
    long = f"{'a' * 240}.csv"
    (folder / long).write_bytes(b"no data")
    (folder / "b.csv").write_bytes(day_file(FIRST, 100))
    result = watch_once()
    assert "tried again" not in result.output
    assert with_reports("b.csv") <= names(folder / "done")
    assert with_reports(f"{'a' * 216}.csv") == names(folder / "quarantine")
