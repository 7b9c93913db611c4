"""Local stamps mean instants, on both days on which the clocks change, or are said to mean none."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridgate.core.time import Resolution
from gridgate.dataplane.ingest.local_time import DAY, LocalClock, day_number
from tests.ingest_samples import AUTUMN, PARIS, PLAIN, SPRING, epoch, starts

CLOCK = LocalClock(PARIS)
HALF_HOUR = 1800


def wall(*texts: str) -> np.ndarray:
    return np.array([epoch(f"2026-10-25 {text}") for text in texts])


def resolved(walls: np.ndarray, step: int = HALF_HOUR) -> tuple[list[str], list[bool], list[bool]]:
    utc, absent, doubled = CLOCK.instants(walls, np.full(len(walls), step))
    return (
        [datetime.fromtimestamp(u, PARIS).strftime("%H:%M%z") for u in utc],
        absent.tolist(),
        doubled.tolist(),
    )


class TestInstants:
    @pytest.mark.parametrize("day", [PLAIN, SPRING, AUTUMN])
    @pytest.mark.parametrize("resolution", [r for r in Resolution if r is not Resolution.P1D])
    @pytest.mark.parametrize("downwards", [False, True])
    def test_gives_back_every_step_of_a_whole_day(
        self, day: date, resolution: Resolution, downwards: bool
    ) -> None:
        instants = np.array([int(start.timestamp()) for start in starts(day, resolution)])
        if downwards:
            instants = instants[::-1]

        utc, absent, doubled = CLOCK.instants(CLOCK.of(instants), np.full(len(instants), resolution.seconds))

        assert not absent.any()
        assert not doubled.any()
        assert utc.tolist() == instants.tolist()

    def test_refuses_an_hour_that_did_not_exist(self) -> None:
        walls = np.array([epoch("2026-03-29 01:30"), epoch("2026-03-29 02:30"), epoch("2026-03-29 03:00")])

        _, absent, _ = CLOCK.instants(walls, np.full(3, HALF_HOUR))

        assert absent.tolist() == [False, True, False]

    def test_takes_a_second_round_for_the_second_pass(self) -> None:
        shown, _, doubled = resolved(wall("02:00", "02:30", "02:30"))

        assert shown == ["02:00+0200", "02:30+0200", "02:30+0100"]
        assert not any(doubled)

    def test_takes_pairs_for_both_passes(self) -> None:
        shown, _, _ = resolved(wall("02:00", "02:00", "02:30", "02:30"))

        assert shown == ["02:00+0200", "02:00+0100", "02:30+0200", "02:30+0100"]

    def test_takes_what_follows_the_hour_before_for_the_first_pass(self) -> None:
        shown, _, doubled = resolved(wall("01:30", "02:00", "02:30"))

        assert shown == ["01:30+0200", "02:00+0200", "02:30+0200"]
        assert not any(doubled)

    def test_takes_what_leads_to_the_hour_after_for_the_second_pass(self) -> None:
        shown, _, doubled = resolved(wall("02:00", "02:30", "03:00"))

        assert shown == ["02:00+0100", "02:30+0100", "03:00+0100"]
        assert not any(doubled)

    @pytest.mark.parametrize(
        "stamps",
        [
            ("01:30", "02:00", "02:30", "03:00"),  # the day has one pass only: which?
            ("02:30",),
            ("02:00", "02:30", "02:30", "02:00", "02:30"),
            ("01:30", "02:00", "02:30", "03:00", "01:30", "02:00", "02:30", "03:00"),  # a day, told twice
        ],
    )
    def test_does_not_guess(self, stamps: tuple[str, ...]) -> None:
        _, _, doubled = resolved(wall(*stamps))

        assert doubled == [stamp.startswith("02") for stamp in stamps]


class TestDays:
    def test_does_not_fail_beyond_the_years_that_there_are(self) -> None:
        far = np.array([-(2**62), 2**62])

        assert CLOCK.of(far).tolist() == [-(2**62) + 3600, 2**62 + 3600]
        assert [CLOCK.of(far[n : n + 1]).tolist() for n in (0, 1)] == [[-(2**62) + 3600], [2**62 + 3600]]

    @given(st.datetimes(datetime(1971, 1, 1), datetime(2098, 1, 1)))  # noqa: DTZ001
    def test_agrees_with_the_standard_library(self, moment: datetime) -> None:
        zone = ZoneInfo("America/New_York")
        instant = int(moment.replace(tzinfo=ZoneInfo("UTC")).timestamp())
        local = datetime.fromtimestamp(instant, zone)

        shown = LocalClock(zone).of(np.array([instant]))

        assert shown[0] // DAY == day_number(local.date())
        assert shown[0] % DAY == local.hour * 3600 + local.minute * 60 + local.second
