"""The adapters of the measurement store: each test of the port runs on every one of them.

To add an adapter, add it to `ADAPTERS`: a function that is given an empty folder and returns an `Instance`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import MeasurementStore


@dataclass
class Instance:
    """One database, which may be opened several times."""

    opener: Callable[[bool], MeasurementStore]
    opened: list[MeasurementStore] = field(default_factory=list)

    def open(self, *, read_only: bool = False) -> MeasurementStore:
        self.opened.append(self.opener(read_only))
        return self.opened[-1]

    def close(self) -> None:
        for store in self.opened:
            store.close()


def sqlite(folder: Path) -> Instance:
    return Instance(lambda read_only: open_store(folder / "measurements.sqlite3", read_only=read_only))


ADAPTERS: dict[str, Callable[[Path], Instance]] = {"sqlite": sqlite}


@pytest.fixture(params=sorted(ADAPTERS))
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Instance]:
    made = ADAPTERS[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def store(instance: Instance) -> MeasurementStore:
    return instance.open()
