"""Files whose lines are so short that few bytes of them are many rows: what is held of them at a time is counted."""

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import pytest

from gridgate.dataplane.ingest import frames, spool
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.frames import LINE, read_tables
from gridgate.dataplane.ingest.port import Notes
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from tests.ingest_samples import plain_csv
from tests.unit.dataplane.ingest.conftest import C5


def pieces(data: bytes) -> list[pl.DataFrame]:
    columns = ["start", "value"]
    return list(read_tables(Content("file", data), Notes(), separator=",", columns=columns, complete=True))


@pytest.mark.parametrize("last", [b"x,1\n", b"\xff\n"], ids=["UTF-8", "a byte that is not"])
def test_many_lines_in_few_bytes_are_read_in_pieces(last: bytes) -> None:
    frames_of_it = pieces(b"start,value\n" + b"x\n" * 999_999 + last)
    assert max(frame.height for frame in frames_of_it) <= frames.CELLS // 5 < 999_999
    assert sum(frame.height for frame in frames_of_it) == 999_999 + (last == b"x,1\n")
    assert [frame[LINE][0] for frame in frames_of_it] == [2, 400_002, 800_002]


@pytest.mark.parametrize("lines", range(1, 8))
def test_no_piece_begins_or_ends_within_quotes(lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"start,value\n" + b'"a\n\nb",1\nc,2\n"d\n",3\n' * 20
    (whole,) = pieces(data)
    monkeypatch.setattr(frames, "CELLS", 5 * lines)
    several = pieces(data)
    assert len(several) == -(-60 // lines)
    assert pl.concat(several).equals(whole)


def test_quotes_that_hold_more_lines_than_are_read_at_a_time_are_told_as_not_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frames, "CELLS", 50)
    with pytest.raises(UnreadableFile, match="quotes hold more than 80 lines together") as raised:
        pieces(b'start,value\nx"\n' + b"x\n" * 100)
    assert raised.value.remedy == "Check for a quote that is not closed."


@pytest.mark.parametrize("end", ["2026-06-02", "2026-06-02,5"], ids=["cut", "whole"])
def test_a_last_line_that_comes_in_a_piece_with_one_other_is_compared_with_all_above(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = f"start,value\n2026-06-01,5\n2026-06-01,5\nx\n{end}".encode()

    def told() -> tuple[list[Any], list[tuple[str, str]]]:
        notes = Notes()
        found = read_tables(
            Content("file", data), notes, separator=",", columns=["start", "value"], complete=True
        )
        rows = pl.concat(list(found)).rows()
        return rows, [(one.where, one.reason) for one in notes.aside] + notes.notices

    whole = told()
    monkeypatch.setattr(frames, "CELLS", 10)
    assert told() == whole


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of each part on disk, of a file that is parted."""
    rows: list[int] = []
    read = spool.Spool.parts

    def counted(self: spool.Spool) -> Iterator[pl.DataFrame]:
        for part in read(self):
            rows.append(part.height)
            yield part

    monkeypatch.setattr(spool.Spool, "parts", counted)
    monkeypatch.setattr(spool, "VALUES", 50)
    return rows


def test_a_file_has_as_many_parts_as_its_lines_make(take: Callable[..., Any], parts: list[int]) -> None:
    take(plain_csv([f"{number},5" for number in range(1000)], "prm,value,start"))
    take(plain_csv([f"{number},2026-06-01,5" for number in range(1000)], "prm,start,value"))
    assert len(parts) > 15


def test_what_cannot_be_dated_is_set_aside_and_not_kept_with_what_can(
    take: Callable[..., Any], parts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    dated = [f"2026-06-{day:02},daily_energy,5,{C5},Wh," for day in range(1, 31)]
    undated = [
        row
        for number in range(40)
        for row in (
            "x",
            "x,daily_energy",
            f"{number},daily_energy,5",
            f"x,daily_energy,5,{C5},VA,",
            "x,,,,,missing",
        )
    ]
    rows = [
        *undated[:100],
        *dated[:15],
        *undated[100:],
        *dated[15:],
        f"x,register_reading,7,{C5},Wh,,2026-06-01",
    ]
    columns = "start,kind,value,metering_point_id,unit,quality,observed_at"
    parted = take(plain_csv(rows, columns))
    assert sum(parts) < 2 * len(dated)
    monkeypatch.setattr(spool, "VALUES", 10_000)
    whole = take(plain_csv(rows, columns))

    assert parted.report == whole.report
    assert parted.report.stored == len(dated) + 1
    assert [(one.key, one.day) for one in parted.blocks] == [(one.key, one.day) for one in whole.blocks]
