"""The change against last year and the line of last year compare the same points."""

from datetime import date, timedelta
from threading import Barrier, get_ident
from typing import Any

import numpy as np
import pytest

from gridgate.core.quantities import FlowDirection
from gridgate.dataplane.client import DailyTotals
from gridgate.portal.screens.home import energy
from gridgate.portal.screens.home.energy import YEAR, energy_of
from gridgate.portal.screens.sharing.moment import Moment
from tests.measured import PARIS, Measured
from tests.waiting import PATIENCE
from tests.world import World


def test_a_meter_of_this_year_only_is_in_the_sum_and_in_no_comparison(
    world: World, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = measured.daily_totals
    new, since = world.p2.pk, date(2026, 11, 10)

    def totals(reader: Any, points: Any, direction: Any, first: date, last: date, **more: Any) -> Any:
        found = every(reader, points, direction, first, last, **more)
        found.values[found.points.index(new), [day < since for day in found.days]] = np.nan
        return found

    monkeypatch.setattr(measured, "daily_totals", totals)
    found = energy_of(
        actor=world.alice,
        points=[world.p1.pk, new],
        whole=True,
        direction=FlowDirection.WITHDRAWAL,
        moment=Moment(world.now, PARIS),
    )
    assert "25,0" in found.figure.note.replace("\xa0", " ")
    assert "sur le compteur mesuré les deux années" in found.figure.note
    by_day = dict(zip(found.days, found.before, strict=True))
    assert by_day[since] is None
    assert by_day[date(2026, 11, 9)] == 8_000
    assert (since - YEAR).year == 2025


@pytest.mark.parametrize("points", [1, 2])
def test_what_did_not_change_is_said_so(
    world: World, measured: Measured, monkeypatch: pytest.MonkeyPatch, points: int
) -> None:
    """Not "0,0 % de moins"."""
    ids = [world.p1.pk, world.p2.pk]

    def totals(_reader: Any, _points: Any, _direction: Any, first: date, last: date, **_more: Any) -> Any:
        days = [first + timedelta(days=index) for index in range((last - first).days + 1)]
        now = first.year == world.now.year
        of = ids[: 2 if now else points]
        return DailyTotals(of, days, np.full((len(of), len(days)), 99_999.0 if now else 100_000.0))

    monkeypatch.setattr(measured, "daily_totals", totals)
    note = energy_of(
        actor=world.alice,
        points=ids,
        whole=True,
        direction=FlowDirection.WITHDRAWAL,
        moment=Moment(world.now, PARIS),
    ).figure.note
    assert note.startswith("sans changement depuis l’an dernier")
    assert ("mesuré les deux années" in note) is (points == 1)


@pytest.mark.parametrize("many", [2, 3])
def test_both_years_of_many_are_read_at_the_same_time(
    world: World, measured: Measured, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """So that a page of 50,000 is there within a second; those of few cost no thread."""
    ids = [world.p1.pk, world.p2.pk]
    together = Barrier(2)
    threads = set()

    def totals(_reader: Any, _points: Any, _direction: Any, first: date, last: date, **_more: Any) -> Any:
        if many == len(ids):
            together.wait(PATIENCE)
        threads.add(get_ident())
        days = [first + timedelta(days=index) for index in range((last - first).days + 1)]
        return DailyTotals(ids, days, np.full((2, len(days)), 1_000.0 * (first.year - 2024)))

    monkeypatch.setattr(measured, "daily_totals", totals)
    monkeypatch.setattr(energy, "MANY", many)
    found = energy_of(
        actor=world.alice,
        points=ids,
        whole=True,
        direction=FlowDirection.WITHDRAWAL,
        moment=Moment(world.now, PARIS),
    )
    assert (set(found.by_day), set(found.before)) == ({4_000.0}, {2_000.0})
    assert len(threads) == (2 if many == len(ids) else 1)
