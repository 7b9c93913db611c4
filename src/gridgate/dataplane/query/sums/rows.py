"""What the store has of many points, each day of a point in one row."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Resolution
from gridgate.dataplane.query.assemble import Piece, pieces_of_day
from gridgate.dataplane.query.sums.parts import Integers, Parts, Span, lie_within
from gridgate.dataplane.query.sums.tally import EPOCH, MISSING, Days
from gridgate.dataplane.store.checking import rescaled
from gridgate.dataplane.store.port import Amounts, MeasurementStore

ATOM = Resolution.PT5M.seconds  # The finest step: every other is a multiple of it.


def rows_of(
    store: MeasurementStore,
    parts: Parts,
    kind: Kind,
    direction: FlowDirection,
    days: Days,
    zone: ZoneInfo,
    as_of: int | None,
) -> Iterator[list[Amounts]]:
    """What the store has of the parts, each day of a point in one row: where several blocks speak of one, what they
    say together.
    """
    if not len(days):
        return
    for chunk in store.amounts(parts.points, kind, direction, days.first, days.last, as_of=as_of):
        if len(chunk) < 2:  # of one form, so that no two are of one day
            yield chunk
            continue
        keys = [amounts.points * len(days) + days.indices(amounts.days) for amounts in chunk]
        low = min(int(key.min()) for key in keys)
        times = np.bincount(np.concatenate(keys) - low)
        several = np.flatnonzero(times > 1) + low
        if len(several):
            chunk = [_without(one, times[key - low] > 1) for one, key in zip(chunk, keys, strict=True)]
            chunk += _told_together(store, parts, several, kind, direction, days, zone, as_of)
        yield [amounts for amounts in chunk if len(amounts.points)]


def _without(amounts: Amounts, left_out: NDArray[np.bool_]) -> Amounts:
    return kept(amounts, np.flatnonzero(~left_out)) if left_out.any() else amounts


def kept(amounts: Amounts, rows: Integers) -> Amounts:
    said = None if amounts.said is None else amounts.said[rows]
    quality = None if amounts.quality is None else amounts.quality[rows]
    a = amounts
    return Amounts(a.resolution, a.scale, a.points[rows], a.days[rows], a.values[rows], said, quality)


def _told_together(
    store: MeasurementStore,
    parts: Parts,
    places: Integers,
    kind: Kind,
    direction: FlowDirection,
    days: Days,
    zone: ZoneInfo,
    as_of: int | None,
) -> list[Amounts]:
    """Days of several blocks as rows of five minutes, the form in which any steps can be put together."""
    made = []
    for point in np.unique(places // len(days)).tolist():
        wanted = (places[places // len(days) == point] % len(days)).tolist()
        span = days.day(wanted[0]), days.day(wanted[-1])
        blocks = store.read(parts.points[point], kind, direction, *span, as_of=as_of, register="")
        for index in wanted:
            day = days.day(index)
            pieces = pieces_of_day([block for block in blocks if block.day == day], day, zone)
            if not pieces:
                continue
            bounds = days.midnights[index : index + 2].tolist()
            scale, values, quality = _on_atoms(pieces, *bounds, spans=parts.spans[parts.which[point]])
            since = (day - EPOCH).days
            at = np.array([point]), np.array([since])
            said = quality != MISSING
            made.append(
                Amounts(Resolution.PT5M, scale, *at, values[None, :], said[None, :], quality[None, :])
            )
    return made


def _on_atoms(
    pieces: Sequence[Piece], begin: int, end: int, *, spans: tuple[Span, ...]
) -> tuple[int, Integers, NDArray[np.uint8]]:
    """Of a step that does not lie wholly in one of the spans nothing is told, not even of its part that does."""
    count = (end - begin) // ATOM
    scale = min(piece.scale for piece in pieces)
    values, quality = np.zeros(count, np.int64), np.full(count, MISSING, np.uint8)
    for piece in pieces:
        step = (piece.end - piece.start) // len(piece.values)
        times, low = step // ATOM, (piece.start - begin) // ATOM
        high = low + times * len(piece.values)
        starts = piece.start + step * np.arange(len(piece.values))
        there = (piece.quality != MISSING) & lie_within(spans, starts, starts + step)
        of_piece = np.where(there, rescaled(piece.values, piece.scale, scale), 0)
        values[low:high] = np.repeat(of_piece, times)
        quality[low:high] = np.repeat(np.where(there, piece.quality, MISSING), times)
    return scale, values, quality
