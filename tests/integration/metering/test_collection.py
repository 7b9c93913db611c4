"""The states of load-curve collection, and who may change them (Enedis SGE v26.2, C5)."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.metering.events import collection_changed
from gridgate.metering.models import LoadCurveCollection, MeteringPoint, PointVersion
from gridgate.metering.operations.collections import NotEntitled, set_collection
from gridgate.metering.queries.points import PointNotFound, points_readable_by
from gridgate.organisations.models import Organisation
from tests.factories.metering import leave

from .conftest import NOW, Registry


@pytest.fixture
def told() -> Iterator[list[tuple[list[str], str]]]:
    said: list[tuple[list[str], str]] = []

    def listen(sender: object, *, point_ids: list[str], state: str, **_: Any) -> None:
        said.append((point_ids, state))

    collection_changed.connect(listen)
    yield said
    collection_changed.disconnect(listen)


def state_of(point: MeteringPoint) -> str | None:
    return (
        LoadCurveCollection.objects.filter(metering_point=point, until=None)
        .values_list("state", flat=True)
        .first()
    )


class TestSetCollection:
    def test_is_active_at_once_on_a_meter_that_communicates(self, registry: Registry) -> None:
        point = registry.points[0]
        assert set_collection(actor=registry.alice, points=[point.pk], state="requested", now=NOW) == 1
        assert state_of(point) == "active"

    def test_stays_requested_on_another_meter_until_the_operator_activates_it(
        self, registry: Registry
    ) -> None:
        point = registry.points[0]
        PointVersion.objects.filter(metering_point=point.pk).update(meter_type="OTHER")
        set_collection(actor=registry.alice, points=[point.pk], state="requested", now=NOW)
        assert state_of(point) == "requested"
        assert set_collection(actor=registry.alice, points=[point.pk], state="active", now=NOW) == 0
        assert set_collection(actor=None, points=[point.pk], state="active", now=NOW) == 1
        assert state_of(point) == "active"

    def test_lets_the_staff_of_the_operator_activate_it(self, registry: Registry, member: Any) -> None:
        point = registry.points[0]
        PointVersion.objects.filter(metering_point=point.pk).update(meter_type="OTHER")
        set_collection(actor=registry.alice, points=[point.pk], state="requested", now=NOW)
        operator = Organisation.objects.create(
            legal_name="Réseau Démo", siren="100000009", is_operator=True, created_at=NOW
        )
        staff = member(operator, "operateur", "administrator")
        assert set_collection(actor=staff, points=[point.pk], state="active", now=NOW) == 1
        assert point.collections.get(until=None).changed_by_id == staff.user_id

    def test_appends_history_and_says_who(self, registry: Registry) -> None:
        point = registry.points[0]
        later = NOW + timedelta(days=1)
        set_collection(actor=registry.alice, points=[point.pk], state="requested", now=NOW)
        set_collection(actor=registry.alice, points=[point.pk], state="opposed", now=later)
        rows = point.collections.order_by("since").values_list("state", "since", "until", "changed_by")
        assert list(rows) == [
            ("active", NOW, later, registry.alice.user_id),
            ("opposed", later, None, registry.alice.user_id),
        ]

    @pytest.mark.parametrize(
        ("present", "asked", "changes"),
        [
            (None, "ended", 0),
            (None, "opposed", 1),
            ("active", "requested", 0),
            ("active", "ended", 1),
            ("ended", "opposed", 1),
            ("opposed", "opposed", 0),
            ("opposed", "ended", 0),
            ("opposed", "requested", 1),
        ],
    )
    def test_follows_the_rules_of_states(
        self, registry: Registry, present: str | None, asked: str, changes: int
    ) -> None:
        point = registry.points[0]
        if present:
            LoadCurveCollection.objects.create(
                metering_point=point, holder=registry.acme, state=present, since=NOW
            )
        assert set_collection(actor=registry.alice, points=[point.pk], state=asked, now=NOW) == changes

    def test_changes_many_in_as_many_statements_as_one(
        self, registry: Registry, told: list[tuple[list[str], str]]
    ) -> None:
        mine = points_readable_by(actor=registry.alice, service="meters", today=NOW.date())
        with CaptureQueriesContext(connection) as one:
            set_collection(
                actor=registry.alice, points=mine.filter(pk=registry.points[0].pk), state="opposed", now=NOW
            )
        with CaptureQueriesContext(connection) as three:
            changed = set_collection(actor=registry.alice, points=mine, state="opposed", now=NOW)
        assert changed == 3
        assert len(three) == len(one)
        assert told[1] == ([point.pk for point in registry.points[1:]], "opposed")

    def test_refuses_a_member_without_the_entitlement(self, registry: Registry) -> None:
        with pytest.raises(NotEntitled):
            set_collection(actor=registry.clerk, points=[registry.points[0].pk], state="requested", now=NOW)

    def test_refuses_all_when_one_point_is_out_of_the_perimeter(self, registry: Registry) -> None:
        with pytest.raises(PointNotFound):
            set_collection(
                actor=registry.bob, points=[p.pk for p in registry.points], state="requested", now=NOW
            )
        assert not LoadCurveCollection.objects.exists()

    def test_refuses_another_company_and_a_former_holder(self, registry: Registry) -> None:
        point = registry.points[0]
        with pytest.raises(PointNotFound):
            set_collection(actor=registry.stranger, points=[point.pk], state="opposed", now=NOW)
        leave(point.pk, date(2026, 11, 25))
        with pytest.raises(PointNotFound):
            set_collection(actor=registry.alice, points=[point.pk], state="opposed", now=NOW)
