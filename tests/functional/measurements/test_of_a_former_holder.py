"""A company that has left a point: its screen opens on the time that was its own."""

import re
from datetime import date

import pytest

from gridgate.core.time import Interval
from gridgate.dataplane.query.answer import Answer, Missing
from gridgate.metering import as_held
from gridgate.metering.models import MeteringPoint, PointVersion
from gridgate.metering.operations.titles import close_holding
from tests.factories.metering import make_holding, make_point
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


@pytest.fixture
def of_an_unknown_time(world: World, measured: Measured) -> MeteringPoint:
    """A point that the company left, of which the registry tells what it is since only; nothing came of it."""
    point = make_point("30009999999999")
    make_holding(point, world.acme, since=date(2026, 1, 1), until=date(2026, 9, 1))
    PointVersion.objects.filter(metering_point=point).update(valid_from=date(2026, 10, 1))
    as_held.project([point.pk])
    measured.silent.add(point.pk)
    return point


def test_of_a_time_of_which_nothing_is_known_no_segment_and_no_direction_is_said(
    world: World, of_an_unknown_time: MeteringPoint
) -> None:
    page = world.client("alice").get(f"/mesures/{of_an_unknown_time.pk}/").content.decode()
    lead = re.search(r'class="lead"[^>]*>(.*?)</p>', page)
    assert lead is not None
    assert "segment" not in lead[0]
    assert "soutirage" not in lead[0]
    assert 'aria-label="Sens"' not in page


def test_what_came_of_it_says_its_directions(
    world: World, measured: Measured, of_an_unknown_time: MeteringPoint
) -> None:
    measured.silent.clear()
    page = world.client("alice").get(f"/mesures/{of_an_unknown_time.pk}/").content.decode()
    lead = re.search(r'class="lead"[^>]*>(.*?)</p>', page)
    assert lead is not None
    assert "soutirage" in lead[0]
    assert 'aria-label="Sens"' not in page


def test_who_no_longer_holds_a_point_is_not_told_to_ask_for_its_collection(
    world: World, measured: Measured, of_an_unknown_time: MeteringPoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(self, reader, point, kind, direction, start, end, **_) -> Answer:
        gap = Missing(start, end, "collection_inactive")
        return Answer(point, kind, direction, kind.unit, start, end, [], Interval(start, end), missing=[gap])

    monkeypatch.setattr(Measured, "read", read)
    client = world.client("alice")
    asked = "Elle peut être demandée pour les jours à venir."
    left = client.get(f"/mesures/{of_an_unknown_time.pk}/").content.decode()
    assert "Aucune collecte de la courbe de charge n’est enregistrée ici pour ces jours." in left
    assert asked not in left
    assert asked in client.get(f"/mesures/{world.p1.pk}/").content.decode()


def test_the_screen_opens_on_a_point_that_is_still_held(
    world: World, measured: Measured, of_an_unknown_time: MeteringPoint
) -> None:
    client = world.client("alice")
    opened = client.get("/mesures/")["Location"]
    assert of_an_unknown_time.pk not in opened
    for holding in world.acme.holdings.filter(valid_to=None):
        close_holding(holding=holding, valid_to=date(2026, 9, 1), now=world.now)
    assert of_an_unknown_time.pk in client.get("/mesures/")["Location"]
