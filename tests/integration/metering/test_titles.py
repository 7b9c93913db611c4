"""Titles in time: no two on one day, and moves."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gridgate.core.errors import ErrorKind
from gridgate.core.identifiers import InvalidIdentifier
from gridgate.core.quantities import FlowDirection
from gridgate.metering.events import titles_changed
from gridgate.metering.models import MeteringPoint, TitleHolding
from gridgate.metering.operations.collections import end_collections_of_former_holders, set_collection
from gridgate.metering.operations.points import PointExists, create_point
from gridgate.metering.operations.titles import (
    TitleEndsBeforeItBegins,
    TitlesOverlap,
    close_holding,
    move_in,
    open_holding,
)
from gridgate.metering.queries.collections import collections_of, with_collection
from gridgate.metering.queries.points import points_readable_by
from gridgate.organisations.models import Membership

from .conftest import NOW, Registry


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    """What `titles_changed` says."""
    said: list[dict[str, Any]] = []

    def listen(sender: object, *, point_ids: list[str], now: datetime, **_: object) -> None:
        said.append({"point_ids": point_ids, "now": now})

    titles_changed.connect(listen)
    yield said
    titles_changed.disconnect(listen)


class TestOpenHolding:
    @pytest.mark.parametrize(
        ("begins", "ends"),
        [
            (date(2023, 1, 1), None),
            (date(2023, 1, 1), date(2024, 1, 2)),
            (date(2024, 1, 1), date(2024, 2, 1)),
            (date(2026, 1, 1), None),
        ],
    )
    def test_refuses_a_day_held_twice(self, registry: Registry, begins: date, ends: date | None) -> None:
        with pytest.raises(TitlesOverlap) as refusal:
            open_holding(
                metering_point=registry.points[0],
                holder=registry.other,
                valid_from=begins,
                valid_to=ends,
                now=NOW,
            )
        assert refusal.value.kind is ErrorKind.CONFLICT
        assert "ACME Industries from 2024-01-01" in str(refusal.value)
        assert registry.points[0].holdings.count() == 1

    def test_accepts_a_title_that_touches_the_next(
        self, registry: Registry, told: list[dict[str, Any]]
    ) -> None:
        point = registry.points[0]
        open_holding(
            metering_point=point,
            holder=registry.other,
            valid_from=date(2023, 1, 1),
            valid_to=date(2024, 1, 1),
            now=NOW,
        )
        assert point.holdings.count() == 2
        assert told == [{"point_ids": [point.pk], "now": NOW}]

    def test_refuses_an_end_that_is_not_after_the_start(self, registry: Registry) -> None:
        with pytest.raises(TitleEndsBeforeItBegins):
            open_holding(
                metering_point=registry.points[0],
                holder=registry.other,
                valid_from=date(2023, 1, 1),
                valid_to=date(2023, 1, 1),
                now=NOW,
            )

    def test_is_undone_when_a_listener_fails(self, registry: Registry) -> None:
        def fail(sender: object, **_: object) -> None:
            raise RuntimeError("no projection")

        titles_changed.connect(fail)
        try:
            with pytest.raises(RuntimeError):
                close_holding(holding=registry.points[0].holdings.get(), valid_to=date(2025, 1, 1), now=NOW)
        finally:
            titles_changed.disconnect(fail)
        assert registry.points[0].holdings.get().valid_to is None


class TestMoveIn:
    def test_closes_the_former_title_on_the_day_the_new_one_opens(
        self, registry: Registry, told: list[dict[str, Any]]
    ) -> None:
        point = registry.points[0]
        move_in(metering_point=point, holder=registry.other, on=date(2026, 11, 1), now=NOW)
        titles = TitleHolding.objects.filter(metering_point=point).order_by("valid_from")
        assert [(title.holder, title.valid_from, title.valid_to) for title in titles] == [
            (registry.acme, date(2024, 1, 1), date(2026, 11, 1)),
            (registry.other, date(2026, 11, 1), None),
        ]
        assert told == [{"point_ids": [point.pk], "now": NOW}]

    def test_refuses_a_day_on_which_the_present_title_has_not_begun(self, registry: Registry) -> None:
        with pytest.raises(TitlesOverlap):
            move_in(metering_point=registry.points[0], holder=registry.other, on=date(2024, 1, 1), now=NOW)

    def test_ends_the_collection_that_the_former_holder_asked_for(self, registry: Registry) -> None:
        point = registry.points[0]
        set_collection(actor=registry.alice, points=[point.pk], state="requested", now=NOW)
        move_in(metering_point=point, holder=registry.other, on=date(2026, 11, 26), now=NOW)
        assert point.collections.get(until=None).state == "active"  # the move is tomorrow

        close_holding(
            holding=point.holdings.get(valid_to=None),
            valid_to=date(2026, 12, 1),
            now=datetime(2026, 11, 27, tzinfo=UTC),
        )
        ended = point.collections.get()
        assert (ended.state, ended.until) == ("active", datetime(2026, 11, 25, 23, tzinfo=UTC))

    def test_ends_it_when_the_day_of_a_move_known_in_advance_has_come(self, registry: Registry) -> None:
        point = registry.points[0]
        set_collection(actor=registry.alice, points=[point.pk], state="requested", now=NOW)
        move_in(metering_point=point, holder=registry.other, on=date(2026, 11, 26), now=NOW)
        assert end_collections_of_former_holders(now=NOW) == 0
        midnight = datetime(2026, 11, 25, 23, 0, tzinfo=UTC)
        assert end_collections_of_former_holders(now=midnight) == 1
        assert point.collections.get().until == midnight
        assert end_collections_of_former_holders(now=midnight) == 0

    def test_a_state_decided_by_the_former_holder_is_never_the_new_one_s(self, registry: Registry) -> None:
        point = registry.points[0]
        set_collection(actor=registry.alice, points=[point.pk], state="opposed", now=NOW)
        # Told a day late: until then the former company went on deciding.
        move_in(metering_point=point, holder=registry.other, on=date(2026, 11, 1), now=NOW)
        (decided,) = point.collections.all()
        assert (decided.holder, decided.until) == (registry.acme, NOW)
        assert collection_state(registry.stranger, point.pk, NOW.date()) is None
        assert list(collections_of(point, actor=registry.stranger)) == []
        assert list(collections_of(point, actor=registry.alice)) == [decided]
        assert set_collection(actor=registry.stranger, points=[point.pk], state="requested", now=NOW) == 1

    def test_nor_while_nothing_has_ended_it_yet(self, registry: Registry) -> None:
        point = registry.points[0]
        set_collection(actor=registry.alice, points=[point.pk], state="opposed", now=NOW)
        move_in(metering_point=point, holder=registry.other, on=date(2026, 11, 26), now=NOW)
        assert point.collections.get().until is None
        tomorrow = NOW + timedelta(days=1)
        for actor in (registry.stranger, registry.alice):
            assert collection_state(actor, point.pk, tomorrow.date()) is None
        asked = set_collection(actor=registry.stranger, points=[point.pk], state="requested", now=tomorrow)
        assert asked == 1
        assert collection_state(registry.stranger, point.pk, tomorrow.date()) == "active"

    def test_leaves_a_collection_asked_for_by_the_new_holder(self, registry: Registry) -> None:
        point = registry.points[0]
        move_in(metering_point=point, holder=registry.other, on=date(2026, 11, 1), now=NOW)
        set_collection(actor=registry.stranger, points=[point.pk], state="requested", now=NOW)
        close_holding(holding=point.holdings.get(valid_to=None), valid_to=date(2027, 1, 1), now=NOW)
        assert point.collections.get(until=None).state == "active"


def collection_state(actor: Membership, point: str, today: date) -> str | None:
    mine = points_readable_by(actor=actor, service="meters", today=today, point=point)
    return with_collection(mine, today=today).get().collection_state


class TestCreatePoint:
    def test_keeps_the_canonical_identifier(self, db: None) -> None:
        made = create_point(
            id="30 001 480 112 233",
            segment="C4",
            directions=[FlowDirection.WITHDRAWAL, FlowDirection.INJECTION],
            address="1 rue des Forges",
            postcode="69200",
            city="Vénissieux",
            activated_on=date(2020, 1, 1),
            now=NOW,
        )
        assert (made.pk, made.versions.get().directions) == ("30001480112233", 3)

    def test_refuses_what_exists(self, registry: Registry) -> None:
        with pytest.raises(PointExists):
            _create(registry.points[0].pk)

    def test_refuses_a_bad_identifier(self, db: None) -> None:
        with pytest.raises(InvalidIdentifier):
            _create("3000148011223")


def _create(point_id: str) -> MeteringPoint:
    return create_point(
        id=point_id,
        segment="C5",
        directions=1,
        address="1 rue des Forges",
        postcode="69200",
        city="Vénissieux",
        activated_on=date(2020, 1, 1),
        now=NOW,
    )
