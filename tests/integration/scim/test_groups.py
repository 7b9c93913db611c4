"""Groups, as their company's directory adds, changes and removes them."""

import pytest

from gridgate.audit.models import AuditEvent
from gridgate.organisations.models import UserGroup
from tests.factories.organisations import make_group

BOB = "bob@acme.example"


def members(group):
    return sorted(group.members.values_list("membership__user__email", flat=True))


@pytest.fixture
def bob(directory):
    return directory.id_of(BOB)


@pytest.fixture
def agathe(directory):
    return directory.id_of("agathe@acme.example")


def lyon(world):
    return UserGroup.objects.get(organisation=world.acme, name="Site de Lyon")


class TestAdding:
    def test_makes_a_group_of_the_company_without_services(self, world, directory, bob):
        made = directory.add_group("Énergie", bob, externalId="g-1")
        group = UserGroup.objects.get(name="Énergie")
        assert group.organisation == world.acme
        assert group.external_id == made["externalId"] == "g-1"
        assert members(group) == [BOB]
        assert not group.entitlements.exists()
        assert [member["value"] for member in made["members"]] == [bob]
        assert made["members"][0]["$ref"].endswith(f"/Users/{bob}")

    @pytest.mark.parametrize("name", ["Énergie", " Énergie ", "SITE DE LYON"])
    def test_of_a_name_that_is_taken_is_a_conflict(self, directory, name):
        directory.add_group("Énergie")
        answer = directory.call("POST", "/Groups", {"displayName": name})
        assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")

    @pytest.mark.parametrize("name", ["", "  ", "x" * 81])
    def test_of_a_name_that_will_not_do_is_refused(self, directory, name):
        answer = directory.call("POST", "/Groups", {"displayName": name})
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")

    def test_with_somebody_who_does_not_act_for_the_company_is_refused(self, directory, bob):
        directory.patch(f"/Users/{bob}", {"op": "replace", "path": "active", "value": False})
        for member in (bob, "00000000-0000-4000-8000-000000000000", "1", ""):
            answer = directory.call(
                "POST", "/Groups", {"displayName": "Énergie", "members": [{"value": member}]}
            )
            assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
        assert not UserGroup.objects.filter(name="Énergie").exists()

    def test_in_a_group_is_refused(self, directory, bob):
        inner = directory.add_group("Dedans")
        answer = directory.call(
            "POST",
            "/Groups",
            {"displayName": "Dehors", "members": [{"value": inner["id"], "type": "Group"}]},
        )
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")


class TestMembers:
    def test_are_added_and_removed_one_by_one(self, world, directory, bob, agathe):
        made = directory.add_group("Énergie", bob)
        path, group = f"/Groups/{made['id']}", UserGroup.objects.get(name="Énergie")
        added = directory.patch(path, {"op": "add", "path": "members", "value": [{"value": agathe}]})
        assert (added.status_code, added.content) == (204, b"")
        assert members(group) == ["agathe@acme.example", BOB]
        directory.patch(path, {"op": "remove", "path": f'members[value eq "{bob}"]'})
        assert members(group) == ["agathe@acme.example"]
        directory.patch(path, {"op": "remove", "path": "members"})
        assert members(group) == []

    def test_twice_are_in_it_once(self, directory, bob):
        made = directory.add_group("Énergie", bob, bob)
        directory.patch(f"/Groups/{made['id']}", {"op": "add", "path": "members", "value": [{"value": bob}]})
        assert members(UserGroup.objects.get(name="Énergie")) == [BOB]

    def test_are_replaced_as_a_whole(self, directory, bob, agathe):
        made = directory.add_group("Énergie", bob)
        answer = directory.call(
            "PUT", f"/Groups/{made['id']}", {"displayName": "Énergie", "members": [{"value": agathe}]}
        )
        assert [member["value"] for member in answer.json()["members"]] == [agathe]

    def test_show_with_the_person_too(self, directory, bob):
        made = directory.add_group("Énergie", bob)
        groups = directory.get(f"/Users/{bob}").json()["groups"]
        assert [group["display"] for group in groups] == ["Site de Lyon", "Énergie"]
        assert groups[1]["value"] == made["id"]
        assert groups[1]["$ref"] == made["meta"]["location"]

    def test_may_be_administrators_who_stay_so(self, world, directory):
        directory.add_group("Direction", directory.id_of("alice@acme.example"))
        assert world.membership("alice").is_administrator


class TestOfThePortal:
    def test_are_known_with_their_members(self, world, directory, bob):
        (found,) = directory.found('/Groups?filter=displayName eq "site de lyon"')
        assert [member["value"] for member in found["members"]] == [bob]

    def test_keep_their_services_and_perimeters_when_members_change(self, world, directory):
        (found,) = directory.found('/Groups?filter=displayName eq "Site de Lyon"')
        before = list(lyon(world).entitlements.order_by("code").values_list("code", "restricted"))
        directory.patch(f"/Groups/{found['id']}", {"op": "remove", "path": "members"})
        assert members(lyon(world)) == []
        assert list(lyon(world).entitlements.order_by("code").values_list("code", "restricted")) == before

    def test_are_not_deleted_while_services_are_reserved_to_them(self, world, directory):
        (found,) = directory.found('/Groups?filter=displayName eq "Site de Lyon"')
        answer = directory.call("DELETE", f"/Groups/{found['id']}")
        assert answer.status_code == 409
        assert "services" in answer.json()["detail"]
        assert lyon(world).members.count() == 1

    def test_without_services_are_deleted(self, world, directory):
        make_group(world.acme, "Vide", [], {})
        (found,) = directory.found('/Groups?filter=displayName eq "Vide"')
        assert directory.call("DELETE", f"/Groups/{found['id']}").status_code == 204
        assert not UserGroup.objects.filter(name="Vide").exists()
        assert directory.get(f"/Groups/{found['id']}").status_code == 404


def test_renaming_keeps_the_group(world, directory, bob):
    made = directory.add_group("Énergie", bob)
    before = UserGroup.objects.get(name="Énergie").pk
    directory.patch(
        f"/Groups/{made['id']}", {"op": "replace", "value": {"id": made["id"], "displayName": "Énergies"}}
    )
    assert UserGroup.objects.get(pk=before).name == "Énergies"


def test_a_patch_answers_the_group_when_asked_what_of_it(directory, bob):
    made = directory.add_group("Énergie", bob)
    answer = directory.patch(
        f"/Groups/{made['id']}?attributes=displayName", {"op": "add", "path": "externalId", "value": "x"}
    )
    assert answer.status_code == 200
    assert set(answer.json()) == {"schemas", "id", "displayName"}


def test_the_version_changes_with_the_members(directory, bob, agathe):
    made = directory.add_group("Énergie", bob)
    path = f"/Groups/{made['id']}"
    first = directory.get(path)["ETag"]
    assert directory.get(f"{path}?excludedAttributes=members")["ETag"] == first
    swap = [
        {"op": "remove", "path": f'members[value eq "{bob}"]'},
        {"op": "add", "path": "members", "value": [{"value": agathe}]},
    ]
    directory.patch(path, *swap)
    assert directory.get(path)["ETag"] != first
    assert directory.call("DELETE", path, If_Match=first).status_code == 412


def test_history_has_who_came_and_went(world, directory, bob):
    made = directory.add_group("Énergie", bob, externalId="g-1")
    directory.call("DELETE", f"/Groups/{made['id']}")
    events = AuditEvent.objects.filter(organisation=world.acme.pk, subject_label="Énergie").order_by("pk")
    assert [event.action for event in events] == [
        "group.created",
        "group.members_changed",
        "group.described",
        "group.deleted",
    ]
    assert {event.user_name for event in events} == {"annuaire «\u00a0Entra ID\u00a0»"}
