"""Whatever files come, in whatever order and how often: the store against a model of four lines."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.store import open_rehearsal, open_store
from gridgate.dataplane.store.port import DayBlock, MeasurementStore, PutResult, Source
from tests.examples import examples
from tests.factories.measurements import POINT, SUMMER, key, source

CURVE, OUT = Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL
SLOTS = 24
OF = key(resolution=Resolution.PT60M)

Said = tuple[int, Quality] | None
"""A value with its quality; None: withdrawn."""


@dataclass(frozen=True, eq=False)
class File:
    """What one file says: `{slot: …}`, and when it was published."""

    name: int
    published_at: int | None
    says: dict[int, Said]

    def block(self) -> DayBlock:
        values, quality = np.zeros(SLOTS, np.int64), np.full(SLOTS, Quality.MISSING, np.uint8)
        cancelled = np.zeros(SLOTS, np.bool_)
        for slot, said in self.says.items():
            if said is None:
                cancelled[slot] = True
            else:
                values[slot], quality[slot] = said
        return DayBlock(OF, SUMMER, values, quality, cancelled=cancelled)

    def source(self) -> Source:
        return source(str(self.name), self.published_at)


SAID = st.one_of(
    st.none(), st.tuples(st.integers(0, 3), st.sampled_from([Quality.MEASURED, Quality.ESTIMATED]))
)
# Four slots are enough for every way in which files can overlap.
SAYS = st.dictionaries(st.integers(0, 3), SAID, min_size=1, max_size=4)
FILES = st.lists(st.tuples(st.one_of(st.none(), st.integers(1, 5)), SAYS), min_size=1, max_size=5).map(
    lambda drawn: [File(name, published, says) for name, (published, says) in enumerate(drawn)]
)


def put(store: MeasurementStore, file: File, *, at: int) -> PutResult:
    return store.put([file.block()], source=file.source(), quarantined=[], recorded_at=at)


def state(store: MeasurementStore, *, as_of: int | None = None) -> dict[int, Said]:
    found = store.read(POINT, CURVE, OUT, SUMMER, SUMMER, as_of=as_of)
    assert len(found) <= 1
    return {
        slot: (int(block.values[slot]), Quality(int(block.quality[slot])))
        for block in found
        for slot in np.flatnonzero(block.said).tolist()
    }


def truth(received: list[File]) -> dict[int, Said]:
    """By slot what the file of the highest rank says: publication, else reception; then order of reception.

    Receptions are 100, 200, … and publications before all of them.
    """
    first = list(dict.fromkeys(received))
    known: dict[int, tuple[tuple[int, int], Said]] = {}
    for number, file in enumerate(first):
        rank = (file.published_at if file.published_at is not None else _at(received.index(file)), number)
        for slot, said in file.says.items():
            if slot not in known or known[slot][0] < rank:
                known[slot] = rank, said
    return {slot: said for slot, (_, said) in known.items() if said is not None}


def _at(place: int) -> int:
    return (place + 1) * 100


@settings(max_examples=examples(150))
@given(files=FILES, data=st.data())
def test_the_present_is_the_highest_rank_and_the_past_is_kept(files: list[File], data: st.DataObject) -> None:
    order = data.draw(st.lists(st.sampled_from(files), min_size=1, max_size=9))
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "m.sqlite3") as store:
        states = []
        for place, file in enumerate(order):
            before = state(store)
            result = put(store, file, at=_at(place))
            now = state(store)
            assert now == truth(order[: place + 1])
            assert result.stored + result.unchanged == len(file.says)
            assert 0 <= result.older <= result.unchanged
            if before or all(said is not None for said in file.says.values()):
                assert result.stored >= sum(before.get(s) != now.get(s) for s in range(4))
            states.append(now)
        for place, then in enumerate(states):
            assert state(store, as_of=_at(place)) == then

        versions = store.versions(OF, SUMMER)
        for file in order:
            assert put(store, file, at=99_999).stored == 0
        assert state(store) == states[-1]
        assert [(v.recorded_at, v.superseded_at) for v in store.versions(OF, SUMMER)] == [
            (v.recorded_at, v.superseded_at) for v in versions
        ]


@settings(max_examples=examples(60))
@given(files=FILES.filter(lambda fs: all(f.published_at is not None for f in fs)), data=st.data())
def test_files_with_different_publications_may_come_in_any_order(
    files: list[File], data: st.DataObject
) -> None:
    files = [File(f.name, 10 + n, f.says) for n, f in enumerate(files)]
    shuffled = data.draw(st.permutations(files))
    ends = []
    for order in (files, shuffled):
        with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "m.sqlite3") as store:
            for place, file in enumerate(order):
                put(store, file, at=_at(place))
            ends.append(state(store))
    assert ends[0] == ends[1]


@settings(max_examples=examples(100))
@given(files=FILES, data=st.data())
def test_a_rehearsal_answers_as_the_store_does_and_leaves_it_as_it_is(
    files: list[File], data: st.DataObject
) -> None:
    order = data.draw(st.lists(st.sampled_from(files), min_size=1, max_size=9))
    told = data.draw(st.integers(0, len(order)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.sqlite3"
        with open_store(path) as store:
            for place, file in enumerate(order[:told]):
                put(store, file, at=_at(place))
            held, sources = store.versions(OF, SUMMER), store.sources()
            coming = list(enumerate(order))[told:]

            with open_rehearsal(path) as rehearsal:
                expected = [put(rehearsal, file, at=_at(place)) for place, file in coming]

            assert (len(held), sources) == (len(store.versions(OF, SUMMER)), store.sources())
            assert [put(store, file, at=_at(place)) for place, file in coming] == expected
