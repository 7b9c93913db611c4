"""People, as their company's directory adds, changes and removes them."""

from datetime import timedelta

import pytest
import time_machine

from gridgate.accounts.operations.own_account import delete_account
from gridgate.accounts.personal_data import export_of
from gridgate.audit.models import AuditEvent
from gridgate.directory.models import DirectoryPerson
from gridgate.organisations.models import Membership, User
from gridgate.organisations.operations.members import create_user, end_membership
from tests.factories.organisations import make_member

NAMES = {"givenName": "Nouvelle", "familyName": "Employée"}


def account(email):
    return User.objects.get(email=email)


class TestAdding:
    def test_opens_an_account_without_password_that_acts_for_the_company(self, world, directory):
        made = directory.add(
            "Nouvelle.Employee@ACME.example", externalId="42", displayName="Nouvelle Employée", name=NAMES
        )
        assert made["userName"] == "nouvelle.employee@acme.example"
        assert made["active"] is True
        assert made["meta"]["resourceType"] == "User"
        assert made["meta"]["location"].endswith(f"/scim/v2/Users/{made['id']}")
        user = account("nouvelle.employee@acme.example")
        assert (user.full_name, user.language, user.has_usable_password()) == (
            "Nouvelle Employée",
            "fr",
            False,
        )
        membership = user.memberships.get()
        assert membership.organisation == world.acme
        assert membership.role == Membership.Role.USER
        assert membership.external_id == "42"

    def test_answers_where_it_is_and_its_version(self, directory):
        answer = directory.call(
            "POST", "/Users", {"schemas": [], "userName": "zoe@acme.example", "displayName": "Zoé"}
        )
        assert answer.status_code == 201
        assert answer["Location"] == answer.json()["meta"]["location"]
        assert answer["ETag"] == answer.json()["meta"]["version"]
        assert answer["Content-Type"] == "application/scim+json"
        assert answer["Cache-Control"] == "private, no-store"

    def test_takes_the_language_and_a_name_made_of_its_parts(self, directory):
        directory.add("zoe@acme.example", name=NAMES, preferredLanguage="en-GB")
        assert account("zoe@acme.example").full_name == "Nouvelle Employée"
        assert account("zoe@acme.example").language == "en"

    def test_inactive_acts_for_nobody_and_is_known(self, directory):
        made = directory.add("zoe@acme.example", active=False)
        assert made["active"] is False
        assert not account("zoe@acme.example").memberships.filter(ended_at=None).exists()
        assert directory.get(f"/Users/{made['id']}").json()["active"] is False

    def test_twice_is_a_conflict(self, directory):
        directory.add("zoe@acme.example")
        again = directory.call("POST", "/Users", {"userName": "ZOE@acme.example"})
        assert again.status_code == 409
        assert again.json()["scimType"] == "uniqueness"
        assert again.json()["status"] == "409"

    def test_a_member_who_came_by_the_portal_is_a_conflict(self, directory):
        assert directory.call("POST", "/Users", {"userName": "bob@acme.example"}).status_code == 409

    @pytest.mark.parametrize("name", ["", "zoe", "zoe@", "a b@acme.example"])
    def test_asks_for_an_address(self, directory, name):
        answer = directory.call("POST", "/Users", {"userName": name})
        assert answer.status_code == 400
        assert answer.json()["scimType"] == "invalidValue"

    def test_a_body_without_user_name_is_refused(self, directory):
        answer = directory.call("POST", "/Users", {"displayName": "Zoé"})
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")

    @pytest.mark.parametrize("attribute", ["displayName", "externalId", "preferredLanguage"])
    def test_what_is_too_long_is_refused_and_nothing_is_kept(self, directory, attribute):
        answer = directory.call("POST", "/Users", {"userName": "zoe@acme.example", attribute: "é" * 201})
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
        assert not User.objects.filter(email="zoe@acme.example").exists()

    def test_never_makes_an_administrator_nor_sets_a_password(self, directory):
        directory.add(
            "zoe@acme.example",
            password="un mot de passe assez long",
            roles=[{"value": "administrator"}],
            role="administrator",
        )
        user = account("zoe@acme.example")
        assert user.memberships.get().role == Membership.Role.USER
        assert not user.has_usable_password()


class TestActive:
    def test_false_ends_what_the_person_does_at_their_next_request(self, world, directory):
        browser = world.client("bob")
        assert browser.get("/compteurs/").status_code == 200
        bob = directory.id_of("bob@acme.example")
        answer = directory.patch(f"/Users/{bob}", {"op": "replace", "path": "active", "value": False})
        assert answer.status_code == 200
        assert answer.json()["active"] is False
        assert browser.get("/compteurs/").status_code == 302

    def test_true_again_begins_anew_under_the_same_id(self, world, directory):
        bob = directory.id_of("bob@acme.example")
        directory.patch(f"/Users/{bob}", {"op": "replace", "value": {"active": False, "externalId": "7"}})
        back = directory.patch(f"/Users/{bob}", {"op": "replace", "path": "active", "value": True})
        assert back.json()["active"] is True
        assert back.json()["id"] == bob
        assert back.json()["externalId"] == "7"
        present = world.bob.user.memberships.get(ended_at=None)
        assert present.pk != world.bob.pk
        assert not present.groups.exists()
        assert directory.id_of("bob@acme.example") == bob

    def test_cannot_be_taken_away(self, directory):
        bob = directory.id_of("bob@acme.example")
        answer = directory.patch(f"/Users/{bob}", {"op": "remove", "path": "active"})
        assert (answer.status_code, answer.json()["scimType"]) == (400, "mutability")

    def test_an_administrator_who_comes_back_is_a_user(self, world, directory):
        carol = make_member(world.acme, "Carole", role="administrator", email="carole@acme.example")
        pk = directory.id_of("carole@acme.example")
        directory.patch(f"/Users/{pk}", {"op": "replace", "path": "active", "value": False})
        directory.patch(f"/Users/{pk}", {"op": "replace", "path": "active", "value": True})
        assert carol.user.memberships.get(ended_at=None).role == Membership.Role.USER

    @pytest.mark.parametrize("how", ["patch", "put", "delete"])
    def test_the_last_administrator_stays(self, world, directory, how):
        alice = directory.id_of("alice@acme.example")
        if how == "patch":
            answer = directory.patch(f"/Users/{alice}", {"op": "replace", "path": "active", "value": False})
        elif how == "put":
            answer = directory.call(
                "PUT", f"/Users/{alice}", {"userName": "alice@acme.example", "active": False}
            )
        else:
            answer = directory.call("DELETE", f"/Users/{alice}")
        assert answer.status_code == 409
        assert "last administrator" in answer.json()["detail"]
        assert world.membership("alice").ended_at is None
        assert directory.get(f"/Users/{alice}").json()["active"] is True

    def test_a_person_whom_an_administrator_detached_shows_inactive(self, world, directory):
        bob = directory.id_of("bob@acme.example")
        end_membership(membership=world.bob, actor=world.alice, now=world.now)
        assert directory.get(f"/Users/{bob}").json()["active"] is False


class TestChanging:
    def test_replaces_what_is_said_and_clears_what_is_not(self, directory):
        made = directory.add("zoe@acme.example", displayName="Zoé", externalId="42", name=NAMES)
        answer = directory.call(
            "PUT", f"/Users/{made['id']}", {"userName": "zoe@acme.example", "displayName": "Une Employée"}
        )
        assert answer.status_code == 200
        assert answer.json()["displayName"] == "Une Employée"
        assert "externalId" not in answer.json()
        assert "name" not in answer.json()
        assert answer.json()["active"] is True, "what is not said of the state changes nothing"
        assert answer["Content-Location"] == made["meta"]["location"]

    def test_an_account_opened_for_the_company_takes_the_name(self, directory):
        made = directory.add("zoe@acme.example", displayName="Zoé")
        directory.patch(
            f"/Users/{made['id']}", {"op": "replace", "path": "displayName", "value": "Une Employée"}
        )
        assert account("zoe@acme.example").full_name == "Une Employée"

    def test_another_address_keeps_the_account(self, directory):
        made = directory.add("zoe@acme.example", displayName="Zoé")
        before = account("zoe@acme.example").pk
        answer = directory.patch(
            f"/Users/{made['id']}",
            {"op": "replace", "path": "userName", "value": "Nouvelle.Employee@acme.example"},
        )
        assert answer.json()["userName"] == "nouvelle.employee@acme.example"
        assert account("nouvelle.employee@acme.example").pk == before

    def test_an_administrators_address_is_not_the_directorys(self, directory):
        alice = directory.id_of("alice@acme.example")
        answer = directory.patch(
            f"/Users/{alice}", {"op": "replace", "path": "userName", "value": "mallory@acme.example"}
        )
        assert (answer.status_code, answer.json()["scimType"]) == (400, "mutability")
        assert User.objects.filter(email="alice@acme.example").exists()

    def test_an_address_of_another_person_of_the_company_is_a_conflict(self, directory):
        made = directory.add("zoe@acme.example")
        answer = directory.patch(
            f"/Users/{made['id']}", {"op": "replace", "path": "userName", "value": "bob@acme.example"}
        )
        assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")

    def test_all_or_nothing(self, world, directory):
        bob = directory.id_of("bob@acme.example")
        answer = directory.patch(
            f"/Users/{bob}",
            {"op": "replace", "path": "displayName", "value": "Robert"},
            {"op": "replace", "path": "nickNames[", "value": "x"},
        )
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidPath")
        assert directory.get(f"/Users/{bob}").json()["displayName"] == "Bob"

    def test_groups_are_changed_from_their_side(self, directory):
        bob = directory.id_of("bob@acme.example")
        answer = directory.patch(f"/Users/{bob}", {"op": "add", "path": "groups", "value": [{"value": "x"}]})
        assert (answer.status_code, answer.json()["scimType"]) == (400, "mutability")

    def test_the_id_is_the_services(self, directory):
        bob = directory.id_of("bob@acme.example")
        answer = directory.patch(f"/Users/{bob}", {"op": "replace", "path": "id", "value": "1"})
        assert (answer.status_code, answer.json()["scimType"]) == (400, "mutability")

    def test_a_filter_that_matches_nothing_has_no_target(self, directory):
        bob = directory.id_of("bob@acme.example")
        answer = directory.patch(
            f"/Users/{bob}", {"op": "replace", "path": 'emails[value co "nobody"].type', "value": "home"}
        )
        assert (answer.status_code, answer.json()["scimType"]) == (400, "noTarget")


class TestRemoving:
    def test_ends_the_membership_and_forgets_the_person_whose_account_stays(self, world, directory):
        bob = directory.id_of("bob@acme.example")
        answer = directory.call("DELETE", f"/Users/{bob}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert directory.get(f"/Users/{bob}").status_code == 404
        assert directory.found('/Users?filter=userName eq "bob@acme.example"') == []
        assert account("bob@acme.example").is_active
        assert world.bob.user.memberships.filter(ended_at=None).count() == 0

    def test_added_again_they_are_somebody_new_to_the_directory(self, directory):
        bob = directory.id_of("bob@acme.example")
        directory.call("DELETE", f"/Users/{bob}")
        assert directory.add("bob@acme.example")["id"] != bob


class TestVersions:
    def test_what_is_known_is_not_sent_again(self, directory):
        bob = directory.id_of("bob@acme.example")
        tag = directory.get(f"/Users/{bob}")["ETag"]
        again = directory.get(f"/Users/{bob}", If_None_Match=tag)
        assert (again.status_code, again.content) == (304, b"")
        assert directory.get(f"/Users/{bob}", If_None_Match='W/"other"').status_code == 200

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_a_change_of_an_older_version_is_refused(self, directory, method):
        bob = directory.id_of("bob@acme.example")
        tag = directory.get(f"/Users/{bob}")["ETag"]
        rename = {"op": "replace", "path": "displayName", "value": "Robert"}
        assert directory.patch(f"/Users/{bob}", rename, If_Match=tag).status_code == 200
        body = {"userName": "bob@acme.example", "schemas": [], "Operations": [rename]}
        answer = directory.call(method, f"/Users/{bob}", body, If_Match=tag)
        assert answer.status_code == 412
        assert directory.get(f"/Users/{bob}").json()["displayName"] == "Robert"


class TestHistory:
    def test_names_the_directory_and_no_person(self, world, directory):
        made = directory.add("zoe@acme.example", displayName="Zoé")
        directory.patch(
            f"/Users/{made['id']}", {"op": "replace", "path": "displayName", "value": "Une Employée"}
        )
        directory.call("DELETE", f"/Users/{made['id']}")
        events = AuditEvent.objects.filter(organisation=world.acme.pk, subject_label="zoe@acme.example")
        assert list(events.order_by("pk").values_list("action", flat=True)) == [
            "member.added",
            "member.described",
            "member.detached",
        ]
        assert {event.user_name for event in events} == {"annuaire «\u00a0Entra ID\u00a0»"}
        assert {event.user for event in events} == {None}
        assert {event.acting_for for event in events} == {world.acme.pk}
        changed = events.get(action="member.described")
        assert changed.before == {"display_name": "Zoé"}
        assert changed.after == {"display_name": "Une Employée"}

    def test_a_change_of_nothing_is_not_in_it(self, world, directory):
        bob = directory.id_of("bob@acme.example")
        before = AuditEvent.objects.count()
        directory.patch(f"/Users/{bob}", {"op": "replace", "path": "active", "value": True})
        directory.call("PUT", f"/Users/{bob}", {"userName": "bob@acme.example", "displayName": "Bob"})
        assert AuditEvent.objects.count() == before


def test_an_account_that_its_owner_deleted_is_gone_with_what_was_said(world, directory):
    bob = directory.id_of("bob@acme.example")
    directory.patch(f"/Users/{bob}", {"op": "add", "path": "externalId", "value": "42"})
    delete_account(user=world.membership("bob").user, now=world.now)
    assert directory.get(f"/Users/{bob}").status_code == 404
    assert bob not in [one["id"] for one in directory.found("/Users")]
    assert not DirectoryPerson.objects.filter(user=world.bob.user_id).exists()
    assert world.membership("bob").external_id == ""
    assert directory.add("bob@acme.example")["id"] != bob, "the address is free again"


def test_what_a_directory_says_is_in_the_copy_of_ones_data(world, directory):
    directory.add("zoe@acme.example", displayName="Zoé", name=NAMES, preferredLanguage="fr-FR")
    (said,) = export_of(user=account("zoe@acme.example"), now=world.now)["directories"]
    assert said["company"] == export_of(user=world.alice.user, now=world.now)["memberships"][0]["company"]
    assert (said["display_name"], said["family_name"]) == ("Zoé", "Employée")


def test_a_person_who_signed_up_by_themselves_keeps_their_account(world, directory):
    create_user(email="camille@acme.example", full_name="Zoé", password=None, language="en", now=world.now)
    with time_machine.travel(world.now + timedelta(days=1)):
        made = directory.add("camille@acme.example", displayName="Autre nom")
        answer = directory.patch(
            f"/Users/{made['id']}", {"op": "replace", "path": "userName", "value": "mallory@acme.example"}
        )
    assert (answer.status_code, answer.json()["scimType"]) == (400, "mutability")
    assert account("camille@acme.example").full_name == "Zoé"
    assert account("camille@acme.example").language == "en"
