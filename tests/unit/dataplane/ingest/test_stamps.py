"""Stamps of all the spellings that files have."""

import polars as pl
import pytest

from gridgate.dataplane.ingest.stamps import parse_stamp, parse_stamps
from tests.ingest_samples import epoch


class TestParseStamps:
    @pytest.mark.parametrize(
        ("text", "utc"),
        [
            ("2026-01-31T00:30:00+01:00", "2026-01-30 23:30"),
            ("2026-01-31T00:30:00+0100", "2026-01-30 23:30"),
            ("2026-01-31T00:30+01", "2026-01-30 23:30"),
            ("2026-01-31 00:30:00 +01:00", "2026-01-30 23:30"),
            ("2026-01-31T00:30:00Z", "2026-01-31 00:30"),
            ("2026-01-31T00:30:00.000Z", "2026-01-31 00:30"),
            ("2026-01-31T00:30:00-05:30", "2026-01-31 06:00"),
        ],
    )
    def test_reads_instants(self, text: str, utc: str) -> None:
        assert parse_stamp(text) == (epoch(utc), False)

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("2026-01-31T00:30:00", "2026-01-31 00:30"),
            ("2026-01-31 00:30", "2026-01-31 00:30"),
            ("2026-01-31", "2026-01-31"),
            ("31/01/2026", "2026-01-31"),
            ("31/01/2026 00:30", "2026-01-31 00:30"),
            (" 31/01/2026 00:30:00 ", "2026-01-31 00:30"),
        ],
    )
    def test_reads_the_clock_on_the_wall(self, text: str, shown: str) -> None:
        assert parse_stamp(text) == (epoch(shown), True)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "soon",
            "2026-02-30",
            "2026-01-31T25:00:00",
            "2026-01-31T00:30:00.5Z",
            "2026-01-31T00:30+99:00",
            "2026-01-31T00:30+\u0660\u0661:00",
            "\uff12026-01-31T00:30",
            "1769",
            "2026-01-31T00:3",
            "2026-01-31T00:3+01:00",
            "31/01/2026 00:30:0",
        ],
    )
    def test_refuses_the_rest(self, text: str) -> None:
        assert parse_stamp(text) is None

    def test_reads_a_column_of_mixed_spellings(self) -> None:
        stamps = parse_stamps(pl.Series(["2026-01-31", None, "31/01/2026 01:00", "2026-01-31T00:30Z"]))

        assert stamps.readable.tolist() == [True, False, True, True]
        assert stamps.wall.tolist()[-1] is False
