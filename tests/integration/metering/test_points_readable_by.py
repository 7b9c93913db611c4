"""Who sees which points."""

from datetime import date

import pytest

from gridgate.core.errors import ErrorKind
from gridgate.metering.queries.points import PointNotFound, point_readable_by, points_readable_by
from tests.factories.metering import leave
from tests.factories.organisations import restrict

from .conftest import NOW, Registry

TODAY = NOW.date()


class TestPointsReadableBy:
    def test_gives_a_member_the_points_of_the_company_and_no_other(self, registry: Registry) -> None:
        seen = points_readable_by(actor=registry.alice, service="meters", today=TODAY)
        assert {point.pk for point in seen} == {point.pk for point in registry.points}

    def test_restricts_a_member_to_the_perimeter(self, registry: Registry) -> None:
        seen = points_readable_by(actor=registry.bob, service="meters", today=TODAY)
        assert {point.pk for point in seen} == {point.pk for point in registry.points[:2]}

    def test_gives_nothing_to_a_restricted_member_whose_perimeter_is_empty(self, registry: Registry) -> None:
        restrict(registry.bob, [])
        assert not points_readable_by(actor=registry.bob, service="meters", today=TODAY).exists()

    def test_gives_nothing_to_a_member_who_left(self, registry: Registry) -> None:
        registry.alice.ended_at = NOW
        assert not points_readable_by(actor=registry.alice, service="meters", today=TODAY).exists()

    def test_keeps_a_point_for_its_former_holder_and_says_until_when(self, registry: Registry) -> None:
        left = registry.points[0]
        leave(left.pk, date(2025, 7, 1))
        seen = points_readable_by(actor=registry.alice, service="meters", today=TODAY).get(pk=left.pk)
        assert (seen.held_from, seen.held_to) == (date(2024, 1, 1), date(2025, 7, 1))

    @pytest.mark.parametrize(("day", "held"), [(date(2025, 6, 30), True), (date(2025, 7, 1), False)])
    def test_at_a_day_gives_what_was_held_on_it(self, registry: Registry, day: date, held: bool) -> None:
        left = registry.points[0]
        leave(left.pk, date(2025, 7, 1))
        assert (
            points_readable_by(actor=registry.alice, service="meters", today=day, held=True)
            .filter(pk=left.pk)
            .exists()
            is held
        )

    def test_is_one_statement_after_the_rights(
        self, registry: Registry, django_assert_num_queries: object
    ) -> None:
        with django_assert_num_queries(2):  # the rights, then the points
            assert (
                points_readable_by(
                    actor=registry.bob, service="meters", today=date(2026, 1, 1), held=True
                ).count()
                == 2
            )


class TestPointReadableBy:
    def test_finds_a_point_in_the_perimeter(self, registry: Registry) -> None:
        assert (
            point_readable_by(
                actor=registry.bob, service="meters", point_id=registry.points[0].pk, today=TODAY
            )
            == registry.points[0]
        )

    @pytest.mark.parametrize("which", ["absent", "foreign", "out of perimeter"])
    def test_does_not_tell_absent_from_unreadable(self, registry: Registry, which: str) -> None:
        ids = {
            "absent": "30001489999999",
            "foreign": registry.foreign.pk,
            "out of perimeter": registry.points[3].pk,
        }
        with pytest.raises(PointNotFound) as refusal:
            point_readable_by(actor=registry.bob, service="meters", point_id=ids[which], today=TODAY)
        assert refusal.value.kind is ErrorKind.NOT_FOUND
