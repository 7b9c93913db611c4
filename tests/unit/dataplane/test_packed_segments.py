"""A packed segment is the same segment: its lines, its chain, what checkpoints say of it, and each line by its place."""

import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gridgate.dataplane.accesslog import (
    AccessEntry,
    AccessLog,
    packing,
    reading,
    segments,
    sign_checkpoint,
    verify,
)
from gridgate.dataplane.accesslog.packing import pack
from gridgate.dataplane.accesslog.reading import MOST_FAULTS, read_segment
from gridgate.dataplane.accesslog.segments import (
    open_segment,
    read_lines,
    segment_name,
    segment_paths,
    segment_size,
)

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    log = AccessLog(tmp_path, "test", started_at=NOW)
    log.append(*(entry(number) for number in range(3000)))
    log.close()
    [path] = segment_paths(tmp_path)
    return path


def entry(number: int) -> AccessEntry:
    at = NOW + timedelta(milliseconds=number)
    return AccessEntry(at, "screen", "granted", 7, "Tiers 1", "30001480112233", 3, "load_curve", "withdrawal")


def offsets(content: bytes) -> Iterator[int]:
    place = 0
    for line in content.splitlines(keepends=True):
        yield place
        place += len(line)


def test_it_is_read_as_before_to_the_byte(path: Path) -> None:
    sign_checkpoint(path.parent, KEY, NOW)
    content, before = path.read_bytes(), read_segment(path)
    assert pack(path)
    [now] = segment_paths(path.parent)
    assert now.name == f"{path.name}.zst"
    assert now.stat().st_size < len(content) / 3
    assert (segment_name(now), segment_size(now)) == (path.name, len(content))
    assert read_segment(now) == before
    found = verify(path.parent, KEY.public_key(), now=NOW)
    assert found.intact, found.faults
    assert (found.entries, found.signed) == (3000, 3000)
    assert sign_checkpoint(path.parent, KEY, NOW + timedelta(days=1)) == 0  # it has not grown


def test_one_that_is_packed_by_the_time_it_is_looked_at_is_read_all_the_same(path: Path) -> None:
    """Whoever listed the segments, or asked for the form it had, finds the other one."""
    content = path.read_bytes()
    assert pack(path)
    with open_segment(path) as file:
        assert file.read() == content
    assert segment_size(path) == len(content)
    with pytest.raises(FileNotFoundError):
        open_segment(path.with_name("2026-11-24-0.jsonl"))


def test_lines_are_read_by_their_places(path: Path) -> None:
    places = list(offsets(path.read_bytes()))
    wanted = [places[2999], places[1], places[1500]]
    plain = list(read_lines(path.parent, path.name, wanted))
    pack(path)
    assert list(read_lines(path.parent, path.name, wanted)) == plain
    stamps = [entry(number).at for number in (2998, 0, 1499)]
    assert [datetime.fromisoformat(one["at"]) for one in plain] == stamps


def test_a_line_is_read_without_those_before_it(path: Path) -> None:
    """The first frame is made unreadable: a line of the last one is read all the same."""
    last = list(offsets(path.read_bytes()))[-1]
    pack(path)
    now = Path(f"{path}.zst")
    content = bytearray(now.read_bytes())
    content[40:60] = bytes(20)
    now.write_bytes(content)
    [line] = read_lines(path.parent, path.name, [last])
    assert line["at"] == "2026-11-25T09:30:02.999000Z"
    with pytest.raises(OSError, match=path.name):
        list(read_lines(path.parent, path.name, [500]))


def test_one_that_is_open_is_left_alone(tmp_path: Path) -> None:
    log = AccessLog(tmp_path, "test", started_at=NOW)
    log.append(entry(1))
    [path] = segment_paths(tmp_path)
    assert not pack(path)
    log.append(entry(2))
    log.close()
    assert pack(path)


def test_a_death_on_the_way_leaves_the_original_and_the_next_attempt_ends_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(Path, "unlink", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pack(path)
    assert sorted(one.name for one in path.parent.iterdir()) == [path.name, f"{path.name}.zst"]
    assert segment_paths(path.parent) == [path]  # both are there: it counts once
    assert pack(path)
    assert [one.name for one in path.parent.iterdir()] == [f"{path.name}.zst"]


def test_one_that_another_worker_packs_meanwhile_is_left_to_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open already, and about to be locked, when the other one is done and has removed it."""
    lock = packing.fcntl.flock

    def after_the_other(*arguments: int) -> None:
        with monkeypatch.context() as other:
            other.setattr(packing.fcntl, "flock", lock)
            if path.exists():
                assert pack(path)
        lock(*arguments)

    monkeypatch.setattr(packing.fcntl, "flock", after_the_other)
    assert not pack(path)
    assert not pack(path), "it is not there to be opened"
    assert [one.name for one in path.parent.iterdir()] == [f"{path.name}.zst"]


def test_one_that_is_packed_while_segments_are_listed_is_among_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = Path.glob

    def packed_after_the_first(directory: Path, pattern: str) -> Iterator[Path]:
        yield from listed(directory, pattern)
        pack(path)

    monkeypatch.setattr(Path, "glob", packed_after_the_first)
    assert [segment_name(one) for one in segment_paths(path.parent)] == [path.name]


def test_one_that_is_packed_once_it_was_listed_is_read_as_listed(path: Path) -> None:
    sign_checkpoint(path.parent, KEY, NOW)
    [listed], size, before = segment_paths(path.parent), segment_size(path), read_segment(path)
    pack(path)
    assert (segment_size(listed), read_segment(listed)) == (size, before)


def test_a_disk_that_fills_up_on_the_way_is_left_no_fuller(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def no_room(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(packing.os, "fsync", no_room)
        with pytest.raises(OSError, match="No space left"):
            pack(path)
    assert [(left.name, left.read_bytes()) for left in path.parent.iterdir()] == [(path.name, before)]
    assert pack(path)


def test_what_does_not_read_back_the_same_replaces_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "FRAME", 4096)
    digests = iter([b"a", b"b"])
    monkeypatch.setattr(packing, "_digest", lambda _: next(digests))
    with pytest.raises(OSError, match="does not read back"):
        pack(path)
    assert segment_paths(path.parent) == [path]


@pytest.mark.parametrize("place", [40, -5, -40])
def test_damage_is_a_fault(path: Path, place: int) -> None:
    pack(path)
    [now] = segment_paths(path.parent)
    content = bytearray(now.read_bytes())
    content[place] ^= 0xFF
    now.write_bytes(content)
    assert not verify(path.parent, KEY.public_key(), now=NOW).intact


@pytest.mark.parametrize("kept", [0, 5, 40, -20, -1])
def test_one_that_is_cut_short_is_a_fault_at_its_first_line_that_cannot_be_read(
    path: Path, kept: int
) -> None:
    pack(path)
    [now] = segment_paths(path.parent)
    now.write_bytes(now.read_bytes()[:kept])
    found = verify(path.parent, KEY.public_key(), now=NOW)
    assert found.faults[0].where == f"{path.name}:1"
    assert "damaged" in found.faults[0].what


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to nothing"])
def test_what_is_no_file_beside_a_segment_hides_it_from_nobody(path: Path, kind: str) -> None:
    beside = path.with_name(f"{path.name}.zst")
    match kind:
        case "folder":
            beside.mkdir()
        case "pipe":
            os.mkfifo(beside)
        case _:
            beside.symlink_to("nowhere")
    assert segment_paths(path.parent) == [path]
    assert len(list(read_lines(path.parent, path.name, [0]))) == 1
    assert verify(path.parent, KEY.public_key(), now=NOW).entries == 3000


def test_a_line_without_end_is_told_and_not_read_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packed, a few kilobytes hold more than any memory."""
    for module in (segments, reading):
        monkeypatch.setattr(module, "LONGEST_LINE", 4096)
    with path.open("ab") as file:
        file.write(b" " * 100_000 + b"\n")
    pack(path)
    [now] = segment_paths(path.parent)
    with segments.open_segment(now) as file:
        assert max(map(len, segments.whole_lines(file))) == 4096
    found = verify(path.parent, KEY.public_key(), now=NOW)
    assert [fault.what for fault in found.faults] == ["is longer than any line of an access log"]


def test_lines_without_number_are_given_up_after_some_hundreds_of_faults(path: Path) -> None:
    """Packed, a few kilobytes hold any number of them, and each was read and kept as a fault."""
    sign_checkpoint(path.parent, KEY, NOW)
    content = path.read_bytes()
    opening, rest = content.split(b"\n", 1)
    path.write_bytes(opening + b"\n" * 100_000 + rest)
    pack(path)
    [now] = segment_paths(path.parent)
    assert now.stat().st_size < len(content) / 2
    segment = read_segment(now)
    assert (segment.lines, segment.given_up) == (501, True)
    found = verify(path.parent, KEY.public_key(), now=NOW)
    assert found.given_up == {path.name: 501}
    assert {fault.what for fault in found.faults[:-1]} == {"not a line of an access log"}
    assert len(found.faults) == MOST_FAULTS + 1
    assert found.faults[-1].where == f"{path.name}:502"
    assert found.faults[-1].what.startswith("this line and those after it were not read: 500 faults")


def test_as_many_faults_as_are_told_and_no_line_after_them_are_all(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\n" * MOST_FAULTS)
    segment = read_segment(path)
    assert (len(segment.faults), segment.given_up) == (MOST_FAULTS, False)
    assert segment.lines == 3001 + MOST_FAULTS
