"""Writing companies and members."""

import pytest

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import InvalidIdentifier
from gridgate.organisations.events import membership_changed
from gridgate.organisations.models import Membership, Organisation, User
from gridgate.organisations.operations.companies import (
    OrganisationExists,
    create_organisation,
    ensure_organisation,
)
from gridgate.organisations.operations.members import (
    InvalidMember,
    MembershipExists,
    add_member,
    disable_user,
    end_membership,
    set_role,
)


class TestCreateOrganisation:
    def test_keeps_the_bare_digits_of_the_siren(self, world):
        assert (
            create_organisation(legal_name=" Essai ", siren="732 829 320", now=world.now).siren == "732829320"
        )

    def test_refuses_a_siren_that_does_not_check(self, world):
        with pytest.raises(InvalidIdentifier):
            create_organisation(legal_name="Essai", siren="732829321", now=world.now)

    def test_refuses_a_known_siren(self, world):
        with pytest.raises(OrganisationExists, match="111222337"):
            create_organisation(legal_name="Autre", siren=world.acme.siren, now=world.now)

    def test_refuses_a_second_operator(self, world):
        with pytest.raises(OrganisationExists, match="operator"):
            create_organisation(legal_name="Autre", siren="732829320", is_operator=True, now=world.now)


class TestEnsureOrganisation:
    def test_returns_a_known_company_under_its_own_name(self, world):
        assert ensure_organisation(siren=world.acme.siren, legal_name="Autre", now=world.now) == world.acme
        assert Organisation.objects.get(pk=world.acme.pk).legal_name == "ACME Industries"

    def test_registers_a_new_one(self, world):
        assert ensure_organisation(siren="732829320", legal_name="Essai", now=world.now).legal_name == "Essai"

    def test_asks_for_the_name_of_a_new_one(self, world):
        with pytest.raises(GridgateError, match="legal name"):
            ensure_organisation(siren="732829320", now=world.now)


class TestAddMember:
    def test_makes_an_account_with_one_spelling_of_the_address(self, world):
        member = add_member(
            organisation=world.acme, email=" Zoe@ACME.example", full_name="Zoé", now=world.now
        )
        assert member.user.email == "zoe@acme.example"
        assert not member.user.has_usable_password()

    def test_leaves_the_account_of_someone_who_acts_for_another_company_as_it_is(self, world):
        before = User.objects.get(pk=world.charlie.user_id)
        member = add_member(
            organisation=world.acme,
            email="CHARLIE@client-b.example",
            full_name="Imposteur",
            password="un autre mot de passe",
            language="en",
            now=world.now,
        )
        after = User.objects.get(pk=world.charlie.user_id)
        assert member.user_id == before.pk
        assert (after.full_name, after.password, after.language) == (
            before.full_name,
            before.password,
            before.language,
        )

    def test_refuses_someone_who_is_a_member(self, world):
        with pytest.raises(MembershipExists):
            add_member(organisation=world.acme, email="bob@acme.example", full_name="Bob", now=world.now)

    def test_takes_back_someone_who_left(self, world):
        end_membership(membership=world.bob, now=world.now)
        again = add_member(organisation=world.acme, email="bob@acme.example", full_name="Bob", now=world.now)
        assert again.pk != world.bob.pk
        assert not again.groups.exists()

    @pytest.mark.parametrize(
        "wrong",
        [{"email": "zoe"}, {"role": "king"}, {"password": "court"}],
        ids=["an address", "a role", "a good password"],
    )
    def test_refuses_what_is_not(self, world, wrong):
        with pytest.raises(InvalidMember) as refusal:
            add_member(
                **{"organisation": world.acme, "email": "z@acme.example", "full_name": "Z", "now": world.now}
                | wrong
            )
        assert refusal.value.kind is ErrorKind.INVALID
        assert not User.objects.filter(full_name="Z").exists()


class TestRights:
    def test_of_an_administrator_are_all(self, world):
        assert world.membership("alice").has("data_services")

    def test_change_with_the_role(self, world):
        set_role(membership=world.acme_user, role="administrator", now=world.now)
        assert world.membership("acme_user").has("data_services")


class TestEndMembership:
    def test_ends_at_the_instant_given_and_keeps_the_first(self, world):
        end_membership(membership=world.bob, now=world.now)
        end_membership(membership=Membership.objects.get(pk=world.bob.pk), now=world.now.replace(year=2027))
        assert world.membership("bob").ended_at == world.now

    def test_tells_the_apps_above_once(self, world):
        told = []

        def listen(**said):
            told.append((said["membership"], said["now"]))

        membership_changed.connect(listen)
        try:
            end_membership(membership=world.bob, now=world.now)
            end_membership(membership=world.membership("bob"), now=world.now)
        finally:
            membership_changed.disconnect(listen)
        assert told == [(world.bob, world.now)]


def test_disabling_a_person_closes_the_account(world):
    disable_user(user=world.bob.user)
    assert not User.objects.get(pk=world.bob.user_id).is_active
