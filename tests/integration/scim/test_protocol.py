"""What the standard asks of every endpoint: methods, bodies, errors, and what the service says of itself."""

import pytest

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class TestConfiguration:
    def test_declares_what_there_is(self, directory):
        config = directory.get("/ServiceProviderConfig").json()
        supported = {name: value["supported"] for name, value in config.items() if "supported" in value}
        assert supported == {
            "patch": True,
            "bulk": False,
            "filter": True,
            "changePassword": False,
            "sort": True,
            "etag": True,
        }
        assert config["filter"]["maxResults"] == 200
        assert config["authenticationSchemes"][0]["type"] == "oauthbearertoken"
        assert config["documentationUri"].endswith("/administration/annuaire/")

    def test_lists_two_kinds_of_resources(self, directory):
        assert {one["endpoint"] for one in directory.found("/ResourceTypes")} == {"/Users", "/Groups"}
        assert directory.get("/ResourceTypes/User").json()["endpoint"] == "/Users"
        assert directory.get("/ResourceTypes/Device").status_code == 404

    def test_publishes_the_attributes_that_are_kept_and_no_other(self, directory):
        user = directory.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User").json()
        kept = {one["name"]: one["mutability"] for one in user["attributes"]}
        assert kept == {
            "userName": "readWrite",
            "name": "readWrite",
            "displayName": "readWrite",
            "preferredLanguage": "readWrite",
            "active": "readWrite",
            "emails": "readOnly",
            "groups": "readOnly",
        }

    @pytest.mark.parametrize("path", ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"])
    def test_is_not_filtered(self, directory, path):
        assert directory.get(f'{path}?filter=id eq "x"').status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/Users", "GET, POST"),
        ("POST", "/Users/00000000-0000-4000-8000-000000000000", "GET, PUT, PATCH, DELETE"),
        ("GET", "/Users/.search", "POST"),
        ("PUT", "/Schemas", "GET"),
    ],
)
def test_a_method_that_is_not_taken_is_told(directory, method, path, allowed):
    answer = directory.call(method, path)
    assert (answer.status_code, answer["Allow"]) == (405, allowed)
    assert answer.json()["schemas"] == [ERROR]


@pytest.mark.parametrize("path", ["/nowhere", "/", "/Users/1/2", "/users"])
def test_nowhere_is_not_found_in_its_words(directory, path):
    answer = directory.get(path)
    assert answer.status_code == 404
    assert answer.json()["schemas"] == [ERROR]
    assert answer.json()["status"] == "404"


@pytest.mark.parametrize("path", ["/Bulk", "/Me"])
def test_what_is_not_supported_is_not_implemented(directory, path):
    assert directory.call("POST", path, {}).status_code == 501


def raw(directory, body, kind="application/scim+json", method="POST", path="/Users"):
    from django.test import Client

    headers = {"Authorization": f"Bearer {directory.secret}"}
    return Client().generic(method, f"/scim/v2{path}", body, content_type=kind, headers=headers)


NO_RESOURCES = [
    b"",
    b"{",
    b"[]",
    b'"x"',
    b"\xff",
    b"[" * 100_000,
    b'{"userName": "\\ud800@acme.example"}',
]


def test_a_body_that_is_no_resource_is_told(directory):
    for method, path in [("POST", "/Users"), ("POST", "/Groups"), ("POST", "/Users/.search")]:
        for body in NO_RESOURCES:
            answer = raw(directory, body, method=method, path=path)
            assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidSyntax"), (
                path,
                body[:20],
            )


def test_a_nul_is_no_text(directory):
    answer = raw(directory, b'{"userName": "a@acme.example", "displayName": "x\\u0000y"}')
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")


def test_a_body_of_another_kind_is_refused(directory):
    assert raw(directory, b"<user/>", kind="application/xml").status_code == 415
    assert raw(directory, b'{"userName": "a@acme.example"}', kind="application/json").status_code == 201
    assert (
        raw(
            directory, b'{"userName": "b@acme.example"}', kind="application/scim+json; charset=utf-8"
        ).status_code
        == 201
    )


def test_a_body_that_is_too_large_is_refused(directory):
    answer = raw(directory, b'{"userName": "' + b"x" * 3_000_000 + b'"}')
    assert answer.status_code == 413
    assert answer.json()["schemas"] == [ERROR]


WRONG_PATCHES = [
    ([], "invalidValue"),
    ([{"op": "move", "path": "displayName", "value": "x"}], "invalidValue"),
    ([{"op": "remove"}], "noTarget"),
    ([{"op": "add", "path": "displayName"}], "invalidValue"),
    ([{"op": "add", "path": "displayName[", "value": "x"}], "invalidPath"),
    ([{"op": "replace", "path": "userName", "value": "no address"}], "invalidValue"),
    ([{"op": "replace", "path": "active", "value": "perhaps"}], "invalidValue"),
    ([{"op": "remove", "path": "userName"}], "mutability"),
    ([{"op": "replace", "path": "meta.created", "value": "x"}], "mutability"),
]


class TestPatches:
    def test_that_will_not_do_are_told(self, directory):
        bob = directory.id_of("bob@acme.example")
        for operations, scim_type in WRONG_PATCHES:
            answer = directory.patch(f"/Users/{bob}", *operations)
            assert (answer.status_code, answer.json().get("scimType")) == (400, scim_type), operations
            assert directory.get(f"/Users/{bob}").json()["userName"] == "bob@acme.example"

    def test_are_limited_in_number(self, directory):
        bob = directory.id_of("bob@acme.example")
        many = [{"op": "replace", "path": "displayName", "value": "x"}] * 1001
        assert directory.patch(f"/Users/{bob}", *many).status_code == 413


def test_a_head_says_what_a_get_does_without_a_body(directory):
    answer = directory.call("HEAD", "/Users")
    assert (answer.status_code, answer.content) == (200, b"")
