"""R63 to R66 in CSV that are too large for memory: in parts of whole meters, what reading them whole gives."""

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridgate.dataplane.ingest import frames, spool
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.port import Notes
from gridgate.dataplane.ingest.readers import enedis_r6x_csv
from tests.examples import examples
from tests.ingest_samples import AUTUMN, R63_HEADER, R64_HEADER, R65_HEADER, R66_HEADER, ends, naive
from tests.unit.dataplane.ingest.conftest import C4, C5, INJECTING

STAMPS = naive(ends(AUTUMN))
METERS = [C5, C4, INJECTING, "meter 7", f" {C5} ", ""]
R63 = [f"{{}};;;{{}};{{}};BRUT;W;{stamp};{{}};B;{{}};0;0" for stamp in STAMPS]
R64 = [
    f"{{}};;;{{}};{{}};BRUT;Wh;2026-01-{day:02} 00:00:00;;;;Distributeur;DI1;;{name};;;{{}};0"
    for day in range(1, 20)
    for name in ("HP", "HC", "")
]
R65 = [f"{{}};;;{{}};{{}};BRUT;Wh;;P1D;2026-06-{day:02};{{}}" for day in range(1, 31)]
R66 = [f"{{}};;;PMA;{{1}};BRUT;VA;;P1D;2026-06-{day:02} 10:00:00;{{2}}" for day in range(1, 31)]
R66 = [line.replace("{};;;", "{0};;;", 1) for line in R66]
FLOWS = [(R63_HEADER, R63), (R64_HEADER, R64), (R65_HEADER, R65), (R66_HEADER, R66)]
ODD = ["x", "", ";;;", f"{C5};;;EA;CONS", '"a\nb";;;EA;CONS;BRUT;W;x;5', "x;;;ERC;CONS;;W;soon;1;;;;"]


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Lines of some meters one after the other or among each other, most of which can be taken."""
    header, templates = draw(st.sampled_from(FLOWS))
    written = []
    for meter in draw(st.lists(st.sampled_from(METERS), min_size=1, max_size=4)):
        step = draw(st.sampled_from(["PT30M", "", "PT7M"]))
        first = draw(st.integers(0, len(templates) - 2))
        for template in templates[first : first + draw(st.integers(1, 20))]:
            trade = draw(st.sampled_from(["CONS", "CONS", "CONS", "PROD", "?"]))
            physical = draw(st.sampled_from(["EA", "EA", "PA", "ERC"]))
            value = draw(st.sampled_from(["5", "7.25", "12", "", "x", "-3"]))
            written.append(template.format(meter, physical, trade, value, step))
    written += draw(st.lists(st.sampled_from(ODD), max_size=8))
    if draw(st.booleans()):
        written = list(draw(st.permutations(written)))
    end = draw(st.sampled_from(["\n", ""]))
    return ("\n".join([header, *written]) + end).encode()


@settings(
    max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(data=files(), lines=st.integers(1, 30), most=st.integers(1, 40))
def test_parted_is_what_whole_is(take: Callable[..., Any], data: bytes, lines: int, most: int) -> None:
    def taken() -> Any:
        done = take(data)
        blocks = sorted(
            (
                str(block.key),
                block.day,
                block.scale,
                block.values.tolist(),
                block.quality.tolist(),
                None if block.offsets is None else block.offsets.tolist(),
            )
            for block in done.blocks
        )
        report = done.report
        aside = sorted(report.quarantined, key=str)
        return report.refused, report.stored, report.holes, sorted(report.notices), aside, blocks

    whole = taken()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "CELLS", lines * 16)
        patch.setattr(spool, "VALUES", most)
        assert taken() == whole


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of each part on disk."""
    rows: list[int] = []
    read = spool.Spool.parts

    def counted(self: spool.Spool) -> Iterator[pl.DataFrame]:
        for part in read(self):
            rows.append(part.height)
            yield part

    monkeypatch.setattr(spool.Spool, "parts", counted)
    monkeypatch.setattr(spool, "VALUES", 100)
    return rows


def test_no_more_is_held_at_a_time_than_the_rows_of_a_part(
    parts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "PIECE", 4_000)
    pieces: list[int] = []
    cleaned = frames._cleaned
    monkeypatch.setattr(
        frames, "_cleaned", lambda frame, *rest: (pieces.append(frame.height), cleaned(frame, *rest))[1]
    )
    meters = [f"{number:014d}" for number in range(40)]
    data = "\n".join([R63_HEADER, *(line.format(m, "EA", "CONS", 5, "") for line in R63 for m in meters), ""])

    batches = list(enedis_r6x_csv.READER.read(Content("R63.csv", data.encode()), Notes()))

    assert sum(map(len, batches)) == len(R63) * len(meters) == sum(parts)
    assert max(pieces) <= 100
    assert len(parts) > 2000 // spool.VALUES  # smaller ones than of lines with fewer columns
    assert [batch.closes for batch in batches] == [True] * len(parts)


def test_lines_that_cannot_be_dated_are_no_part(parts: list[int], take: Callable[..., Any]) -> None:
    dated = [line.format(C5, "EA", "CONS", 5, "") for line in R63]

    done = take("\n".join([R63_HEADER, *dated[:20], *["x"] * 2000, *dated[20:], ""]))

    assert done.report.stored == len(R63)
    pieces = 1 + (2000 + len(R63)) // 100
    assert len(R63) <= sum(parts) <= len(R63) + pieces  # the first of them in each
