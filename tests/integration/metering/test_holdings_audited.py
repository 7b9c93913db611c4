"""What the operator does to a company's titles and collections is written to that company's audit."""

from datetime import date

import pytest

from gridgate.audit.events import broken_links
from gridgate.audit.models import AuditEvent
from gridgate.metering.imports.holders import import_holders
from gridgate.metering.imports.journal import check_file, import_checked
from gridgate.metering.models import PointVersion, RegisterImport, TitleHolding
from gridgate.metering.operations.collections import set_collection
from gridgate.metering.operations.titles import close_holding, move_in, open_holding
from gridgate.organisations.authority import NotAllowed
from tests.factories.metering import make_held_point, make_point
from tests.world import World

HEADER = "metering_point_id;siren;legal_name;valid_from;valid_to"


def events_of(company, *actions: str) -> list[AuditEvent]:
    found = AuditEvent.objects.filter(organisation=company.pk, action__in=actions)
    return list(found.exclude(acting_for=None).order_by("pk"))


class TestByHand:
    def test_opening_a_title_is_told_to_its_holder(self, world: World) -> None:
        point = make_point()
        holding = open_holding(
            metering_point=point,
            holder=world.acme,
            valid_from=date(2026, 11, 1),
            actor=world.operateur,
            now=world.now,
        )
        (event,) = events_of(world.acme, "holding.opened")
        assert (event.subject_kind, event.subject, event.subject_label) == (
            "holding",
            str(holding.pk),
            point.pk,
        )
        assert (event.acting_for, event.user_name) == (world.operator.pk, "Olivier")
        assert (event.before, event.after) == ({}, {"valid_from": "2026-11-01", "valid_to": None})

    def test_ending_one_says_what_was_and_what_is(self, world: World) -> None:
        holding = world.p1.holdings.get()
        close_holding(holding=holding, valid_to=date(2026, 12, 1), actor=world.operateur, now=world.now)
        close_holding(holding=holding, valid_to=date(2026, 12, 5), actor=world.operateur, now=world.now)
        first, second = events_of(world.acme, "holding.closed")
        assert (first.before, first.after) == ({"valid_to": None}, {"valid_to": "2026-12-01"})
        assert (second.before, second.after) == ({"valid_to": "2026-12-01"}, {"valid_to": "2026-12-05"})

    def test_a_move_is_told_to_both(self, world: World) -> None:
        move_in(
            metering_point=world.p1,
            holder=world.client_b,
            on=date(2026, 11, 20),
            actor=world.operateur,
            now=world.now,
        )
        assert [event.after for event in events_of(world.acme, "holding.closed")] == [
            {"valid_to": "2026-11-20"}
        ]
        assert [event.after for event in events_of(world.client_b, "holding.opened")] == [
            {"valid_from": "2026-11-20", "valid_to": None}
        ]

    def test_what_is_refused_is_not_told(self, world: World) -> None:
        with pytest.raises(Exception, match="is held by"):
            open_holding(
                metering_point=world.p1,
                holder=world.client_b,
                valid_from=date(2026, 1, 1),
                actor=world.operateur,
                now=world.now,
            )
        assert events_of(world.client_b, "holding.opened") == []

    @pytest.mark.parametrize("who", ["alice", "tiers1"])
    def test_is_for_the_operator(self, world: World, who: str) -> None:
        actor = world.membership(who)
        holding = world.p1.holdings.get()
        with pytest.raises(NotAllowed):
            close_holding(holding=holding, valid_to=date(2026, 12, 1), actor=actor, now=world.now)
        with pytest.raises(NotAllowed):
            move_in(
                metering_point=world.p1,
                holder=world.client_b,
                on=date(2026, 12, 1),
                actor=actor,
                now=world.now,
            )
        with pytest.raises(NotAllowed):
            open_holding(
                metering_point=make_point(),
                holder=world.acme,
                valid_from=date(2026, 12, 1),
                actor=actor,
                now=world.now,
            )
        assert TitleHolding.objects.get(pk=holding.pk).valid_to is None


class TestByImport:
    def imported(self, world: World, *lines: str) -> RegisterImport:
        content = "\n".join((HEADER, *lines)).encode()
        user = world.operateur.user
        kept = check_file(kind="holders", name="titulaires.csv", content=content, user=user, now=world.now)
        assert events_of(world.acme, "holding.imported") == [], "a check writes nothing"
        return import_checked(number=kept.pk, actor=world.operateur, now=world.now)

    def test_each_company_is_told_of_its_own_titles_in_one_event(self, world: World) -> None:
        new = make_point()
        self.imported(
            world,
            f"{world.p1.pk};{world.client_b.siren};;2026-11-10;",
            f"{new.pk};{world.acme.siren};;2026-11-01;2026-11-20",
            f"{world.p2.pk};{world.acme.siren};;2024-01-01;",
        )
        (acme,) = events_of(world.acme, "holding.imported")
        assert acme.before == {"titles": [f"{world.p1.pk} 2024-01-01/.."]}
        assert acme.after == {
            "titles": [f"{world.p1.pk} 2024-01-01/2026-11-10", f"{new.pk} 2026-11-01/2026-11-20"]
        }
        assert acme.acting_for == world.operator.pk
        (other,) = events_of(world.client_b, "holding.imported")
        assert (other.before, other.after) == ({}, {"titles": [f"{world.p1.pk} 2026-11-10/.."]})

    def test_a_company_that_the_file_brings_is_registered_by_the_operator(self, world: World) -> None:
        self.imported(world, f"{make_point().pk};732829320;Papeteries;2026-11-01;")
        event = AuditEvent.objects.get(action="company.registered", subject_label="Papeteries")
        assert (event.acting_for, event.user) == (world.operator.pk, world.operateur.user_id)

    @pytest.mark.large
    def test_a_large_import_is_told_five_hundred_titles_at_a_time(self, world: World) -> None:
        points = [make_point() for _ in range(505)]
        self.imported(world, *(f"{point.pk};{world.acme.siren};;2026-11-01;" for point in points))
        told = [len(event.after["titles"]) for event in events_of(world.acme, "holding.imported")]
        assert told == [500, 5]
        assert list(broken_links()) == []

    def test_is_for_the_operator(self, world: World) -> None:
        content = f"{HEADER}\n{world.p1.pk};{world.client_b.siren};;2026-11-10;\n".encode()
        with pytest.raises(NotAllowed):
            import_holders(content, actor=world.alice, now=world.now)
        kept = check_file(kind="holders", name="a.csv", content=content, user=None, now=world.now)
        with pytest.raises(NotAllowed):
            import_checked(number=kept.pk, actor=world.alice, now=world.now)


class TestCollections:
    def test_what_the_operator_puts_into_service_is_told_to_the_holder(self, world: World) -> None:
        PointVersion.objects.filter(metering_point=world.p1.pk).update(meter_type="OTHER")
        set_collection(actor=world.alice, points=[world.p1.pk], state="requested", now=world.now)
        set_collection(
            actor=world.operateur, points=[world.p1.pk, world.p5.pk], state="active", now=world.now
        )
        (event,) = events_of(world.acme, "collection.active")
        assert (event.acting_for, event.subject_kind) == (world.operator.pk, "collection")
        assert event.after == {"state": "active", "points": [world.p1.pk]}

    def test_what_the_company_decides_itself_is_in_the_points_own_history(self, world: World) -> None:
        point = make_held_point(world.acme)
        set_collection(actor=world.alice, points=[point.pk], state="requested", now=world.now)
        assert not AuditEvent.objects.filter(subject_kind="collection").exists()
