"""What a clock is called."""

from datetime import timedelta

import pytest

from gridgate.core.clock import city_of, offset_of, zone_named


@pytest.mark.parametrize(
    ("zone", "city"),
    [
        ("Europe/Paris", "Paris"),
        ("America/Port_of_Spain", "Port of Spain"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires, Argentina"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_is_named_by_its_city(zone, city):
    assert city_of(zone) == city


@pytest.mark.parametrize(
    ("hours", "shown"),
    [(1, "UTC+1"), (0, "UTC"), (-3.5, "UTC\u22123:30"), (13, "UTC+13"), (5.75, "UTC+5:45")],
)
def test_an_offset_is_written_with_its_minutes_when_it_has_some(hours, shown):
    assert offset_of(timedelta(hours=hours)) == shown


@pytest.mark.parametrize("name", ["", "Mars/Olympus_Mons", "../etc/passwd", "Europe/"])
def test_a_zone_that_the_system_does_not_know_is_none(name):
    assert zone_named(name) is None


def test_a_zone_is_found_by_its_name():
    assert str(zone_named("America/Martinique")) == "America/Martinique"
