"""Who reads which part of the history."""

from datetime import timedelta

import pytest

from gridgate.audit.events import Subject, record
from gridgate.audit.history import Wanted, about_member, events_of, people_in, search
from gridgate.core.roles import Term
from gridgate.core.time import Interval
from gridgate.organisations.models import Membership
from gridgate.organisations.operations.groups import date_place, set_members
from gridgate.organisations.operations.members import add_member, disable_user, end_membership, update_member
from tests.factories.organisations import make_group, make_member


@pytest.fixture
def changed(world):
    """Alice changed Bob; Charlie his own company; the operator registered something on ACME's behalf."""
    update_member(
        membership=world.bob, role="user", external=True, until=None, actor=world.alice, now=world.now
    )
    make_member(world.client_b, "Claude")
    record(
        "company.changed",
        subject=Subject("company", str(world.acme.pk), "ACME Industries"),
        organisation=world.acme.pk,
        actor=world.operateur,
        before={"legal_name": "ACME"},
        after={"legal_name": "ACME Industries"},
        now=world.now + timedelta(minutes=1),
    )
    record("policy.changed", subject=Subject("policy", "1", ""), organisation=None, now=world.now)
    return world


def companies(events) -> set[int | None]:
    return set(events.values_list("organisation", flat=True))


class TestWhoReads:
    def test_an_administrator_their_own_company_the_latest_first(self, changed):
        events = events_of(actor=changed.membership("alice"))
        assert companies(events) == {changed.acme.pk}
        assert events.first().action == "company.changed"

    def test_another_company_sees_nothing_of_it(self, changed):
        charlie = changed.membership("charlie")
        assert companies(events_of(actor=charlie)) == {changed.client_b.pk}
        assert not events_of(actor=charlie, organisation=changed.acme.pk).exists()

    @pytest.mark.parametrize("name", ["bob", "acme_user"])
    def test_a_user_reads_none(self, changed, name):
        assert not events_of(actor=changed.membership(name)).exists()

    def test_the_operator_reads_a_companys_and_the_instances_own(self, changed):
        operator = changed.membership("operateur")
        assert companies(events_of(actor=operator, organisation=changed.acme.pk)) == {changed.acme.pk}
        assert companies(events_of(actor=operator)) == {changed.operator.pk, None}

    def test_whoever_left_or_whose_account_is_closed_reads_none(self, changed):
        make_member(changed.acme, "Denise", role="administrator")
        end_membership(membership=changed.alice, now=changed.now)
        assert not events_of(actor=changed.membership("alice")).exists()
        disable_user(user=changed.charlie.user)
        assert not events_of(actor=changed.membership("charlie")).exists()


class TestSearch:
    def test_narrows_by_family_person_and_period(self, changed):
        actor = changed.membership("alice")

        def actions(**wanted) -> list[str]:
            found = search(actor=actor, wanted=Wanted(**wanted))
            return list(found.values_list("action", flat=True))

        assert set(actions(families=["member"])) == {"member.added", "member.changed"}
        assert actions(user=changed.alice.user_id) == ["member.changed"]
        assert actions(user=changed.operateur.user_id) == ["company.changed"]
        assert "member.added" in actions(user=0)
        assert "member.changed" not in actions(user=0)
        minute = Interval(changed.now + timedelta(seconds=30), changed.now + timedelta(minutes=2))
        assert actions(period=minute) == ["company.changed"]

    def test_a_family_is_no_mere_beginning(self, changed):
        record(
            "members.counted",
            subject=Subject("company", "1", ""),
            organisation=changed.acme.pk,
            now=changed.now,
        )
        found = search(actor=changed.membership("alice"), wanted=Wanted(families=["member"]))
        assert not found.filter(action="members.counted").exists()

    def test_names_everyone_who_changed_something_once(self, changed):
        people = people_in(actor=changed.membership("alice"))
        assert {name for _number, name, _company in people} == {"", "Alice", "Olivier"}
        assert len({number for number, _name, _company in people}) == len(people)


class TestAboutAMember:
    def test_tells_their_own_changes_and_those_of_their_groups(self, changed):
        world = changed
        jim = add_member(
            organisation=world.acme, email="jim-bob@acme.example", full_name="Jim-Bob", now=world.now
        )
        group = make_group(world.acme, "Énergie", [jim], {})
        set_members(group=group, members=[jim, world.bob], actor=world.alice, now=world.now)
        set_members(group=group, members=[world.bob], actor=world.alice, now=world.now)

        def told(member: Membership) -> list[tuple[str, str]]:
            events = about_member(
                actor=world.membership("alice"), memberships=[member.pk], email=member.user.email
            )
            return list(events.values_list("action", "subject_label"))

        assert told(world.bob) == [
            ("group.members_changed", "Énergie"),
            ("member.changed", "bob@acme.example"),
            ("group.members_changed", "Site de Lyon"),
            ("member.added", "bob@acme.example"),
        ]
        assert told(jim) == [
            ("group.members_changed", "Énergie"),
            ("member.added", "jim-bob@acme.example"),
            ("group.members_changed", "Énergie"),
        ]

    def test_tells_the_dates_of_their_places_and_that_they_came_again_after_the_end(self, changed):
        world, ended = changed, changed.now + timedelta(days=3)
        group = make_group(world.acme, "Énergie", [world.bob], {})
        date_place(group=group, membership=world.bob, term=Term(ends=ended), actor=world.alice, now=world.now)
        set_members(group=group, members=[world.bob], actor=world.alice, now=ended)
        facts = {"memberships": [world.bob.pk], "email": world.bob.user.email}
        told = about_member(actor=world.membership("alice"), **facts).values_list("action", "subject_label")
        assert list(told[:2]) == [("group.members_changed", "Énergie"), ("group.place_dated", "Énergie")]
        other = {"memberships": [world.alice.pk], "email": world.alice.user.email}
        about = about_member(actor=world.membership("alice"), **other)
        assert not about.filter(action="group.place_dated").exists()

    def test_of_another_company_is_empty(self, changed):
        events = about_member(
            actor=changed.membership("charlie"),
            memberships=[changed.bob.pk],
            email=changed.bob.user.email,
        )
        assert not events.exists()
