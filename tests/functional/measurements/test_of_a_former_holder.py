"""A company that has left a point: its screen opens on the time that was its own."""

import re
from datetime import date

from gridgate.metering.operations import close_holding
from tests.measured import Measured
from tests.world import World


def test_the_screen_opens_on_the_last_days_of_the_title_and_tells_nothing_later(
    world: World, measured: Measured
) -> None:
    close_holding(holding=world.p3.holdings.get(), valid_to=date(2026, 9, 1), now=world.now)
    page = world.client("alice").get(f"/mesures/{world.p3.pk}/").content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "31 août 2026" in text
    assert "24 novembre" not in text
