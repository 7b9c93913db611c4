"""What is set aside, in memory and on disk."""

import errno
import os
import pickle
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.ingest import aside, report
from gridgate.dataplane.ingest.aside import NoRoomToTell, SetAside
from gridgate.dataplane.ingest.report import FileReport, IngestReport
from gridgate.dataplane.store.port import StoreUnavailable
from gridgate.dataplane.store.quarantine import Cause, Quarantined, Subject

SUBJECTS = [
    None,
    Subject("22516914714270"),
    Subject("11453290002823", Kind.DAILY_ENERGY, None, date(2026, 6, 1)),
    Subject(
        "22516914714270",
        Kind.LOAD_CURVE,
        FlowDirection.INJECTION,
        date(2026, 6, 1),
        (1_780_000_000, 1_780_001_800),
    ),
]
ITEMS = st.builds(
    Quarantined,
    st.sampled_from(["file", "line 9", "line 10", "line 10, column v2", "mesures[3].points[12]", "line 2"]),
    st.text(st.characters(codec="utf-8"), max_size=5),
    st.sampled_from(["-5", "", "« x »\n"]),
    st.sampled_from([None, Cause.NEGATIVE, Cause.OFF_GRID]),
    st.sampled_from(SUBJECTS),
)


def lines(count: int) -> list[Quarantined]:
    return [Quarantined(f"line {number}", "so", str(number)) for number in range(2, count + 2)]


def kept(items: Sequence[Quarantined], folder: Path) -> SetAside:
    found = SetAside(folder)
    found.extend(items)
    return found


@given(items=st.lists(ITEMS, max_size=20))
def test_is_the_same_from_the_disk_as_from_memory(
    items: list[Quarantined], tmp_path_factory: pytest.TempPathFactory
) -> None:
    here = tmp_path_factory.getbasetemp()
    held = kept(items, here)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aside, "HELD", 3)
        written = kept(items, here)

        assert (list(written), len(written)) == (list(held), len(held))
        assert sorted(map(repr, written)) == sorted(map(repr, items))
        assert [one for chunk in written.chunks() for one in chunk] == list(held)
        assert not items or (written[0], written[-1]) == (held[0], held[-1])
        assert (held.on_disk, written.on_disk) == (False, len(items) > 2)


def test_no_more_of_it_is_in_memory_than_may_be_and_nothing_bears_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "HELD", 10)
    found, most = SetAside(tmp_path), 0
    for one in lines(95):
        found.add(one)
        most = max(most, len(found._held))

    assert (most, len(found)) == (9, 95)
    assert list(tmp_path.iterdir()) == []
    assert [one.value for one in found] == [str(number) for number in range(2, 97)]


def test_that_is_longer_than_what_is_read_at_a_time_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "HELD", 10)
    monkeypatch.setattr(aside, "_WINDOW", 7)

    assert list(kept(lines(25), tmp_path)) == lines(25)


@pytest.mark.parametrize("held", [2, 100])
def test_is_of_the_points_that_its_meters_lead_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(aside, "HELD", held)
    found = SetAside(tmp_path)
    for one, meter in zip(lines(4), (("a", "A"), (), ("b",), ("a", "A")), strict=True):
        found.add(one, meter)

    assert found.named == [("a", "A"), ("b",)]
    found.lead_to({"a": "22516914714270"})

    points = [one.subject and one.subject.metering_point for one in found]
    assert points == ["22516914714270", None, None, "22516914714270"]
    assert found.named == []


def test_goes_to_another_process_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "HELD", 10)
    found = SetAside(tmp_path, lambda one: one)
    found.extend(lines(25))

    other = pickle.loads(pickle.dumps(found))
    other.hold(os.dup(found.fileno()))
    del found

    assert list(other) == lines(25)


def test_is_let_go_of_with_whoever_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "HELD", 10)
    closed: list[int] = []
    close = os.close
    monkeypatch.setattr(os, "close", lambda file: (closed.append(file), close(file))[1])
    found = kept(lines(25), tmp_path)
    file = found.fileno()
    del found

    assert file in closed


def test_of_many_files_is_on_disk_in_one_and_in_memory_no_more_than_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each that is open counts against what a process may have open, and each that is held against its memory."""
    monkeypatch.setattr(aside, "HELD", 10)
    monkeypatch.setattr(report, "HELD", 10)
    known = {
        f"{number}.csv": lines(count) for number, count in enumerate((25, 6, 4, 8, 1, 0, 30, 9), start=1)
    }
    told = IngestReport(folder=tmp_path)
    for name, items in known.items():
        kept_by_reader = kept(items, tmp_path)
        found = kept_by_reader if kept_by_reader.on_disk else list(items)
        told.add([FileReport(name, "csv", quarantined=found)])
        del kept_by_reader, found

    assert {one.path: list(one.quarantined) for one in told.files} == known
    on_disk = [one.quarantined for one in told.files if isinstance(one.quarantined, SetAside)]
    assert list(map(len, on_disk)) == [25, 8, 30, 9]
    assert len({one.fileno() for one in on_disk}) == 1
    assert not any(one._held for one in on_disk)
    assert sum(len(one.quarantined) for one in told.files) - sum(map(len, on_disk)) == 11

    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=0))
    told.add([FileReport("9.csv", "csv", quarantined=lines(12))])
    assert told.files[-1].quarantined == lines(12), "without room on disk it stays in memory"


def test_that_cannot_be_kept_with_another_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "HELD", 10)
    one, other = kept(lines(25), tmp_path), kept(lines(12), tmp_path)

    def no_room(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", no_room)
        one.keep_with(other)
    assert one.fileno() != other.fileno()
    assert (list(one), list(other)) == (lines(25), lines(12))


def test_of_which_there_would_be_no_room_in_the_store_is_a_fault_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "HELD", 10)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=3 * 2_000))
    found = SetAside(tmp_path)

    with pytest.raises(NoRoomToTell, match=r"\d+ until then \(one of them, line 2: so\)") as caught:
        found.extend(lines(1_000))

    assert 10 < len(found) < 100
    assert str(tmp_path) in caught.value.remedy


def test_that_is_in_the_store_already_goes_to_another_process_though_there_is_no_room_for_it_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "HELD", 10)
    found = kept(lines(15), tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=0))

    found.all_on_disk()

    assert (len(found._held), list(found)) == (0, lines(15))


def test_says_what_the_disk_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "HELD", 10)

    with pytest.raises(StoreUnavailable, match="cannot be kept on disk: No such file"):
        SetAside(tmp_path / "gone").extend(lines(10))
