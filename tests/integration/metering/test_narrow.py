"""Searching and filtering lists of points."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.core.quantities import FlowDirection
from gridgate.metering.models import LoadCurveCollection
from gridgate.metering.queries.collections import NEVER, with_collection
from gridgate.metering.queries.lists import PointFilter, cities_of, narrow, totals_of
from gridgate.metering.queries.points import points_readable_by
from tests.factories.metering import leave, make_holding

from .conftest import NOW, Registry

TODAY = date(2026, 11, 25)


@pytest.fixture
def listed(registry: Registry, point: Any) -> Registry:
    """Three points that differ in everything."""
    columns = [
        {"label": "Écully, agence", "address": "3 chemin du Moulin", "postcode": "69130", "city": "Écully"},
        {"label": "Bron, toiture", "address": "2 rue du Côteau", "postcode": "69500", "city": "Bron"},
        {"label": "", "address": "12 rue du Bac", "postcode": "01000", "city": "Bourg-en-Bresse"},
    ]
    facts = [
        {"segment": "C5", "directions": 1, "subscribed_power_kva": 9},
        {"segment": "P4", "directions": 2, "subscribed_power_kva": 100},
        {"segment": "C4", "directions": 3, "subscribed_power_kva": 120},
    ]
    for number, values in enumerate(zip(columns, facts, strict=True), start=7):
        held = point(number, **values[0], **values[1])
        make_holding(held, registry.other)
    return registry


def decided(registry: Registry, point: str, state: str, **more: Any) -> None:
    LoadCurveCollection.objects.create(
        metering_point_id=point, holder=registry.other, state=state, since=NOW, **more
    )


def found(registry: Registry, **wanted: Any) -> list[str]:
    mine = points_readable_by(actor=registry.stranger, service="meters", today=TODAY)
    chosen = narrow(mine, PointFilter(**wanted), today=TODAY)
    return sorted(one.label or one.city for one in chosen)


class TestNarrow:
    @pytest.mark.parametrize(
        ("text", "labels"),
        [
            ("", ["Bourg-en-Bresse", "Bron, toiture", "Site 5", "Écully, agence"]),
            ("ecully", ["Écully, agence"]),
            ("ÉCULLY", ["Écully, agence"]),
            ("coteau bron", ["Bron, toiture"]),
            ("rue bac", ["Bourg-en-Bresse"]),
            ("12 rue du Bac", ["Bourg-en-Bresse"]),
            ("69500", ["Bron, toiture"]),
            ("30001480000007", ["Écully, agence"]),
            ("30 001 480 000 008", ["Bron, toiture"]),
            ("000 009", ["Bourg-en-Bresse"]),
            ("3000148", ["Bourg-en-Bresse", "Bron, toiture", "Site 5", "Écully, agence"]),
            ("Lille", []),
            ("100%", []),
        ],
    )
    def test_finds_text(self, listed: Registry, text: str, labels: list[str]) -> None:
        assert found(listed, text=text) == labels

    @pytest.mark.parametrize(
        ("wanted", "labels"),
        [
            ({"segment": "P4"}, ["Bron, toiture"]),
            ({"direction": FlowDirection.INJECTION}, ["Bourg-en-Bresse", "Bron, toiture"]),
            ({"city": "Bron"}, ["Bron, toiture"]),
            ({"power_from": Decimal(100)}, ["Bourg-en-Bresse", "Bron, toiture"]),
            ({"power_from": Decimal(10), "power_to": Decimal(100)}, ["Bron, toiture", "Site 5"]),
            ({"segment": "C4", "text": "bron"}, []),
        ],
    )
    def test_filters(self, listed: Registry, wanted: dict[str, Any], labels: list[str]) -> None:
        assert found(listed, **wanted) == labels

    def test_filters_by_the_present_state_of_collection(self, listed: Registry) -> None:
        decided(listed, "30001480000007", "opposed")
        decided(listed, "30001480000008", "opposed", until=NOW)
        assert found(listed, collection="opposed") == ["Écully, agence"]
        assert found(listed, collection=NEVER) == ["Bourg-en-Bresse", "Bron, toiture", "Site 5"]

    def test_filters_by_title(self, listed: Registry) -> None:
        leave("30001480000007", TODAY)
        assert found(listed, held=False) == ["Écully, agence"]
        assert found(listed, held=True) == ["Bourg-en-Bresse", "Bron, toiture", "Site 5"]


class TestLists:
    def test_carry_the_present_collection(self, listed: Registry) -> None:
        decided(listed, "30001480000007", "active")
        mine = with_collection(
            points_readable_by(actor=listed.stranger, service="meters", today=TODAY), today=TODAY
        )
        states = {one.pk: one.collection_state for one in mine}
        assert states["30001480000007"] == "active"
        assert states["30001480000008"] is None

    def test_are_counted_in_one_statement(self, listed: Registry) -> None:
        with CaptureQueriesContext(connection) as asked:
            totals = totals_of(
                points_readable_by(actor=listed.stranger, service="meters", today=TODAY), today=TODAY
            )
        assert (totals.points, totals.held, totals.injecting, totals.sites) == (4, 4, 2, 4)
        assert len(asked) == 1

    def test_name_their_cities_in_order(self, listed: Registry) -> None:
        cities = cities_of(points_readable_by(actor=listed.stranger, service="meters", today=TODAY))
        assert cities == ["Bourg-en-Bresse", "Bron", "Écully", "Vénissieux"]
