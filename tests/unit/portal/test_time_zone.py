"""On whose clock times are told."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

import gridgate
from gridgate.portal.kit import formats
from gridgate.portal.shell.time_zone import zone_choices
from gridgate.portal.tags.days import time_element

EVENING = datetime(2026, 11, 17, 21, 30, tzinfo=UTC)
"""22:30 on the 17th in Paris, 10:30 on the 18th in Auckland."""


@pytest.fixture
def in_auckland():
    with timezone.override("Pacific/Auckland"):
        yield


class TestInstants:
    def test_with_their_clock_time_are_the_readers(self, in_auckland):
        assert formats.clock(EVENING) == "10:30"
        assert formats.moment(EVENING, "fr") == "18\u00a0novembre 2026 à\u00a010:30"
        assert formats.relative(EVENING, EVENING + timedelta(hours=1), "fr") == "aujourd’hui à\u00a010:30"
        assert "18\u00a0nov.\u00a02026 10:30" in time_element(EVENING)

    def test_near_midnight_are_yesterday_on_the_readers_own_calendar(self, in_auckland):
        now = datetime(2026, 11, 17, 11, 30, tzinfo=UTC)  # 00:30 on the 18th in Auckland, 12:30 in Paris
        before = now - timedelta(hours=1)
        assert formats.relative(before, now, "fr") == "hier à\u00a023:30"
        with timezone.override(None):
            assert formats.relative(before, now, "fr") == "aujourd’hui à\u00a011:30"

    def test_without_a_time_are_days_of_the_network(self, in_auckland):
        assert formats.day(EVENING, "fr") == "17\u00a0nov.\u00a02026"
        assert formats.long_day(EVENING, "fr") == "17\u00a0novembre 2026"
        assert formats.civil_day(EVENING) == date(2026, 11, 17)


def test_the_list_begins_with_the_networks_own_clock_and_holds_zones_only():
    first, *regions = zone_choices()
    assert first[0] == ""
    assert "Paris" in first[1]
    names = [name for _region, zones in regions for name, _city in zones]
    assert {"Pacific/Auckland", "Europe/Paris", "Indian/Reunion", "America/Cayenne", "UTC"} <= set(names)
    assert len(names) == len(set(names))
    assert all(ZoneInfo(name) for name in names)
    cities = [city for _name, city in regions[0][1]]
    assert cities == sorted(cities)


def test_nothing_but_the_screens_formats_asks_for_the_readers_clock():
    """`localdate` and its like take the zone of the moment, which is the reader's: a civil day names the network's."""
    package = Path(gridgate.__file__).parent
    readers = {package / "portal" / "kit" / "formats.py", package / "portal" / "shell" / "time_zone.py"}
    found = [
        f"{path.relative_to(package)}: {call}"
        for path in sorted(package.rglob("*.py"))
        if path not in readers
        for call in re.findall(
            r"\b(?:local(?:date|time)|Trunc\w+|make_aware)\([^\n]*", path.read_text("utf-8")
        )
        if "get_default_timezone" not in call and "tzinfo=" not in call
    ]
    assert found == []
    current = [path for path in package.rglob("*.py") if "get_current_timezone" in path.read_text("utf-8")]
    assert set(current) <= readers
