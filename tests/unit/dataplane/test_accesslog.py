"""The log is durable before it is acknowledged, and shows what was done to it."""

import asyncio
import os
import random
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gridgate.core.errors import GridgateError
from gridgate.dataplane.accesslog import (
    AccessEntry,
    AccessLog,
    AccessLogUnavailable,
    checkpoints,
    entries_after,
    read_segment,
    sign_checkpoint,
    verify,
)
from gridgate.dataplane.accesslog.entry import Encoded

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()


def entry(number: int = 0, *, at: datetime = NOW) -> AccessEntry:
    return AccessEntry(
        at=at,
        channel="api:enedis",
        outcome="granted",
        reader=4,
        reader_name="Tiers 1",
        metering_point=f"{number:014d}",
        holder=2,
        kind="load_curve",
        direction="withdrawal",
        start=NOW - timedelta(days=7),
        end=NOW,
        application="tiers1",
        permission="ab" * 16,
        basis="permission",
        values=336,
    )


def write(directory: Path, count: int, *, at: datetime = NOW, process: str = "web-1") -> Path:
    """Log `count` entries as one process would, and return its segment."""
    before = set(directory.glob("*.jsonl"))
    log = AccessLog(directory, process, started_at=at)
    for number in range(count):
        log.append(entry(number, at=at))
    log.close()
    (segment,) = set(directory.glob("*.jsonl")) - before
    return segment


class TestWriting:
    def test_what_was_appended_is_in_the_file_when_append_returns(self, tmp_path: Path) -> None:
        log = AccessLog(tmp_path, "web-1", started_at=NOW)
        log.append(entry(7))
        (segment,) = tmp_path.glob("*.jsonl")
        (read,) = read_segment(segment).entries
        assert read["metering_point"] == "00000000000007"
        assert read["at"] == "2026-11-25T09:30:00Z"
        assert read["start"] == "2026-11-18T09:30:00Z"
        assert (read["values"], read["application"], read["outcome"]) == (336, "tiers1", "granted")
        log.close()

    def test_the_first_line_says_which_process_wrote_and_since_when(self, tmp_path: Path) -> None:
        reading = read_segment(write(tmp_path, 1))
        assert reading.genesis["process"] == "web-1"
        assert reading.genesis["started_at"] == "2026-11-25T09:30:00Z"
        assert reading.genesis["follows"] is None

    def test_makes_no_segment_when_nothing_is_logged(self, tmp_path: Path) -> None:
        log = AccessLog(tmp_path, "web-1", started_at=NOW)
        log.append()
        log.close()
        assert list(tmp_path.iterdir()) == []

    def test_segments_can_be_read_by_their_owner_only(self, tmp_path: Path) -> None:
        assert write(tmp_path, 1).stat().st_mode & 0o777 == 0o600

    def test_tasks_and_threads_share_one_chain(self, tmp_path: Path) -> None:
        log = AccessLog(tmp_path, "web-1", started_at=NOW)

        async def tasks() -> None:
            await asyncio.gather(*(log.durable(entry(number)) for number in range(100)))

        threads = [threading.Thread(target=log.append, args=(entry(number),)) for number in range(100, 130)]
        for thread in threads:
            thread.start()
        asyncio.run(tasks())
        for thread in threads:
            thread.join()
        log.close()
        (segment,) = tmp_path.glob("*.jsonl")
        reading = read_segment(segment)
        assert reading.faults == []
        assert sorted(e["metering_point"] for e in reading.entries) == [f"{n:014d}" for n in range(130)]

    def test_many_lines_are_written_in_pieces_and_flushed_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What a processor's cache does not hold takes several times as long to write."""
        done: list[int] = []
        write, flush = os.write, os.fdatasync

        def written(descriptor: int, data: bytes) -> int:
            done.append(len(data))
            return write(descriptor, data)

        def flushed(descriptor: int) -> None:
            done.append(0)
            flush(descriptor)

        log = AccessLog(tmp_path, "web-1", started_at=NOW)
        log.append(entry())
        monkeypatch.setattr("os.write", written)
        monkeypatch.setattr("os.fdatasync", flushed)
        log.append(Encoded(NOW, [entry(number).encode() for number in range(1, 3_000)]))
        monkeypatch.undo()
        log.close()
        assert max(done) < 2**19 < sum(done)
        assert done.index(0) == len(done) - 1, "durable when all are written"
        (segment,) = tmp_path.glob("*.jsonl")
        reading = read_segment(segment)
        assert reading.faults == []
        assert [e["metering_point"] for e in reading.entries] == [f"{n:014d}" for n in range(3_000)]

    def test_many_waiters_share_few_flushes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        flushes = []
        monkeypatch.setattr("os.fdatasync", flushes.append)
        log = AccessLog(tmp_path, "web-1", started_at=NOW)

        async def tasks() -> None:
            await asyncio.gather(*(log.durable(entry(number)) for number in range(200)))

        asyncio.run(tasks())
        log.close()
        assert len(flushes) <= 2  # one for the head of the segment, one for all of them

    def test_a_day_has_its_own_segment_that_names_the_one_it_follows(self, tmp_path: Path) -> None:
        log = AccessLog(tmp_path, "web-1", started_at=NOW)
        log.append(entry(1, at=datetime(2026, 11, 25, 23, 59, 59, tzinfo=UTC)))
        log.append(entry(2, at=datetime(2026, 11, 26, tzinfo=UTC)))
        log.append(
            entry(3, at=datetime(2026, 11, 25, 23, 59, 59, tzinfo=UTC))
        )  # a clock set back stays in it
        log.close()
        first, second = sorted(tmp_path.glob("*.jsonl"))
        assert (first.name[:10], second.name[:10]) == ("2026-11-25", "2026-11-26")
        old, new = read_segment(first), read_segment(second)
        assert new.genesis["follows"] == {"segment": first.name, "lines": 2, "head": old.head}
        assert [e["metering_point"][-1] for e in new.entries] == ["2", "3"]

    def test_says_unavailable_when_the_directory_is_not_there(self, tmp_path: Path) -> None:
        log = AccessLog(tmp_path / "nowhere", "web-1", started_at=NOW)
        with pytest.raises(AccessLogUnavailable):
            log.append(entry())
        with pytest.raises(AccessLogUnavailable):
            asyncio.run(log.probe(NOW))
        (tmp_path / "nowhere").mkdir()
        log.append(entry())  # and works again once it is
        asyncio.run(log.probe(NOW))
        log.close()

    def test_a_probe_is_a_durable_line_and_tells_of_no_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = AccessLog(tmp_path, "web-1", started_at=NOW)
        log.append(entry(1))
        flushed: list[int] = []
        monkeypatch.setattr("os.fdatasync", flushed.append)
        asyncio.run(log.probe(NOW))
        assert len(flushed) == 1
        log.append(entry(2))
        log.close()
        (segment,) = tmp_path.glob("*.jsonl")
        reading = read_segment(segment)
        assert [e["metering_point"][-1] for e in reading.entries] == ["1", "2"]
        assert (reading.lines, reading.probes, reading.faults) == (4, 1, [])
        assert [e["metering_point"][-1] for _, e in entries_after(segment)] == ["1", "2"]
        found = verify(tmp_path, KEY.public_key(), now=NOW)
        assert (found.intact, found.entries) == (True, 2)

    def test_a_full_disk_is_left_as_it_is_and_written_again_when_there_is_room(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = AccessLog(tmp_path, "web-1", started_at=NOW)

        def no_room(descriptor: int, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("gridgate.dataplane.accesslog.writer.os.write", no_room)
            for _ in range(3):
                with pytest.raises(AccessLogUnavailable, match="No space left"):
                    log.append(entry())
        assert list(tmp_path.iterdir()) == []
        log.append(entry(1))
        log.close()
        (segment,) = tmp_path.glob("*.jsonl")
        assert len(read_segment(segment).entries) == 1

    def test_goes_on_after_a_segment_that_cannot_even_be_closed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = AccessLog(tmp_path, "web-1", started_at=NOW)
        log.append(entry(1))

        def fails(*_: object) -> None:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr("os.fdatasync", fails)
            patch.setattr("gridgate.dataplane.accesslog.writer.os.close", fails)
            with pytest.raises(AccessLogUnavailable):
                asyncio.run(log.durable(entry(2)))
        log.append(entry(3))
        log.close()

    def test_does_not_go_on_in_a_directory_that_was_moved_away(self, tmp_path: Path) -> None:
        there = tmp_path / "log"
        there.mkdir()
        log = AccessLog(there, "web-1", started_at=NOW)
        log.append(entry(1))
        moved = there.rename(tmp_path / "away")
        with pytest.raises(AccessLogUnavailable):
            log.append(entry(2))
        moved.rename(there)
        log.append(entry(3))
        log.close()
        assert sum(len(read_segment(path).entries) for path in there.glob("*.jsonl")) == 2

    def test_leaves_a_segment_behind_after_a_failed_write(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = AccessLog(tmp_path, "web-1", started_at=NOW)
        log.append(entry(1))

        def no_space(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("os.fdatasync", no_space)
            with pytest.raises(AccessLogUnavailable, match="No space left"):
                log.append(entry(2))
        log.append(entry(3))
        log.close()
        readings = [read_segment(path) for path in tmp_path.glob("*.jsonl")]
        assert len(readings) == 2
        assert all(not reading.faults for reading in readings)
        assert verify(tmp_path, KEY.public_key(), now=NOW).intact

    def test_an_async_waiter_learns_of_the_failure(self, tmp_path: Path) -> None:
        log = AccessLog(tmp_path / "nowhere", "web-1", started_at=NOW)
        with pytest.raises(AccessLogUnavailable):
            asyncio.run(log.durable(entry()))
        log.close()

    def test_takes_nothing_once_closed(self, tmp_path: Path) -> None:
        log = AccessLog(tmp_path, "web-1", started_at=NOW)
        log.close()
        with pytest.raises(AccessLogUnavailable, match="closed"):
            log.append(entry())


class TestReading:
    def test_reports_a_torn_last_line_and_keeps_the_rest(self, tmp_path: Path) -> None:
        segment = write(tmp_path, 3)
        segment.write_bytes(segment.read_bytes()[:-20])
        reading = read_segment(segment)
        assert len(reading.entries) == 2
        assert reading.torn > 0
        assert reading.faults == []
        found = verify(tmp_path, KEY.public_key(), now=NOW)
        assert found.intact
        assert [torn.where for torn in found.torn] == [segment.name]

    def test_goes_on_where_it_stopped(self, tmp_path: Path) -> None:
        log = AccessLog(tmp_path, "web-1", started_at=NOW)
        log.append(entry(1))
        (segment,) = tmp_path.glob("*.jsonl")
        *_, (offset, first) = entries_after(segment)
        assert list(entries_after(segment, offset)) == []
        log.append(entry(2), entry(3))
        later = [e["metering_point"][-1] for _, e in entries_after(segment, offset)]
        log.close()
        assert (first["metering_point"][-1], later) == ("1", ["2", "3"])

    def test_does_not_yield_a_line_that_is_still_being_written(self, tmp_path: Path) -> None:
        segment = write(tmp_path, 2)
        segment.write_bytes(segment.read_bytes()[:-1])
        assert len(list(entries_after(segment))) == 1


class TestVerify:
    def test_an_untouched_log_is_intact(self, tmp_path: Path) -> None:
        write(tmp_path, 5)
        write(tmp_path, 3, process="web-2")
        assert sign_checkpoint(tmp_path, KEY, NOW) == 2
        write(tmp_path, 2, at=NOW + timedelta(days=1))
        found = verify(tmp_path, KEY.public_key(), now=NOW)
        assert found.intact
        assert (found.segments, found.entries, found.signed, found.checkpoints) == (3, 10, 8, 1)

    def test_one_that_a_death_cut_short_is_read_for_one_checkpoint_and_no_more(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it left has more bytes than what is signed, each day anew."""
        segment = write(tmp_path, 3)
        segment.write_bytes(segment.read_bytes() + b'{"prev":"12')
        assert sign_checkpoint(tmp_path, KEY, NOW) == 1
        with monkeypatch.context() as patch:
            patch.setattr(checkpoints, "read_segment", lambda *_, **__: 1 / 0)
            assert sign_checkpoint(tmp_path, KEY, NOW + timedelta(days=1)) == 0
        found = verify(tmp_path, KEY.public_key(), now=NOW + timedelta(days=1))
        assert (found.intact, len(found.torn), found.signed) == (True, 1, 3)

    def test_a_segment_may_grow_after_a_checkpoint(self, tmp_path: Path) -> None:
        log = AccessLog(tmp_path, "web-1", started_at=NOW)
        log.append(entry(1))
        assert sign_checkpoint(tmp_path, KEY, NOW) == 1
        assert sign_checkpoint(tmp_path, KEY, NOW) == 0
        log.append(entry(2))
        assert sign_checkpoint(tmp_path, KEY, NOW) == 1
        log.append(entry(3))
        log.close()
        found = verify(tmp_path, KEY.public_key(), now=NOW)
        assert found.intact
        assert (found.entries, found.signed) == (3, 2)

    @pytest.mark.large
    def test_finds_every_one_of_a_thousand_changes(self, tmp_path: Path) -> None:
        segments = [write(tmp_path, 6, process=f"web-{n}") for n in range(3)]
        sign_checkpoint(tmp_path, KEY, NOW)
        whole = {segment: segment.read_bytes() for segment in segments}
        chance = random.Random(20261125)
        for trial in range(1000):
            segment = chance.choice(segments)
            lines = whole[segment].splitlines(keepends=True)
            at = chance.randrange(len(lines))
            match trial % 5:
                case 0:
                    line = bytearray(lines[at])
                    place = chance.randrange(len(line) - 1)
                    line[place] = (line[place] + chance.randrange(1, 256)) % 256
                    lines[at] = bytes(line)
                case 1:
                    del lines[at]
                case 2:
                    other = chance.choice([n for n in range(len(lines)) if n != at])
                    lines[at], lines[other] = lines[other], lines[at]
                case 3:
                    lines.insert(at, lines[chance.randrange(len(lines))])
                case 4:
                    del lines[at:]
            segment.write_bytes(b"".join(lines))
            assert not verify(tmp_path, KEY.public_key(), now=NOW).intact, (trial, at)
            segment.write_bytes(whole[segment])
        assert verify(tmp_path, KEY.public_key(), now=NOW).intact

    def test_finds_a_missing_segment_that_was_signed(self, tmp_path: Path) -> None:
        segment = write(tmp_path, 2)
        sign_checkpoint(tmp_path, KEY, NOW)
        segment.unlink()
        (fault,) = verify(tmp_path, KEY.public_key(), now=NOW).faults
        assert fault.where == segment.name
        assert "missing" in fault.what

    def test_finds_a_missing_or_shortened_segment_that_another_follows(self, tmp_path: Path) -> None:
        log = AccessLog(tmp_path, "web-1", started_at=NOW)
        log.append(entry(1), entry(2))
        log.append(entry(3, at=NOW + timedelta(days=1)))
        log.close()
        first, _ = sorted(tmp_path.glob("*.jsonl"))
        whole = first.read_bytes()
        first.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
        assert "does not end" in verify(tmp_path, KEY.public_key(), now=NOW).faults[0].what
        first.unlink()
        assert "missing" in verify(tmp_path, KEY.public_key(), now=NOW).faults[0].what

    def test_finds_a_forged_checkpoint(self, tmp_path: Path) -> None:
        write(tmp_path, 2)
        sign_checkpoint(tmp_path, Ed25519PrivateKey.generate(), NOW)
        (fault,) = verify(tmp_path, KEY.public_key(), now=NOW).faults
        assert "signature" in fault.what

    def test_finds_a_changed_dropped_or_unreadable_checkpoint(self, tmp_path: Path) -> None:
        for day in range(3):
            write(tmp_path, 1, at=NOW + timedelta(days=day))
            sign_checkpoint(tmp_path, KEY, NOW + timedelta(days=day))
        path = tmp_path / "checkpoints.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        assert verify(tmp_path, KEY.public_key(), now=NOW).intact
        for altered in (
            [lines[0], lines[2]],
            [lines[0], lines[1].replace(b'"lines":2', b'"lines":3'), lines[2]],
            [lines[0], b"nonsense\n", lines[2]],
            [lines[1], lines[0], lines[2]],
        ):
            path.write_bytes(b"".join(altered))
            assert not verify(tmp_path, KEY.public_key(), now=NOW).intact

    def test_accepts_former_keys_that_are_given(self, tmp_path: Path) -> None:
        former = Ed25519PrivateKey.generate()
        write(tmp_path, 1)
        sign_checkpoint(tmp_path, former, NOW)
        write(tmp_path, 1)
        sign_checkpoint(tmp_path, KEY, NOW)
        assert verify(tmp_path, [KEY.public_key(), former.public_key()], now=NOW).intact
        assert not verify(tmp_path, KEY.public_key(), now=NOW).intact

    def test_an_interrupted_checkpoint_is_written_over(self, tmp_path: Path) -> None:
        write(tmp_path, 1)
        sign_checkpoint(tmp_path, KEY, NOW)
        path = tmp_path / "checkpoints.jsonl"
        path.write_bytes(path.read_bytes() + b'{"payload":{"numb')
        write(tmp_path, 1)
        assert verify(tmp_path, KEY.public_key(), now=NOW).intact
        sign_checkpoint(tmp_path, KEY, NOW)
        assert [orjson.loads(line)["payload"]["number"] for line in path.read_bytes().splitlines()] == [1, 2]
        assert verify(tmp_path, KEY.public_key(), now=NOW).checkpoints == 2

    def test_refuses_to_sign_over_a_broken_chain(self, tmp_path: Path) -> None:
        segment = write(tmp_path, 3)
        segment.write_bytes(segment.read_bytes().replace(b"00000000000001", b"00000000000009"))
        with pytest.raises(GridgateError, match="not intact"):
            sign_checkpoint(tmp_path, KEY, NOW)

    def test_signs_whole_lines_of_a_segment_that_ends_torn(self, tmp_path: Path) -> None:
        segment = write(tmp_path, 3)
        segment.write_bytes(segment.read_bytes()[:-10])
        assert sign_checkpoint(tmp_path, KEY, NOW) == 1
        assert sign_checkpoint(tmp_path, KEY, NOW) == 0
        assert verify(tmp_path, KEY.public_key(), now=NOW).signed == 2
