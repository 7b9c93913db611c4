"""Files taken in by several processes: what one process would have made of them, whatever becomes of the others."""

import errno
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import Any

import pytest

from gridgate.core.quantities import Kind
from gridgate.dataplane.ingest import aside, crew
from gridgate.dataplane.ingest.crew import Given, take_in
from gridgate.dataplane.ingest.mapping import MeterMapping
from gridgate.dataplane.ingest.progress import Untold
from gridgate.dataplane.ingest.work import Work
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.days import day_number
from tests.dataplane_world import CONSO
from tests.ingest_samples import PARIS, offset, plain_csv, starts, zipped
from tests.integration.ingest.conftest import RECORDED_AT, Instance
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.processes

FIRST, SECOND = date(2026, 6, 1), date(2026, 6, 2)
Write = Callable[..., Path]


def day_file(day: date, value: int) -> bytes:
    return plain_csv(
        f"{CONSO},load_curve,withdrawal,{stamp},PT30M,{value + n},W,"
        for n, stamp in enumerate(offset(starts(day)))
    )


def work(instance: Instance, measurements: str = "measurements.sqlite3", *, dry_run: bool = False) -> Work:
    return Work(
        registry=instance.registry.path,
        measurements=instance.data / measurements,
        zone_name=PARIS.key,
        recorded_at=RECORDED_AT,
        mapping=MeterMapping(),
        dry_run=dry_run,
    )


def test_are_told_and_stored_as_one_after_the_other(instance: Instance, write: Write) -> None:
    """The second and the last say the same day otherwise: of two that differ the later one speaks."""
    paths = [
        write(day_file(FIRST, 100), "a.csv"),
        write(day_file(SECOND, 500) * 20, "large.csv"),
        write(b"hello", "bad.txt"),
        write(zipped({"in.csv": day_file(FIRST, 200), "bad.csv": b"hello"}), "c.zip"),
        write(day_file(SECOND, 700), "d.csv"),
    ]
    files = [Given.of(path) for path in [*paths, paths[0].with_name("absent.csv")]]

    alone = [
        ["".join(report.as_json()) for report in reports]
        for reports in take_in(files, work(instance), jobs=1)
    ]
    together = [
        ["".join(report.as_json()) for report in reports]
        for reports in take_in(files, work(instance, "other.sqlite3"), jobs=3)
    ]

    assert together == alone
    with open_store(instance.data / "other.sqlite3", zone=PARIS) as other:
        assert other.sources() == instance.store.sources()
        for block in instance.blocks(Kind.LOAD_CURVE):
            (same,) = other.read(CONSO, block.key.kind, block.key.direction, block.day, block.day)
            assert same.values.tolist() == block.values.tolist()
            assert len(other.versions(block.key, block.day)) == len(
                instance.store.versions(block.key, block.day)
            )


def test_rehearse_what_one_after_the_other_would_store(instance: Instance, write: Write) -> None:
    """The second says the same day otherwise, the third says what the second does: each sees those before."""
    list(take_in([Given.of(write(day_file(FIRST, 50), "held.csv"))], work(instance), jobs=1))
    values = {"a.csv": (FIRST, 100), "b.csv": (FIRST, 200), "c.csv": (FIRST, 200), "d.csv": (SECOND, 500)}
    files = [Given.of(write(day_file(*said), name)) for name, said in values.items()]
    held = instance.store.sources()

    rehearsed = [
        report for reports in take_in(files, work(instance, dry_run=True), jobs=2) for report in reports
    ]

    assert instance.store.sources() == held
    done = [report for reports in take_in(files, work(instance), jobs=1) for report in reports]
    assert rehearsed == done
    assert [report.stored for report in done] == [48, 48, 0, 48]


def test_rehearse_in_several_processes(
    instance: Instance, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [Given.of(write(day_file(day, 100), f"{day}.csv")) for day in (FIRST, SECOND)]
    started: list[Work] = []
    taken = crew._Crew.taken
    monkeypatch.setattr(
        crew._Crew, "taken", lambda one, jobs: (started.append(one.work), taken(one, jobs))[1]
    )

    list(take_in(files, work(instance, dry_run=True), jobs=2))

    (scratch,) = [one.scratch for one in started]
    assert scratch is not None
    assert not scratch.exists()


def test_a_rehearsal_writes_nothing_beside_the_store(instance: Instance) -> None:
    with work(instance, dry_run=True).opened(Untold()) as ingest:
        assert ingest.folder is None


def test_a_process_whose_asker_is_gone_stores_nothing(instance: Instance, write: Write) -> None:
    here, there = Pipe()
    here.send(work(instance))
    here.send(Given.of(write(day_file(FIRST, 100))))
    here.close()

    crew._serve(there)

    assert instance.store.sources() == []


def test_what_is_set_aside_on_disk_comes_from_the_other_process(
    instance: Instance, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "HELD", 10)
    file = Given.of(write(day_file(FIRST, -100)))
    here, there = Pipe()
    for what in (work(instance), file, "store"):
        here.send(what)
    with socket.fromfd(here.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as said:
        said.shutdown(socket.SHUT_WR)

    crew._serve(there)

    asking = crew._Crew([file], work(instance), Untold())
    hand = crew._Hand(subprocess.Popen(["true"]), here, file=0)
    while 0 not in asking.done:
        asking._heard(hand, here.recv())
    hand.process.wait()
    ((report,),) = asking.done.values()
    assert isinstance(report.quarantined, aside.SetAside)
    assert [one.value for one in report.quarantined] == [str(value) for value in range(-100, -52)]
    assert len(instance.store.quarantine()) == 48


def test_a_file_that_cannot_be_read_to_its_end_stops_no_other(
    instance: Instance, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [Given.of(write(day_file(day, 100), f"{day}.csv")) for day in (FIRST, SECOND)]
    take, fault = crew.take, errno.EIO

    def failing(path: Path, *given: Any, **more: Any) -> Any:
        if path == files[0].path:
            raise OSError(fault, os.strerror(fault), str(path))
        return take(path, *given, **more)

    monkeypatch.setattr(crew, "take", failing)

    (first,), (second,) = take_in(files, work(instance), jobs=1)
    assert (first.refused, second.stored) == (True, 48)
    assert "Input/output error" in first.quarantined[0].reason

    fault = errno.ENOSPC
    with pytest.raises(OSError, match="No space left"):
        list(take_in(files, work(instance), jobs=1))


@pytest.mark.parametrize(
    ("fault", "told", "to_do"),
    [
        (
            KeyError("v49"),
            "a defect of Gridgate ended the process that took it in (KeyError: 'v49')",
            "Report it, ",
        ),
        (MemoryError(), "the process that took it in was given no more memory", "Take this one in again, "),
    ],
)
def test_a_defect_is_told_with_what_to_do_and_want_of_memory_is_none(
    instance: Instance,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    told: str,
    to_do: str,
) -> None:
    def failing(path: Path, *given: Any, **more: Any) -> Any:
        raise fault

    monkeypatch.setattr(crew, "take", failing)
    file = Given.of(write(day_file(FIRST, 100)))
    here, there = Pipe()
    here.send(work(instance))
    here.send(file)
    with pytest.raises(type(fault)):
        crew._serve(there)
    there.close()

    asking = crew._Crew([file], work(instance), Untold())
    hand = crew._Hand(subprocess.Popen(["false"]), here, file=0)
    asking.hands.append(hand)
    while 0 not in asking.done:
        asking._listen(0)
    ((report,),) = asking.done.values()
    ((where, why),) = [(one.where, one.reason) for one in report.quarantined]
    assert (report.path, where, report.refused) == (file.name, "file", True)
    assert why.startswith(told)
    assert f"the other files were not touched by that. {to_do}" in why


def test_processes_that_end_at_once_are_told_for_each_file(
    instance: Instance, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [Given.of(write(day_file(day, 100), f"{day}.csv")) for day in (FIRST, SECOND)]
    popen = subprocess.Popen
    monkeypatch.setattr(crew.subprocess, "Popen", lambda command, **how: popen(["false"], **how))

    reports = [report for reports in take_in(files, work(instance), jobs=2) for report in reports]

    assert [report.refused for report in reports] == [True, True]
    assert "was ended with 1" in reports[0].quarantined[0].reason


def test_no_wait_for_the_processes_is_without_end(
    instance: Instance, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python sees an interruption that comes just before the system waits only once that is over."""
    files = [Given.of(write(day_file(day, 100), f"{day}.csv")) for day in (FIRST, SECOND)]
    waited: list[float | None] = []
    wait = crew.wait

    def noted(lines: list[Any], timeout: float | None = None) -> list[Any]:
        waited.append(timeout)
        return wait(lines, timeout)

    monkeypatch.setattr(crew, "wait", noted)
    reports = [report for reports in take_in(files, work(instance), jobs=2) for report in reports]

    assert [report.stored for report in reports] == [48, 48]
    assert waited
    assert None not in waited


class TestInterrupted:
    @pytest.fixture
    def running(self, instance: Instance, write: Write) -> Iterator["subprocess.Popen[str]"]:
        """Three files taken in by two processes; the first one never ends storing its own."""
        paths = [write(day_file(day, 100), f"{day}.csv") for day in (FIRST, SECOND, date(2026, 6, 3))]
        with sqlite3.connect(instance.data / "measurements.sqlite3", isolation_level=None) as db:
            db.execute(
                "create view endless as with recursive n(i) as (values (1) union all select i + 1 from n) select i from n"
            )
            db.execute(
                f"create trigger hold before insert on block when new.day = {day_number(FIRST)}"
                " begin select max(i) from endless; end"
            )
        db.close()
        command = [sys.executable, "-m", "gridgate.config.cli", "--data", str(instance.data), "ingest"]
        process = subprocess.Popen(
            [*command, "--jobs", "2", "--json", *map(str, paths)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            until(
                lambda: is_writing(instance) and len(children(process.pid)) == 2,
                "both processes, and the first file half stored",
            )
            yield process
        finally:
            for pid in [*children(process.pid), process.pid]:
                end(pid)
            process.communicate()

    def test_a_killed_process_takes_its_own_file_down_and_no_other(
        self, instance: Instance, running: "subprocess.Popen[str]"
    ) -> None:
        end(children(running.pid)[0])

        output, _ = running.communicate(timeout=PATIENCE)

        assert running.returncode == 1
        first, second, third = json.loads(output)["files"]
        assert "was ended by SIGKILL" in first["quarantined"][0]["reason"]
        assert (second["stored"], third["stored"]) == (48, 48)
        assert [block.day for block in instance.blocks(Kind.LOAD_CURVE)] == [SECOND, date(2026, 6, 3)]

    def test_an_interruption_says_how_far_it_came_and_leaves_no_process(
        self, running: "subprocess.Popen[str]"
    ) -> None:
        started = children(running.pid)
        running.send_signal(signal.SIGINT)

        output, errors = running.communicate(timeout=PATIENCE)

        assert running.returncode == 130
        assert output == ""
        assert "Interrupted: 0 of 3 files had been taken in. Run the same command again" in errors
        assert len(started) == 2
        assert not any(Path(f"/proc/{pid}").exists() for pid in started)


def is_writing(instance: Instance) -> bool:
    db = sqlite3.connect(instance.data / "measurements.sqlite3", isolation_level=None, timeout=0)
    try:
        db.execute("begin immediate")
    except sqlite3.OperationalError:
        return True
    finally:
        db.close()
    return False


def children(pid: int) -> list[int]:
    """In the order in which they were started, which their numbers do not always have."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
