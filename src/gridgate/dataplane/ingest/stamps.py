"""Instants as files write them: ISO 8601 with or without an offset, and the French day/month/year."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

_OFFSET: Final = r"^(.*[0-9]{2}:[0-9]{2}\S*?)\s?(Z|z|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2})$"
_FORMATS: Final = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M")
_CUT: Final = r":[0-9]([^0-9]|$)"
"""Minutes and seconds have two digits in every form: one alone was cut, and would be read as another time."""
_FEW: Final = 64
"""More are looked through for those that come again: each is read once."""
_DAYS: Final = ("%Y-%m-%d", "%d/%m/%Y")


@dataclass(slots=True)
class Stamps:
    """Seconds since 1970: of UTC, or of the clock on the wall where `wall`; meaningful where `readable`."""

    seconds: NDArray[np.int64]
    wall: NDArray[np.bool_]
    readable: NDArray[np.bool_]
    texts: pl.Series | None = None
    """The stamps as the file writes them, for messages."""
    offsets: NDArray[np.int64] | None = None
    """Seconds east of UTC of the offset that each stamp bears, where it is not `wall`; None where no text says it."""

    def repeated(self, times: int) -> "Stamps":
        """Each of the stamps so many times."""
        place = np.repeat(np.arange(len(self.seconds)), times)
        texts = None if self.texts is None else self.texts.gather(place)
        return Stamps(
            self.seconds[place], self.wall[place], self.readable[place], texts, _some(self.offsets, place)
        )


def parse_stamps(texts: pl.Series) -> Stamps:
    """Read a column of text. A fraction of a second makes a stamp unreadable: no step begins there.

    >>> texts = ["2022-01-18T00:30:00+01:00", "2022-01-18 00:30", "18/01/2022", "soon"]
    >>> stamps = parse_stamps(pl.Series(texts))
    >>> stamps.seconds.tolist()[:3], stamps.wall.tolist()[:3], stamps.readable.tolist()
    ([1642462200, 1642465800, 1642464000], [False, True, True], [True, True, True, False])
    """
    texts = texts.fill_null("")
    if len(texts) <= _FEW or 2 * len(distinct := texts.unique()) > len(texts):
        return _parsed(texts)
    place = texts.replace_strict(distinct, np.arange(len(distinct)), return_dtype=pl.Int64).to_numpy()
    told = _parsed(distinct)
    return Stamps(
        told.seconds[place], told.wall[place], told.readable[place], offsets=_some(told.offsets, place)
    )


def _some(column: NDArray[np.int64] | None, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    return None if column is None else column[rows]


def _parsed(texts: pl.Series) -> Stamps:
    stripped = texts.str.strip_chars()
    frame = stripped.str.extract_groups(_OFFSET).struct.unnest()
    frame.columns = ["local", "offset"]
    local = frame["local"].fill_null(stripped).str.replace("T", " ", literal=True)
    parsed = pl.Series([None], dtype=pl.Datetime("us")).new_from_index(0, len(texts))
    for pattern in (*_FORMATS, *_DAYS):
        if not parsed.null_count():
            break
        parsed = parsed.fill_null(_strptime(local, pattern))
    micros = parsed.cast(pl.Int64).fill_null(0).to_numpy()
    seconds, fraction = np.divmod(micros, 1_000_000)
    shift, sane = _offsets(frame["offset"])
    readable = (parsed.is_not_null() & ~local.str.contains(_CUT)).to_numpy() & (fraction == 0) & sane
    return Stamps(seconds - shift, frame["offset"].is_null().to_numpy(), readable, offsets=shift)


def parse_stamp(text: str) -> tuple[int, bool] | None:
    """One stamp: `(seconds, wall)`, or None when it cannot be read."""
    stamps = parse_stamps(pl.Series([text]))
    return (int(stamps.seconds[0]), bool(stamps.wall[0])) if stamps.readable[0] else None


def _strptime(texts: pl.Series, pattern: str) -> pl.Series:
    if pattern in _DAYS:
        return texts.str.strptime(pl.Date, pattern, strict=False).cast(pl.Datetime("us"))
    return texts.str.strptime(pl.Datetime("us"), pattern, strict=False)


def _offsets(texts: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    distinct = texts.unique()
    table = {text: _offset(text) for text in distinct.to_list() if text is not None}
    seconds = texts.replace_strict(table, default=0, return_dtype=pl.Int64).fill_null(0).to_numpy()
    return seconds, np.abs(seconds) <= 18 * 3600


def _offset(text: str) -> int:
    if text in ("Z", "z"):
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if text[0] == "-" else seconds
