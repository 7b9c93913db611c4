"""One curve for each point: the sum of its phases, and never one of several that the file does not tell apart."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from gridgate.core.quantities import FlowDirection
from gridgate.dataplane.ingest.port import Notes
from gridgate.dataplane.ingest.readers.espi.blocks import About, Block
from gridgate.dataplane.ingest.readers.espi.codes import CONNECTIONS, DIRECTIONS, ReadingType, Share

_DOUBLE: Final = "this time of the phase is already told by {}, which is kept; remove one of the two"


class Part(NamedTuple):
    """Readings, and what they are of."""

    block: Block
    about: About
    reading_type: ReadingType


def reject(block: Block, reason: str, notes: Notes) -> None:
    """Set the whole block aside."""
    block.reject(dict.fromkeys(range(len(block)), reason), notes)


def of_all_phases(parts: Sequence[Part], notes: Notes) -> list[Part]:
    """The parts, those of single phases added up; where the file has not all phases of a point, these are rejected."""
    of_supply = [part for part in parts if not part.reading_type.leg]
    if len(of_supply) == len(parts):
        return of_supply
    whole = {_alike(part) for part in of_supply}
    phases: dict[tuple[str, ReadingType], dict[str, list[Part]]] = defaultdict(lambda: defaultdict(list))
    for part in parts:
        if part.reading_type.leg:
            phases[_alike(part)][part.reading_type.leg].append(part)
    for alike, of_phase in phases.items():
        connection = next((legs for legs in CONNECTIONS if next(iter(of_phase)) in legs), ())
        absent = [leg for leg in connection if leg not in of_phase]
        strange = [leg for leg in of_phase if leg not in connection]
        if alike not in whole and not absent and not strange:
            of_supply += _summed([of_phase[leg] for leg in connection], connection, notes)
            continue
        for leg, several in of_phase.items():
            why = (
                "the file has a curve of all phases too, which is the one kept"
                if alike in whole
                else f"the file has none like it of {_and('phase', absent) if absent else 'the same connection'}"
            )
            for part in several:
                code = part.reading_type.phase
                reject(part.block, f"the value is of phase {leg} alone (phase {code}): {why}", notes)
    return of_supply


def _alike(part: Part) -> tuple[str, ReadingType]:
    """What the phases of one curve have in common."""
    rest = replace(part.reading_type, phase=None, default_quality=0, interval_length=0)
    return part.about.meter, rest


_Key = tuple[int, int, int]


def _summed(of_phases: list[list[Part]], legs: Sequence[str], notes: Notes) -> list[Part]:
    """The sum at each time that every phase tells; its place is the first phase's."""
    first, *others = (_first_of_each_time(parts, notes) for parts in of_phases)
    common = set(first).intersection(*others)
    alone: dict[int, tuple[Block, dict[int, str]]] = {}
    told = dict(zip(legs, (first, *others), strict=True))
    for leg, rows in told.items():
        for key in rows.keys() - common:
            part, index = rows[key]
            missing = _and("phase", [other for other in legs if key not in told[other]])
            reason = f"the value is of phase {leg} alone: the file has none of {missing} for this time"
            alone.setdefault(id(part.block), (part.block, {}))[1][index] = reason
    for block, reasons in alone.values():
        block.reject(reasons, notes)
    return [
        part._replace(block=_with_others(part, keys, others))
        for part, keys in _by_part(of_phases[0], first, common)
    ]


def _with_others(part: Part, keys: dict[_Key, int], others: Sequence[dict[_Key, tuple[Part, int]]]) -> Block:
    block = part.block.only(np.isin(np.arange(len(part.block)), list(keys.values())))
    block.raw = block.texts()
    for row, key in enumerate(sorted(keys, key=lambda key: keys[key])):
        for rows in others:
            other, index = rows[key]
            block.values[row] += other.block.values[index]
            block.qualities[row] = max(block.qualities[row], other.block.qualities[index], key=_doubt)
            block.raw[row] += f" + {int(other.block.values[index])}"
    return block


def _by_part(
    parts: list[Part], rows: dict[_Key, tuple[Part, int]], common: set[_Key]
) -> Iterable[tuple[Part, dict[_Key, int]]]:
    for part in parts:
        keys = {key: rows[key][1] for key in common if rows[key][0] is part}
        if keys:
            yield part, keys


def _first_of_each_time(parts: list[Part], notes: Notes) -> dict[_Key, tuple[Part, int]]:
    firsts: dict[_Key, tuple[Part, int]] = {}
    for part in parts:
        block = part.block
        doubles: dict[int, str] = {}
        columns = (block.starts.tolist(), block.durations.tolist(), block.shares.tolist())
        for index, key in enumerate(zip(*columns, strict=True)):
            if key in firsts:
                kept, at = firsts[key]
                place = kept.block.places.format(int(kept.block.numbers[at]))
                doubles[index] = _DOUBLE.format(place)
            else:
                firsts[key] = (part, index)
        block.reject(doubles, notes)
    return firsts


def told_once(parts: Sequence[Part], shares: Sequence[Share], notes: Notes) -> list[Part]:
    """The parts without those readings of a curve, a day or a maximum of which the file tells several for one time,
    in a way that none can be taken for the whole.
    """
    groups: dict[tuple[str, FlowDirection | None, int | None], list[Part]] = defaultdict(list)
    for part in parts:
        of = part.reading_type
        if not of.counts_up:
            groups[part.about.meter, DIRECTIONS[of.flow], of.unit].append(part)
    struck: dict[int, dict[int, str]] = defaultdict(dict)
    for group in groups.values():
        if len({p.block.meter_reading for p in group}) > 1 or any(p.block.shares.any() for p in group):
            _strike(group, shares, struck)
    return [_without(part, struck.get(id(part.block), {}), notes) for part in parts]


def _strike(group: list[Part], shares: Sequence[Share], struck: dict[int, dict[int, str]]) -> None:
    times: dict[tuple[int, int], list[tuple[Part, int]]] = defaultdict(list)
    for part in group:
        for index, key in enumerate(
            zip(part.block.starts.tolist(), part.block.durations.tolist(), strict=True)
        ):
            times[key].append((part, index))
    several = [rows for rows in times.values() if len(rows) > 1]
    differing = {frozenset(_sources(rows)) for rows in several if len({_amount(*row) for row in rows}) > 1}
    for rows in several:
        told = sorted({int(part.block.shares[index]) for part, index in rows})
        sources = _sources(rows)
        if len(told) > 1:
            parts_told = "; ".join(str(shares[share]) or "none" for share in told)
            why = f"the file tells this time by parts of a tariff ({parts_told}), and no total; ask the source for it"
        elif len(sources) > 1 and frozenset(sources) in differing:
            named = " and ".join(source.rpartition("/")[2] for source in sources[:2])
            why = f"MeterReading {named} tell this time differently, and nothing says which is the point's; keep one"
        else:
            continue
        for part, index in rows:
            struck[id(part.block)][index] = why


def _sources(rows: Iterable[tuple[Part, int]]) -> list[str]:
    return sorted({part.block.meter_reading for part, _ in rows})


def _amount(part: Part, index: int) -> tuple[int, int]:
    return int(part.block.values[index]), part.reading_type.multiplier


def _without(part: Part, struck: dict[int, str], notes: Notes) -> Part:
    if not struck:
        return part
    part.block.reject(struck, notes)
    return part._replace(block=part.block.only(~np.isin(np.arange(len(part.block)), list(struck))))


def _doubt(quality: int) -> int:
    """How little sure a value of that quality is."""
    return (0, 2, 1)[quality]


def _and(word: str, names: Sequence[str]) -> str:
    return f"{word}{'s' if len(names) > 1 else ''} {' and '.join(names)}"
