"""Groups, what they are given, and who may change what."""

import pytest

from gridgate.audit.events import broken_links
from gridgate.audit.models import AuditEvent
from gridgate.core.identifiers import InvalidIdentifier
from gridgate.core.roles import BeneficiaryRole, Why
from gridgate.metering.models import MeteringPoint
from gridgate.organisations import rights
from gridgate.organisations.authority import LastAdministrator, NotAllowed
from gridgate.organisations.catalogue import BY_CODE, CATALOGUE
from gridgate.organisations.company_rights import company_rights
from gridgate.organisations.events import membership_changed
from gridgate.organisations.models import Membership, UserGroup
from gridgate.organisations.operations.group_steps import InvalidGroup
from gridgate.organisations.operations.groups import (
    create_group,
    delete_group,
    rename_group,
    set_groups,
    set_members,
)
from gridgate.organisations.operations.members import disable_user, end_membership, set_role, update_member
from gridgate.organisations.operations.services import (
    give,
    set_perimeter,
    set_services,
    withdraw,
)
from gridgate.organisations.rights_changes import Difference, becoming
from tests.factories.organisations import make_group, make_member
from tests.real_registry import Registry


def last(action: str) -> AuditEvent:
    return AuditEvent.objects.filter(action=action).latest("pk")


@pytest.fixture
def lyon(world) -> UserGroup:
    return world.acme.groups.get(name="Site de Lyon")


@pytest.fixture
def manager(world) -> Membership:
    """A user who may manage users, and nothing else of the company's administration."""
    member = make_member(world.acme, "Maud")
    make_group(world.acme, "Accueil", [member], {"users": None})
    return Membership.objects.select_related("user", "organisation").get(pk=member.pk)


class TestExclusiveOnceSpecified:
    def test_a_service_that_nobody_was_given_is_open_to_all(self, world):
        assert rights.explain(world.bob, "invoices").why is Why.OPEN_TO_ALL
        assert rights.explain(world.acme_user, "invoices").why is Why.OPEN_TO_ALL

    def test_given_to_a_group_it_is_that_groups_alone(self, world, lyon):
        give(group=lyon, code="invoices", actor=world.alice, now=world.now)
        assert rights.explain(world.bob, "invoices").why is Why.GIVEN
        answer = rights.explain(world.acme_user, "invoices")
        assert (answer.why, answer.groups) == (Why.RESERVED, ("Site de Lyon",))

    def test_withdrawn_from_the_last_group_it_is_open_again(self, world, lyon):
        give(group=lyon, code="invoices", actor=world.alice, now=world.now)
        withdraw(group=lyon, code="invoices", actor=world.alice, now=world.now)
        assert rights.explain(world.acme_user, "invoices").why is Why.OPEN_TO_ALL

    def test_what_commits_the_company_is_never_open_by_itself(self, world, lyon):
        assert rights.explain(world.acme_user, "applications").why is Why.GIVEN_TO_NOBODY
        give(group=lyon, code="applications", actor=world.alice, now=world.now)
        delete_group(group=lyon, actor=world.alice, now=world.now)
        assert rights.explain(world.acme_user, "applications").why is Why.GIVEN_TO_NOBODY

    def test_a_service_that_the_company_is_not_offered_cannot_be_given(self, world, lyon):
        with pytest.raises(InvalidGroup, match="not offered"):
            give(group=lyon, code="markets", actor=world.alice, now=world.now)
        world.acme.roles = [BeneficiaryRole.CONSUMER.value]
        world.acme.save()
        lyon.refresh_from_db()
        give(group=UserGroup.objects.get(pk=lyon.pk), code="markets", actor=world.alice, now=world.now)


class TestPerimeter:
    def test_is_by_service(self, world, lyon):
        give(group=lyon, code="measurements", points=[world.p3.pk], actor=world.alice, now=world.now)
        bob = world.membership("bob")
        assert set(rights.perimeter_of(bob, "measurements")) == {world.p3.pk}
        assert set(rights.perimeter_of(bob, "meters")) == {world.p1.pk, world.p2.pk}

    def test_narrows_a_statement_without_being_written_by_the_orm(self, world, monkeypatch):
        bob = world.membership("bob")
        seen = set(rights.perimeter_of(bob, "meters"))
        written = []
        monkeypatch.setattr(rights, "points_reached", lambda *_, **__: written.append(1))
        points = MeteringPoint.objects.filter(bob.within("meters", "pk"))
        assert ({point.pk for point in points}, written) == (seen, [])

    def test_without_one_the_group_has_every_point_now_and_later(self, world, lyon):
        give(group=lyon, code="measurements", points=None, actor=world.alice, now=world.now)
        assert world.membership("bob").reach("measurements").everything

    def test_of_several_services_changes_together_or_not_at_all(self, world, lyon):
        set_perimeter(
            group=lyon,
            codes=["meters", "measurements"],
            points=[world.p4.pk],
            actor=world.alice,
            now=world.now,
        )
        bob = world.membership("bob")
        assert set(rights.perimeter_of(bob, "meters")) == set(rights.perimeter_of(bob, "measurements"))
        with pytest.raises(InvalidGroup, match="not for points"):
            set_perimeter(
                group=lyon,
                codes=["meters", "invoices"],
                points=[world.p1.pk],
                actor=world.alice,
                now=world.now,
            )
        assert set(rights.perimeter_of(bob, "meters")) == {world.p4.pk}

    def test_holds_identifiers_of_points_only(self, world, lyon):
        with pytest.raises(InvalidIdentifier):
            give(group=lyon, code="meters", points=["12"], actor=world.alice, now=world.now)


class TestWhatIsRecorded:
    def test_a_group_from_its_name_to_its_end(self, world):
        group = create_group(
            organisation=world.acme, name="  Énergie   Sud ", actor=world.alice, now=world.now
        )
        rename_group(group=group, name="Énergie", actor=world.alice, now=world.now)
        set_members(group=group, members=[world.bob], actor=world.alice, now=world.now)
        give(group=group, code="contracts", points=[world.p1.pk], actor=world.alice, now=world.now)
        give(group=group, code="contracts", points=None, actor=world.alice, now=world.now)
        delete_group(group=group, actor=world.alice, now=world.now)
        said = {
            event.action: (event.before, event.after)
            for event in AuditEvent.objects.filter(subject_kind="group", user=world.alice.user_id)
        }
        assert said == {
            "group.created": ({}, {"name": "Énergie Sud"}),
            "group.renamed": ({"name": "Énergie Sud"}, {"name": "Énergie"}),
            "group.members_changed": ({"members": []}, {"members": ["bob@acme.example"]}),
            "group.service_given": ({}, {"service": "contracts", "points": [world.p1.pk]}),
            "group.perimeter_changed": (
                {"service": "contracts", "points": [world.p1.pk]},
                {"service": "contracts", "points": "all"},
            ),
            "group.deleted": (
                {"name": "Énergie", "members": ["bob@acme.example"], "services": {"contracts": "all"}},
                {},
            ),
        }
        assert list(broken_links()) == []

    def test_nothing_when_nothing_changes(self, world, lyon):
        before = AuditEvent.objects.count()
        rename_group(group=lyon, name="Site de Lyon", actor=world.alice, now=world.now)
        set_members(group=lyon, members=[world.bob], actor=world.alice, now=world.now)
        set_groups(membership=world.bob, groups=[lyon], actor=world.alice, now=world.now)
        points = [world.p2.pk, world.p1.pk]
        give(group=lyon, code="meters", points=points, actor=world.alice, now=world.now)
        withdraw(group=lyon, code="invoices", actor=world.alice, now=world.now)
        update_member(
            membership=world.bob, role="user", external=False, until=None, actor=world.alice, now=world.now
        )
        assert AuditEvent.objects.count() == before

    def test_a_member_from_one_role_to_the_other(self, world):
        update_member(
            membership=world.bob,
            role="administrator",
            external=True,
            until=None,
            actor=world.alice,
            now=world.now,
        )
        event = last("member.changed")
        assert (event.before, event.after) == (
            {"role": "user", "external": False},
            {"role": "administrator", "external": True},
        )
        assert (event.user, event.acting_for, event.organisation) == (
            world.alice.user_id,
            world.acme.pk,
            world.acme.pk,
        )
        end_membership(membership=world.bob, actor=world.alice, now=world.now)
        facts = {"role": "administrator", "external": True, "groups": ["Site de Lyon"]}
        assert last("member.detached").before == facts


class TestNames:
    @pytest.mark.parametrize("name", ["", "   ", "x" * 81, "SITE DE LYON"])
    def test_empty_too_long_or_already_used_are_refused(self, world, name):
        with pytest.raises(InvalidGroup):
            create_group(organisation=world.acme, name=name, actor=world.alice, now=world.now)
        assert world.acme.groups.count() == 2

    def test_another_company_may_have_the_same(self, world):
        create_group(organisation=world.client_b, name="Site de Lyon", actor=world.charlie, now=world.now)


class TestMembers:
    def test_belong_to_the_company_and_are_present(self, world, lyon):
        for stranger in (world.charlie, world.acme_user):
            end_membership(membership=world.acme_user, now=world.now)
            member = Membership.objects.get(pk=stranger.pk)
            with pytest.raises(InvalidGroup):
                set_members(group=lyon, members=[member], actor=world.alice, now=world.now)

    def test_groups_of_a_member_are_of_their_company(self, world):
        theirs = create_group(organisation=world.client_b, name="Énergie", now=world.now)
        with pytest.raises(InvalidGroup):
            set_groups(membership=world.bob, groups=[theirs], actor=world.alice, now=world.now)

    def test_setting_the_groups_of_one_leaves_the_others_in_place(self, world, lyon):
        seat = world.acme.groups.get(name="Siège")
        set_groups(membership=world.bob, groups=[seat], actor=world.alice, now=world.now)
        assert not lyon.members.exists()
        assert set(seat.members.values_list("membership", flat=True)) == {world.bob.pk, world.acme_user.pk}

    def test_a_colleague_whose_last_day_is_over_keeps_nobody_out(self, world, lyon):
        colleague = make_member(world.acme, "Lucie")
        set_members(group=lyon, members=[world.bob, colleague], actor=world.alice, now=world.now)
        Membership.objects.filter(pk=colleague.pk).update(until=world.now)
        set_groups(membership=world.acme_user, groups=[lyon], actor=world.alice, now=world.now)
        assert {row.membership_id for row in lyon.members.all()} == {world.bob.pk, world.acme_user.pk}
        assert Membership.objects.get(pk=colleague.pk).ended_at == world.now
        set_groups(membership=world.acme_user, groups=[], actor=world.alice, now=world.now)
        assert [row.membership_id for row in lyon.members.all()] == [world.bob.pk]

    def test_whoever_is_detached_leaves_every_group(self, world, lyon):
        end_membership(membership=world.bob, actor=world.alice, now=world.now)
        assert not lyon.members.exists()

    def test_the_apps_above_are_told_of_those_concerned(self, world, lyon):
        told = []

        def hear(membership, **_):
            told.append(membership.pk)

        membership_changed.connect(hear)
        try:
            set_members(group=lyon, members=[world.acme_user], actor=world.alice, now=world.now)
        finally:
            membership_changed.disconnect(hear)
        assert sorted(told) == sorted([world.bob.pk, world.acme_user.pk])


class TestAUserManager:
    def test_changes_users_and_who_is_in_a_group(self, world, lyon, manager):
        update_member(
            membership=world.bob, role="user", external=True, until=None, actor=manager, now=world.now
        )
        set_members(group=lyon, members=[world.bob, world.acme_user], actor=manager, now=world.now)
        end_membership(membership=world.acme_user, actor=manager, now=world.now)
        assert world.membership("bob").external
        assert world.membership("acme_user").ended_at == world.now

    def test_makes_nobody_an_administrator(self, world, manager):
        with pytest.raises(NotAllowed):
            set_role(membership=world.bob, role="administrator", actor=manager, now=world.now)

    def test_does_not_touch_an_administrator(self, world, lyon, manager):
        for change in (
            lambda: end_membership(membership=world.alice, actor=manager, now=world.now),
            lambda: set_role(membership=world.alice, role="user", actor=manager, now=world.now),
            lambda: set_members(group=lyon, members=[world.bob, world.alice], actor=manager, now=world.now),
        ):
            with pytest.raises(NotAllowed):
                change()

    def test_does_not_touch_one_who_has_just_become_an_administrator(self, world, manager):
        as_looked_up = world.membership("bob")
        set_role(membership=world.bob, role="administrator", actor=world.alice, now=world.now)
        with pytest.raises(NotAllowed):
            update_member(
                membership=as_looked_up, role="user", external=True, until=None, actor=manager, now=world.now
            )
        with pytest.raises(NotAllowed):
            end_membership(membership=as_looked_up, actor=manager, now=world.now)
        assert world.membership("bob").role == "administrator"

    def test_does_not_touch_themselves(self, world, lyon, manager):
        for change in (
            lambda: end_membership(membership=manager, actor=manager, now=world.now),
            lambda: update_member(
                membership=manager, role="user", external=True, until=None, actor=manager, now=world.now
            ),
            lambda: set_groups(membership=manager, groups=[lyon], actor=manager, now=world.now),
        ):
            with pytest.raises(NotAllowed):
                change()

    def test_does_not_make_groups_nor_give_services(self, world, lyon, manager):
        for change in (
            lambda: create_group(organisation=world.acme, name="Énergie", actor=manager, now=world.now),
            lambda: rename_group(group=lyon, name="Énergie", actor=manager, now=world.now),
            lambda: delete_group(group=lyon, actor=manager, now=world.now),
            lambda: give(group=lyon, code="invoices", actor=manager, now=world.now),
            lambda: withdraw(group=lyon, code="meters", actor=manager, now=world.now),
            lambda: set_services(organisation=world.acme, wanted={}, actor=manager, now=world.now),
        ):
            with pytest.raises(NotAllowed):
                change()

    @pytest.mark.parametrize("name", ["bob", "acme_user", "charlie", "operateur"])
    def test_others_do_none_of_it(self, world, lyon, name):
        actor = world.membership(name)
        for change in (
            lambda: set_members(group=lyon, members=[], actor=actor, now=world.now),
            lambda: end_membership(membership=world.acme_user, actor=actor, now=world.now),
            lambda: give(group=lyon, code="invoices", actor=actor, now=world.now),
        ):
            with pytest.raises(NotAllowed):
                change()

    def test_who_has_been_detached_is_one_no_more(self, world, lyon, manager):
        end_membership(membership=manager, actor=world.alice, now=world.now)
        gone = Membership.objects.select_related("organisation", "user").get(pk=manager.pk)
        with pytest.raises(NotAllowed):
            set_members(group=lyon, members=[], actor=gone, now=world.now)


class TestTheLastAdministrator:
    def test_is_neither_detached_nor_made_a_user(self, world):
        for change in (
            lambda: end_membership(membership=world.alice, actor=world.alice, now=world.now),
            lambda: set_role(membership=world.alice, role="user", actor=world.alice, now=world.now),
        ):
            with pytest.raises(LastAdministrator):
                change()
        alice = world.membership("alice")
        assert (alice.role, alice.ended_at) == ("administrator", None)

    def test_one_whose_account_is_closed_does_not_count(self, world):
        second = make_member(world.acme, "Denise", role="administrator")
        disable_user(user=second.user)
        with pytest.raises(LastAdministrator):
            end_membership(membership=world.alice, actor=world.alice, now=world.now)

    def test_with_another_may_go(self, world):
        make_member(world.acme, "Denise", role="administrator")
        end_membership(membership=world.alice, actor=world.alice, now=world.now)
        assert world.membership("alice").ended_at == world.now

    def test_of_two_who_remove_each_other_at_once_one_stays(self, registry: Registry):
        registry.run(
            """
from tests.factories.organisations import make_member
from gridgate.organisations.models import Organisation
make_member(Organisation.objects.get(legal_name="ACME Industries"), "Denise", role="administrator")
"""
        )
        program = """
import os, sys
from datetime import UTC, datetime
from gridgate.organisations.authority import LastAdministrator
from gridgate.organisations.models import Membership
from gridgate.organisations.operations.members import end_membership, set_role
of_acme = Membership.objects.filter(organisation__legal_name="ACME Industries", role="administrator")
target = of_acme.get(user__full_name=os.environ["TARGET"])
now = datetime(2026, 11, 25, tzinfo=UTC)
try:
    if os.environ["HOW"] == "detach":
        end_membership(membership=target, now=now)
    else:
        set_role(membership=target, role="user", now=now)
except LastAdministrator:
    print("refused")
else:
    print("done")
"""
        both = [
            registry.start(program, TARGET="Alice", HOW="detach"),
            registry.start(program, TARGET="Denise", HOW="demote"),
        ]
        said = []
        for process in both:
            output, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
            said.append(output.strip())
        assert sorted(said) == ["done", "refused"]
        assert registry.rows(
            "SELECT count(*) FROM organisations_membership WHERE organisation_id ="
            " (SELECT id FROM organisations_organisation WHERE legal_name = 'ACME Industries')"
            " AND role = 'administrator' AND ended_at IS NULL"
        ) == [(1,)]


class TestSetServices:
    def test_gives_and_withdraws_in_one_go_and_keeps_perimeters(self, world, lyon):
        seat = world.acme.groups.get(name="Siège")
        set_services(
            organisation=world.acme,
            wanted={lyon.pk: ["meters", "invoices"], seat.pk: ["meters"]},
            actor=world.alice,
            now=world.now,
        )
        assert set(lyon.entitlements.values_list("code", "restricted")) == {
            ("meters", True),
            ("invoices", False),
        }
        assert set(seat.entitlements.values_list("code", flat=True)) == {"meters"}

    def test_of_another_company_are_out_of_reach(self, world):
        theirs = create_group(organisation=world.client_b, name="Énergie", now=world.now)
        set_services(
            organisation=world.acme, wanted={theirs.pk: ["meters"]}, actor=world.alice, now=world.now
        )
        assert not theirs.entitlements.exists()


def names(differences: tuple[Difference, ...]) -> list[str]:
    return [name for difference in differences for name in difference.names]


class TestCompanyRights:
    def everyone(self, world) -> list[Membership]:
        members = world.acme.memberships.filter(role="user", ended_at=None)
        return list(members.select_related("user", "organisation"))

    def test_say_of_all_members_what_each_is_told_alone(self, world):
        make_member(world.acme, "Nora")
        make_group(world.acme, "Vide", [], {"contracts": None, "applications": None})
        told = company_rights(actor=world.membership("alice"))
        for entry in CATALOGUE:
            if entry in told.services:
                for member in self.everyone(world):
                    alone = rights.explain(member, entry.code).allowed
                    assert (told.reach(member.pk, entry) is not None) is alone, (entry.code, member)

    @pytest.mark.parametrize("code", ["invoices", "meters", "applications"])
    def test_foresee_what_a_change_does(self, world, lyon, code):
        actor = world.membership("alice")
        before = company_rights(actor=actor)
        foreseen = before.with_services(give=[(lyon.pk, code)], withdraw=[(lyon.pk, "measurements")])
        give(group=lyon, code=code, actor=world.alice, now=world.now)
        withdraw(group=lyon, code="measurements", actor=world.alice, now=world.now)
        after = company_rights(actor=actor)
        for entry in after.services:
            for member in self.everyone(world):
                reach, then = foreseen.reach(member.pk, entry), after.reach(member.pk, entry)
                assert (reach is None) is (then is None), (entry.code, member)

    def test_name_who_loses_and_who_gains(self, world, lyon):
        before = company_rights(actor=world.membership("alice"))
        [change] = becoming(before, before.with_services(give=[(lyon.pk, "invoices")]))
        assert (names(change.losses), change.gains) == (["Agathe"], ())
        assert (change.reserves, change.opens, change.closes, change.asks_to_confirm) == (
            True,
            False,
            False,
            True,
        )
        seat = world.acme.groups.get(name="Siège")
        both = [(lyon.pk, "meters"), (seat.pk, "meters")]
        [change] = becoming(before, before.with_services(withdraw=both))
        assert (change.opens, change.asks_to_confirm, change.losses) == (True, True, ())
        [change] = becoming(before, before.with_services(withdraw=[(lyon.pk, "data_services")]))
        assert (change.closes, change.opens, names(change.losses)) == (True, False, ["Bob"])
        assert BY_CODE["data_services"] is change.entry

    def test_ask_four_questions_however_many_there_are(self, world, django_assert_num_queries):
        for number in range(20):
            member = make_member(world.acme, f"Membre {number}")
            make_group(world.acme, f"Groupe {number}", [member], {"invoices": None})
        actor = world.membership("alice")
        with django_assert_num_queries(4):
            company_rights(actor=actor)
