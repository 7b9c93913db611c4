"""Several processes on one store, and processes that die."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.store import open_store
from tests import forking
from tests.factories.measurements import ELSEWHERE, POINT, block, key, said, source
from tests.forking import Forked
from tests.integration.store.writer import FIRST, SERIES, delivery

pytestmark = pytest.mark.processes

WRITE = "import sys; from tests.integration.store.writer import main; main(*sys.argv[1:])"
LAST = FIRST.replace(year=FIRST.year + 10)
CURVE, OUT = Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL


Start = Callable[[Path, str, int], Forked]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a writer and wait until it is about to write; whoever still runs at the end is killed."""
    started: list[Forked] = []

    def begin(path: Path, metering_point: str, count: int) -> Forked:
        arguments = (str(path), metering_point, str(count))
        started.append(forking.start(WRITE, *arguments, env=dict(os.environ), stderr=None))
        assert output(started[-1]).readline() == "ready\n"
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()
        output(process).close()


def output(process: Forked) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


class TestKill:
    @pytest.mark.parametrize("acknowledged", [0, 1, 7, 20])
    def test_loses_nothing_acknowledged_and_leaves_nothing_half(
        self, start: Start, tmp_path: Path, acknowledged: int
    ) -> None:
        path = tmp_path / "m.sqlite3"
        process = start(path, POINT, 2_000)
        lines = [output(process).readline() for _ in range(acknowledged)]
        process.kill()
        lines += output(process).readlines()
        process.wait()
        told = [int(line) for line in lines if line.endswith("\n")]

        with open_store(path) as store:
            found = store.read(POINT, CURVE, OUT, FIRST, LAST)
            of_day = Counter(b.day for b in found)
            days = [(day - FIRST).days for day in of_day]
            assert set(of_day.values()) <= {SERIES}
            assert days == list(range(len(days)))
            assert len(told) <= len(days) <= len(told) + 1
            assert all(set(said(b)) == {(b.day - FIRST).days} for b in found)
            assert len(store.sources(limit=9_999)) == len(store.quarantine(limit=9_999)) == len(days)

            # The same deliveries again: what was lost comes, what was there is not doubled.
            upto = len(days) + 2
            for number in range(upto):
                result = store.put(
                    delivery(POINT, number),
                    source=source(f"{POINT} {number}"),
                    quarantined=[],
                    recorded_at=9_999,
                )
                assert result.stored == (0 if number < len(days) else SERIES * 48)
            assert len(store.read(POINT, CURVE, OUT, FIRST, LAST)) == upto * SERIES
            assert len(store.sources(limit=9_999)) == upto
            (version,) = store.versions(key(register="0"), FIRST)
            assert version.superseded_at is None


class TestSeveralWriters:
    def test_lose_no_value_of_each_other(self, tmp_path: Path) -> None:
        """Two processes fill the slots of the same day in turn: what is merged is read inside the lock."""
        path = tmp_path / "m.sqlite3"
        script = (
            "import sys; from pathlib import Path; from gridgate.dataplane.store import open_store\n"
            "from tests.factories.measurements import block, source\n"
            "store, mine = open_store(Path(sys.argv[1])), int(sys.argv[2])\n"
            "for slot in range(mine, 48, 2):\n"
            "    by = source(str(slot))\n"
            "    store.put([block(values={slot: slot})], source=by, quarantined=[], recorded_at=slot)\n"
        )
        both = [
            forking.start(script, str(path), str(n), env=dict(os.environ), stdout=None, stderr=None)
            for n in (0, 1)
        ]
        assert [process.wait() for process in both] == [0, 0]
        with open_store(path) as store:
            day = block().day
            (found,) = store.read(POINT, CURVE, OUT, day, day)
            assert said(found) == list(range(48))
            assert len(store.versions(key(), day)) == 48

    def test_and_readers_go_on_at_once(self, start: Start, tmp_path: Path) -> None:
        path = tmp_path / "m.sqlite3"
        writers = [start(path, point, 15) for point in (POINT, ELSEWHERE)]
        seen = 0
        with open_store(path, read_only=True) as reader:
            while any(process.poll() is None for process in writers):
                found = reader.read(POINT, CURVE, OUT, FIRST, LAST)
                assert len(found) % SERIES == 0
                assert len(found) >= seen
                seen = len(found)
            for point in (POINT, ELSEWHERE):
                assert len(reader.read(point, CURVE, OUT, FIRST, LAST)) == 15 * SERIES
        assert [process.wait() for process in writers] == [0, 0]
