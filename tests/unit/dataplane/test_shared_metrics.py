"""Metrics of several processes: added up, kept when a process dies, and never the end of one when a disk is full."""

import os
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from gridgate.dataplane.http import shared_metrics
from gridgate.dataplane.http.shared_metrics import share, shared_directory


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    for name in ("directory", "number", "lock", "files"):
        monkeypatch.setattr(shared_metrics._Place, name, getattr(shared_metrics._Place, name))


def ends() -> None:
    """What the system does when a process ends, however it does."""
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
    assert share(tmp_path, 2)
    assert shared_directory() == tmp_path
    counter().labels("granted").inc(4)
    ends()
    assert share(tmp_path, 2), "the place of the one that ended"
    counter().labels("granted").inc()
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

    def no_room(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", no_room)
        for _ in range(5):
            reads.labels("granted").inc()
            reads.labels("no_permission").inc()
    assert caplog.text.count("No space left on device") == 1
    assert 'reads_total{outcome="granted"} 1.0' in counted(tmp_path)
    reads.labels("expired").inc()
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
