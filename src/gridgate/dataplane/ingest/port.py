"""The port of the readers: what a format has to say about its values, and nothing about ours.

A reader turns a file into `Observations`: columns of one kind and one direction, of one meter or of many. It says
*what the file says*: the foreign names of the meters, the stamps as they stand and how they are meant, the unit
already brought to ours. It knows nothing of metering points, civil days or the store; the pipeline maps, slots,
checks and stores.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.ingest.aside import SetAside
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.store.quarantine import Cause, Quarantined

_MUCH: Final = 20_000
"""Rows that are refused, after which they are told."""


def literal(text: str) -> str:
    """The text as it has to stand in a template: in `Observations.place`, in a reason."""
    return text.replace("{", "{{").replace("}", "}}")


class Place(Protocol):
    """Says where a row stands, for people: a text with one `{}`, or what answers like one."""

    def format(self, row: int, /) -> str: ...


class Stamp(Enum):
    """What the stamp of a value means."""

    START = auto()
    """The instant at which the step begins."""
    END = auto()
    """The instant at which the step ends."""
    BY_SEGMENT = auto()
    """END for points of segments C5 and P4, START for all others: only the registry can tell."""
    DAY = auto()
    """A civil day: midnight, by the clock on the wall or as an instant."""
    SLOT = auto()
    """A civil day in `times`, and the number of the step within it in `slots`."""
    MOMENT = auto()
    """The instant at which the value was observed: the time of a maximum, of a reading."""


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter as a file names it."""

    name: str
    """Empty when the file gives none."""
    also_known_as: tuple[str, ...] = ()
    """Other names of the same meter that a mapping may use."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.also_known_as)


@dataclass(frozen=True, slots=True)
class Groups:
    """Which rows of a batch of many meters stand together: each group is of one meter, and what rows have in common,
    decimals and a step that is deduced, they have within their group. A meter may have several."""

    meters: Sequence[Meter]
    """Of each group."""
    of: NDArray[np.int64]
    """The group of each row, by its place in `meters`. Rows of one group are in the order of the file; groups may
    alternate."""
    seen: NDArray[np.int64] | None = None
    """Numbers that rise as each group first comes in the file, across all its batches; None when batches and the groups
    in each are in that order already."""

    def kept(self, here: NDArray[Any]) -> "Groups":
        """The same for some of the rows."""
        return Groups(self.meters, self.of[here], self.seen)


@dataclass(slots=True, kw_only=True)
class Observations:
    """Values of one kind, direction and register, column by column, in the order of the file.

    They are of one meter (`meter`), or of many (`groups`). All arrays have the same length. Rows that cannot be read
    are not here: the reader rejected them in `Notes`.
    """

    meter: str = ""
    """The name the file gives to the meter; empty when it gives none."""
    also_known_as: tuple[str, ...] = ()
    """Other names of the same meter that a mapping may use."""
    groups: Groups | None = None
    """Of a batch of many meters, which row is of which."""
    kind: Kind
    direction: FlowDirection | None
    """None when the file does not say: then the only direction of the metering point."""
    register: str = ""
    variant: str = ""
    """Which of several accounts of one and the same measure this is (raw or corrected, by which calendar), as the file
    says it. Where two differ, neither is kept."""
    stamp: Stamp
    times: NDArray[np.int64]
    """Seconds since 1970-01-01: of UTC, or of the clock on the wall where `wall` is true."""
    wall: NDArray[np.bool_]
    offsets: NDArray[np.int64] | None = None
    """Seconds east of UTC of the offsets that the stamps bear, where not `wall`; None where the file writes none."""
    slots: NDArray[np.int32] | None = None
    steps: NDArray[np.int64]
    """Seconds that each value covers; 86400 for values of a civil day; 0 where nobody can tell, -1 where the
    file says something that is no step."""
    steps_of_ends: NDArray[np.int64] | None = None
    """What `steps` are if the stamps turn out to be ends: a deduced step depends on it."""
    steps_shown: bool = False
    """True when `steps` lie between a start and an end: by the clock on the wall, where `wall`, which may have
    changed."""
    values: NDArray[np.int64]
    """The measure, divided by `10**scale`: W, Wh or VA; for a load curve in energy (`energy`), Wh of the
    step."""
    scale: int | NDArray[np.int64] = 0
    """Of all values, or of each."""
    energy: bool = False
    quality: NDArray[np.uint8]
    rows: NDArray[np.int64]
    place: Place = "line {}"
    """Says where a row stands, for people: `place.format(row)`; what comes from the file is `literal` in it."""
    ends: NDArray[np.int64] | None = None
    """Where days are dated by instants, the instants at which they end."""
    fault: str = ""
    """What is amiss with the file's clock when such a day is none of ours."""
    raw: Sequence[str]
    """The values as the file writes them, for the quarantine."""
    closes: bool = False
    """True where nothing that follows is of the meters told so far, nor of any that lead where they do: what was read may
    be stored."""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def scales(self) -> NDArray[np.int64]:
        return np.broadcast_to(np.asarray(self.scale, np.int64), len(self))

    def present(self) -> list[int]:
        """The groups of which there is a row; one, where the batch is of one meter."""
        if self.groups is None:
            return [0]
        present: list[int] = np.flatnonzero(np.bincount(self.groups.of)).tolist()
        return present

    def meters(self) -> list[Meter]:
        """Those of which there is a row, in the order of their groups."""
        if self.groups is None:
            return [Meter(self.meter, self.also_known_as)]
        return [self.groups.meters[group] for group in self.present()]

    def name_of(self, group: int) -> str:
        return self.meter if self.groups is None else self.groups.meters[group].name

    def _raw_of(self, rows: NDArray[np.int64]) -> Sequence[str]:
        if isinstance(self.raw, pl.Series):
            texts: list[str] = self.raw.gather(rows).cast(pl.String).to_list()
            return texts
        return [self.raw[row] for row in rows.tolist()]

    def by_group(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Each group of which there is a row, and the places of its rows."""
        of = np.zeros(len(self), np.int64) if self.groups is None else self.groups.of
        order = np.argsort(of, kind="stable")
        edges = np.flatnonzero(np.diff(of[order], prepend=-1, append=-1))
        for begin, end in pairwise(edges.tolist()):
            yield int(of[order[begin]]), order[begin:end]

    def singles(self) -> "Iterator[Observations]":
        """The same as batches of one meter, group by group."""
        if self.groups is None:
            yield self
            return
        for group, rows in self.by_group():
            yield self.single(group, rows)

    def single(self, group: int, rows: NDArray[np.int64]) -> "Observations":
        """The rows of a group, by their places, as a batch of one meter."""
        if self.groups is None:
            return self
        meter = self.groups.meters[group]
        return replace(self.some(rows), meter=meter.name, also_known_as=meter.also_known_as, groups=None)

    def some(self, rows: NDArray[np.int64]) -> "Observations":
        """Some of the rows, by their places."""

        def some(column: NDArray[Any] | None) -> Any:
            return None if column is None else column[rows]

        return replace(
            self,
            groups=None if self.groups is None else self.groups.kept(rows),
            times=self.times[rows],
            wall=self.wall[rows],
            offsets=some(self.offsets),
            slots=some(self.slots),
            steps=self.steps[rows],
            steps_of_ends=some(self.steps_of_ends),
            values=self.values[rows],
            scale=self.scale if isinstance(self.scale, int) else self.scale[rows],
            quality=self.quality[rows],
            rows=self.rows[rows],
            ends=some(self.ends),
            raw=self._raw_of(rows),
        )


@dataclass(frozen=True, slots=True)
class Refused:
    """Rows whose stamps can be read and whose values cannot: of which point they are, and of which day, the pipeline
    tells."""

    rows: Observations
    why: Sequence[tuple[Cause, str]]
    """Of each row."""


@dataclass(slots=True)
class Notes:
    """What a reader notes about a file beside its values."""

    published_at: int | None = None
    """Epoch milliseconds at which the file says it was published."""
    notices: list[tuple[str, str]] = field(default_factory=list)
    """What people should look at though it was taken: where it stands, and why."""
    holes: int = 0
    """Stamps the file gives without a value: it says that there is none. They are not values and not counted.
"""
    aside: SetAside = field(default_factory=SetAside)
    refused: list[Refused] = field(default_factory=list)
    much_refused: Callable[[], None] | None = None
    """Tells what was refused so far, and takes it from here."""
    together: Callable[[str], str] = str
    """What the meters have in common that lead to one metering point, as far as it can be told beforehand."""
    folder: Path | None = None
    """Where a file that is too large for memory may be parted; None is where the machine keeps such things."""

    def reject(self, where: str, reason: str, value: str, *, meter: Sequence[str] = ()) -> None:
        """Set one value aside. `reason` says what is wrong and how to mend it; `value` is the file's own
        text; `meter` are the names that the file gives to its meter."""
        self.aside.add(Quarantined(where, reason, value), meter)

    def refuse(self, rows: Observations, why: Sequence[tuple[Cause, str]]) -> None:
        """Set rows aside whose stamps can be read; `why` is of each."""
        self.refused.append(Refused(rows, why))
        if self.much_refused is not None and sum(len(one.why) for one in self.refused) > _MUCH:
            self.much_refused()


class MeasurementReader(Protocol):
    """One format. Stateless: the same object reads any number of files, one at a time.

    To add one, copy the module of the most similar format (`docs/3-extending/reader.md`).
    """

    name: ClassVar[str]
    """What `--format` calls it and reports show. Stored with each source: never renamed."""
    title: ClassVar[str]
    """What people call it, in one line of help."""

    def recognises(self, content: Content) -> bool:
        """Tell from what the file holds, never from what it is called, whether it is of this format.

        Reads the head only (`content.head`, `content.xml_root`, `content.first_lines`), raises nothing, and
        says yes to no other reader's files: the conformance test shows each reader the samples of all the
        others.
        """
        ...

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        """Yield the values, batch by batch, in the order of the file.

        The caller stores nothing until the last batch has come, or one that `closes` a part of the file; so a reader may
        raise `UnreadableFile` at any point before, and leaves no half of a file behind. A single bad value must not
        raise: reject it in `notes` with where it stands, why, and its own text, and go on. Must not keep the
        whole file in memory when its format allows better, must not expand entities or touch the network, and
        must not round: decimals are `scale`.
        """
        ...
