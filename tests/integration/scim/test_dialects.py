"""What the two directories that companies use most send, as their vendors document it.

Microsoft Entra ID: learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups.
Okta: developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20.
"""

import pytest

from gridgate.organisations.models import User, UserGroup

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.fixture
def zoe(directory):
    return directory.add("zoe@acme.example", externalId="58342554", displayName="Zoé", active=True)


class TestEntra:
    def test_asks_for_somebody_first_and_is_answered_an_empty_list(self, directory):
        answer = directory.get(
            '/Users?filter=userName eq "6a2a2dc2-71ae-4dc3-b9e5-2af45d0d0ee4@acme.example"'
        )
        assert answer.json()["totalResults"] == 0
        assert answer.json()["Resources"] == []

    def test_sends_much_more_than_is_kept(self, directory):
        made = directory.call(
            "POST",
            "/Users",
            {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
                "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
                "userName": "Test_User@acme.example",
                "active": True,
                "addresses": [{"primary": False, "type": "work", "country": "France"}],
                "emails": [{"primary": True, "type": "work", "value": "Test_User@acme.example"}],
                "meta": {"resourceType": "User"},
                "name": {"formatted": "givenName familyName", "familyName": "familyName", "middleName": "x"},
                "roles": [],
                ENTERPRISE: {"department": "bob", "manager": {"value": "x"}},
            },
        )
        assert made.status_code == 201
        assert made.json()["name"] == {"formatted": "givenName familyName", "familyName": "familyName"}
        assert ENTERPRISE not in made.json()["schemas"]

    def test_disables_with_a_word(self, directory, zoe):
        answer = directory.patch(f"/Users/{zoe['id']}", {"op": "Replace", "path": "active", "value": "False"})
        assert answer.json()["active"] is False
        answer = directory.patch(f"/Users/{zoe['id']}", {"op": "Add", "path": "active", "value": "True"})
        assert answer.json()["active"] is True

    def test_replaces_several_at_once_with_paths(self, directory, zoe):
        answer = directory.patch(
            f"/Users/{zoe['id']}",
            {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "ZOE@acme.example"},
            {"op": "Replace", "path": "name.familyName", "value": "Employée"},
            {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "0601020304"},
            {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Énergie"},
            {"op": "Replace", "path": "title", "value": "Ingénieure"},
        )
        assert answer.status_code == 200
        assert answer.json()["name"] == {"familyName": "Employée"}

    def test_renames_the_account_in_both_places(self, directory, zoe):
        answer = directory.patch(
            f"/Users/{zoe['id']}",
            {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "z.employee@acme.example"},
            {"op": "Replace", "path": "userName", "value": "z.employee@acme.example"},
        )
        assert answer.status_code == 200
        assert answer.json()["emails"][0]["value"] == "z.employee@acme.example"
        assert User.objects.filter(email="z.employee@acme.example").exists()

    def test_is_told_that_there_is_one_address(self, directory, zoe):
        answer = directory.patch(
            f"/Users/{zoe['id']}",
            {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "other@acme.example"},
        )
        assert (answer.status_code, answer.json()["scimType"]) == (400, "mutability")
        assert "userName" in answer.json()["detail"]

    def test_removes_a_member_by_its_value(self, directory, zoe):
        bob = directory.id_of("bob@acme.example")
        made = directory.add_group("Énergie", bob, zoe["id"])
        answer = directory.patch(
            f"/Groups/{made['id']}", {"op": "Remove", "path": "members", "value": [{"value": bob}]}
        )
        assert answer.status_code == 204
        members = UserGroup.objects.get(name="Énergie").members
        assert [line.membership.user.email for line in members.all()] == ["zoe@acme.example"]

    def test_adds_a_member_and_asks_for_groups_without_them(self, directory, zoe):
        made = directory.add_group("Énergie")
        answer = directory.patch(
            f"/Groups/{made['id']}",
            {"op": "Add", "path": "members", "value": [{"$ref": None, "value": zoe["id"]}]},
        )
        assert answer.status_code == 204
        found = directory.found('/Groups?excludedAttributes=members&filter=displayName eq "Énergie"')
        assert [one["id"] for one in found] == [made["id"]]
        assert "members" not in found[0]


class TestOkta:
    def test_creates_with_a_password_that_is_not_kept(self, directory):
        made = directory.call(
            "POST",
            "/Users",
            {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": "test.user@acme.example",
                "name": {"givenName": "Test", "familyName": "User"},
                "emails": [{"primary": True, "value": "test.user@acme.example", "type": "work"}],
                "displayName": "Test User",
                "locale": "en-US",
                "externalId": "00ujl29u0le5T6Aj10h7",
                "groups": [],
                "password": "1mz050nq",
                "active": True,
            },
        )
        assert made.status_code == 201
        assert "password" not in made.json()
        assert not User.objects.get(email="test.user@acme.example").has_usable_password()

    def test_deactivates_without_a_path(self, directory, zoe):
        answer = directory.patch(f"/Users/{zoe['id']}", {"op": "replace", "value": {"active": False}})
        assert (answer.status_code, answer.json()["active"]) == (200, False)

    def test_replaces_the_whole_profile(self, directory, zoe):
        whole = directory.get(f"/Users/{zoe['id']}").json()
        answer = directory.call(
            "PUT", f"/Users/{zoe['id']}", {**whole, "displayName": "Nouvelle Employée", "groups": []}
        )
        assert (answer.status_code, answer.json()["displayName"]) == (200, "Nouvelle Employée")

    def test_renames_a_group_and_removes_members_by_filter(self, directory, zoe):
        made = directory.add_group("Énergie", zoe["id"])
        path = f"/Groups/{made['id']}"
        renamed = directory.patch(
            path, {"op": "replace", "value": {"id": made["id"], "displayName": "Équipe énergie"}}
        )
        assert renamed.status_code == 204
        removed = directory.patch(path, {"op": "remove", "path": f'members[value eq "{zoe["id"]}"]'})
        assert removed.status_code == 204
        group = UserGroup.objects.get(name="Équipe énergie")
        assert group.members.count() == 0

    def test_replaces_all_members(self, directory, zoe):
        bob = directory.id_of("bob@acme.example")
        made = directory.add_group("Énergie", bob)
        directory.patch(
            f"/Groups/{made['id']}",
            {"op": "replace", "path": "members", "value": [{"value": zoe["id"], "display": "Zoé"}]},
        )
        lines = UserGroup.objects.get(name="Énergie").members.all()
        assert [line.membership.user.email for line in lines] == ["zoe@acme.example"]

    def test_imports_page_by_page(self, directory, zoe):
        answer = directory.get("/Users?startIndex=1&count=100").json()
        assert (answer["totalResults"], answer["itemsPerPage"], answer["startIndex"]) == (4, 4, 1)
