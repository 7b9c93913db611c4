"""Reading companies and members."""

import pytest

from gridgate.core.identifiers import InvalidIdentifier
from gridgate.organisations.models import Organisation
from gridgate.organisations.operations.members import add_member, disable_user, end_membership
from gridgate.organisations.queries import (
    OrganisationNotFound,
    administrators_of,
    members_of,
    memberships_of,
    operator,
    organisation_by_siren,
    user_by_email,
)


class TestOrganisationBySiren:
    def test_is_the_operator_without_one(self, world):
        assert organisation_by_siren() == world.operator == operator()

    def test_takes_the_digits_as_people_write_them(self, world):
        assert organisation_by_siren("111 222 337") == world.acme

    def test_tells_a_wrong_number_from_an_unknown_company(self, world):
        with pytest.raises(InvalidIdentifier):
            organisation_by_siren("111222338")
        with pytest.raises(OrganisationNotFound, match="732829320"):
            organisation_by_siren("732829320")

    def test_says_what_an_instance_without_operator_lacks(self, db):
        assert not Organisation.objects.exists()
        with pytest.raises(OrganisationNotFound, match="gridgate init"):
            organisation_by_siren()


class TestMembers:
    def test_are_the_present_ones_of_the_actors_company(self, world):
        assert list(members_of(actor=world.bob)) == [world.acme_user, world.alice, world.bob]
        end_membership(membership=world.acme_user, now=world.now)
        disable_user(user=world.bob.user)
        assert list(members_of(actor=world.alice)) == [world.alice]

    def test_whom_to_ask_are_the_administrators(self, world):
        assert list(administrators_of(actor=world.acme_user)) == [world.alice]

    def test_of_several_companies_choose_by_name(self, world):
        other = add_member(
            organisation=world.client_b, email="bob@acme.example", full_name="Bob", now=world.now
        )
        assert list(memberships_of(user=world.bob.user)) == [world.bob, other]
        end_membership(membership=world.bob, now=world.now)
        assert list(memberships_of(user=world.bob.user)) == [other]


def test_a_person_is_found_by_their_address_whatever_its_case_while_their_account_is_open(world):
    assert user_by_email(email="BOB@acme.example") == world.bob.user
    disable_user(user=world.bob.user)
    assert user_by_email(email="bob@acme.example") is None
