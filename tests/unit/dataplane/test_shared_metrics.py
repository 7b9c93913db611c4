"""Metrics of several processes: added up, kept when a process dies, and never the end of one when a disk is full."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from gridgate.dataplane.http import shared_metrics
from gridgate.dataplane.http.shared_metrics import share, shared_directory, write_changes

WRITE_SOON = shared_metrics._Changes.write_soon


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    for name in ("directory", "number", "lock", "files"):
        monkeypatch.setattr(shared_metrics._Place, name, getattr(shared_metrics._Place, name))
    monkeypatch.setattr(shared_metrics._Place, "changes", None, raising=False)
    monkeypatch.setattr(shared_metrics._Changes, "write_soon", lambda self: None)  # the tests say when


def ends() -> None:
    """What the system does when a process ends, however it does."""
    write_changes()
    os.close(shared_metrics._Place.lock)


def counted(directory: Path) -> str:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(directory))
    return generate_latest(registry).decode()


def counter() -> Counter:
    return Counter("reads_total", "Reads.", ["outcome"], registry=None)


def test_processes_are_added_up_and_what_a_dead_one_counted_stays(tmp_path: Path) -> None:
    assert share(tmp_path, 2)
    counter().labels("granted").inc(3)
    Histogram("seconds", "Time.", buckets=(1, 2), registry=None).observe(1.5)
    first = shared_metrics._Place.lock
    write_changes()
    assert share(tmp_path, 2)
    assert shared_directory() == tmp_path
    counter().labels("granted").inc(4)
    ends()
    assert share(tmp_path, 2), "the place of the one that ended"
    counter().labels("granted").inc()
    write_changes()
    text = counted(tmp_path)
    assert 'reads_total{outcome="granted"} 8.0' in text
    assert 'seconds_bucket{le="1.0"} 0.0' in text
    assert 'seconds_bucket{le="2.0"} 1.0' in text
    assert "seconds_sum 1.5" in text
    assert len(list(tmp_path.glob("*.db"))) == 4
    ends()
    os.close(first)


def test_what_cannot_be_written_is_told_once_and_written_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert share(tmp_path, 1)
    reads = counter()
    reads.labels("granted").inc()
    write_changes()

    def no_room(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", no_room)
        for _ in range(5):
            reads.labels("granted").inc()
            reads.labels("no_permission").inc()
            write_changes()
    assert caplog.text.count("No space left on device") == 1
    assert 'reads_total{outcome="granted"} 1.0' in counted(tmp_path)
    write_changes()
    text = counted(tmp_path)
    assert 'reads_total{outcome="granted"} 6.0' in text
    assert 'reads_total{outcome="no_permission"} 5.0' in text
    ends()


def test_no_page_of_a_file_is_mapped(tmp_path: Path) -> None:
    assert share(tmp_path, 1)
    counter().labels("granted").inc()
    assert str(tmp_path) not in Path("/proc/self/maps").read_text()
    ends()


def test_a_process_without_a_place_counts_for_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a file").touch()
    assert not share(tmp_path / "a file", 1)
    assert not share(tmp_path, 0)
    assert "kept by each web process" in caplog.text
    assert shared_directory() is None


def test_whoever_counts_writes_nothing_and_changes_are_written_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert share(tmp_path, 1)
    reads, writes = counter().labels("granted"), []
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda *given: writes.append(given) or pwrite(*given))
    for _ in range(100):
        reads.inc()
    assert writes == []
    write_changes()
    assert len(writes) == 1
    assert 'reads_total{outcome="granted"} 100.0' in counted(tmp_path)
    ends()


def test_writing_ends_however_fast_others_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert share(tmp_path, 1)
    reads = counter()
    first, busy = reads.labels("first"), reads.labels("busy")
    writes, pwrite = [], os.pwrite

    def counts_on(*given: Any) -> int:
        writes.append(given)
        assert len(writes) < 10, "it goes on as long as others count"
        busy.inc()
        return pwrite(*given)

    first.inc()
    busy.inc()
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", counts_on)
        write_changes()
    assert len(writes) == 2
    assert 'reads_total{outcome="first"} 1.0' in counted(tmp_path)
    write_changes()
    assert 'reads_total{outcome="busy"} 3.0' in counted(tmp_path)
    ends()


def test_changes_are_written_by_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_metrics._Changes, "write_soon", WRITE_SOON)
    assert share(tmp_path, 1)
    reads, written = counter().labels("granted"), threading.Event()
    pwrite = os.pwrite

    def seen(*given: Any) -> int:
        done = pwrite(*given)
        written.set()
        return done

    monkeypatch.setattr(os, "pwrite", seen)
    reads.inc()
    written.wait()
    assert 'reads_total{outcome="granted"} 1.0' in counted(tmp_path)
    ends()


def test_a_thread_that_the_system_refuses_fails_nobody_and_is_begun_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_metrics._Changes, "write_soon", WRITE_SOON)
    assert share(tmp_path, 1)
    reads = counter().labels("granted")
    begun: list[str] = []

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    reads.inc()
    monkeypatch.setattr(threading.Thread, "start", lambda thread: begun.append(thread.name))
    reads.inc()
    reads.inc()

    assert begun == ["metrics"]
    ends()
    assert 'reads_total{outcome="granted"} 3.0' in counted(tmp_path)
