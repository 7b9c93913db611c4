"""Day blocks of many points as columns, straight from joined blobs: what sums are made of.

A row of a statement costs more than the 48 values in it. So one statement answers one row for many blocks: their
amounts joined, width by width, in the order in which their places and forms are told beside them.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.store import packing
from gridgate.dataplane.store.port import Amounts

BLOCKS_AT_ONCE = 100_000
"""Ten megabytes of half hours, sixty of five minutes."""

_DAY_BITS = 20
_MISSING = int(Quality.MISSING)  # on an array, the member would be looked up for each comparison

# Of a block, in one integer: step, scale, width, whether it has qualities, number of values.
_FORM = """((((b.resolution * 256 + b.scale + 128) * 16 + b.width) * 2 + (b.quality is not null)) * 1024
  + length(b.amounts) / b.width)"""

_BLOCKS = """select p.key as place, s.resolution, b.day, b.scale, b.width, b.amounts, b.quality
  from json_each(?1) p cross join series s on s.metering_point = p.value cross join {table} b on b.series = s.id
  where s.kind = ?2 and s.direction = ?3 and s.register = '' and b.day between ?4 and ?5"""

_AMOUNTS = f"""select json_group_array((b.place << {_DAY_BITS}) | b.day), json_group_array({_FORM}),
  cast(group_concat(b.quality, '') as blob),
  {", ".join(f"cast(group_concat(b.amounts, '') filter (where b.width = {width}) as blob)" for width in packing.WIDTHS)}
  from ({{blocks}}) b"""  # noqa: S608 -- constants

AMOUNTS = _AMOUNTS.format(blocks=_BLOCKS.format(table="block"))
AMOUNTS_AS_OF = _AMOUNTS.format(
    blocks=f"{_BLOCKS.format(table='block')} and b.recorded_at <= ?6 union all "
    f"{_BLOCKS.format(table='history')} and b.recorded_at <= ?6 and b.superseded_at > ?6"
)


def amounts_of(row: Sequence[bytes | str | None], *, first_point: int) -> list[Amounts]:
    """What a row of the statement says, one `Amounts` for each form; its points are counted from `first_point`."""
    places = _integers(row[0])
    if not len(places):
        return []
    points, days = (places >> _DAY_BITS) + first_point, places & (2**_DAY_BITS - 1)
    forms = _integers(row[1])
    slots, with_quality, width = forms % 1024, forms // 1024 % 2 == 1, forms // 2048 % 16
    joined = {
        of_width: packing.side_by_side(of_width, blob)
        for of_width, blob in zip(packing.WIDTHS, row[3:], strict=True)
        if isinstance(blob, bytes)
    }
    codes = packing.quality_side_by_side(row[2]) if isinstance(row[2], bytes) else None
    at = np.zeros(len(places), np.int64)
    for of_width in joined:
        at[width == of_width] = _starts(slots[width == of_width])
    quality_at = np.zeros(len(places), np.int64)
    quality_at[with_quality] = _starts(slots[with_quality])
    amounts = []
    for of_form, rows in _by_form(forms):
        count = of_form % 1024
        said = quality = None
        if of_form // 1024 % 2:
            assert codes is not None
            quality = _matrix(codes, quality_at[rows], count)
            said = quality != _MISSING
        amounts.append(
            Amounts(
                resolution=Resolution(of_form // 2048 // 16 // 256),
                scale=of_form // 2048 // 16 % 256 - 128,
                points=points[rows],
                days=days[rows],
                values=_matrix(joined[of_form // 2048 % 16], at[rows], count),
                said=said,
                quality=quality,
            )
        )
    return amounts


def _integers(text: object) -> NDArray[np.int64]:
    """A JSON array of integers, without an object for each of them.

    >>> _integers("[3,-1,4503599627370496]").tolist(), _integers("[]").tolist()
    ([3, -1, 4503599627370496], [])
    """
    assert isinstance(text, str)
    inside = text[1:-1]
    return np.fromstring(inside, np.int64, sep=",") if inside else np.zeros(0, np.int64)


def _by_form(forms: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64] | slice]]:
    """Each form that occurs, and its rows. Blocks read together mostly have one form: none of them is copied then."""
    if (forms == forms[0]).all():
        yield int(forms[0]), slice(None)
        return
    for form in np.unique(forms).tolist():
        yield form, np.flatnonzero(forms == form)


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each of several pieces begins that lie side by side."""
    return np.cumsum(lengths) - lengths


T = TypeVar("T", bound=np.generic)


def _matrix(flat: NDArray[T], starts: NDArray[np.int64], count: int) -> NDArray[T]:
    """The `count` elements from each start on: without a copy when that is all there is."""
    if len(starts) * count == len(flat):
        return flat.reshape(-1, count)
    taken: NDArray[T] = flat[starts[:, None] + np.arange(count)]
    return taken
