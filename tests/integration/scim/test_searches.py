"""Lists: filters, order, pages and parts of resources (RFC 7644 §3.4.2, §3.9)."""

from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.scim.conftest import directory_of_acme
from tests.world import NOW, Kept, make_world, standing_at

BODY = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


def _make_people():
    directory = directory_of_acme(make_world())
    directory.add("zoe@acme.example", displayName="Zoé", externalId="42", name={"familyName": "Employée"})
    directory.add("elie@acme.example", displayName="Élie", externalId="AB", name={"familyName": "Apprenti"})
    directory.add("gone@acme.example", active=False)
    return directory


_PEOPLE = Kept(_make_people)


@pytest.fixture
def people(db):
    """Beside Alice, Bob and Agathe, who came by the portal."""
    with standing_at(NOW):
        yield _PEOPLE.bring()


def names(directory, expression, path="/Users"):
    found = directory.found(f"{path}?filter={quote(expression)}")
    return sorted(one.get("userName", one.get("displayName")).partition("@")[0] for one in found)


FILTERS = [
    ('userName eq "zoe@acme.example"', ["zoe"]),
    ('USERNAME Eq "ZOE@acme.example"', ["zoe"]),
    ('urn:ietf:params:scim:schemas:core:2.0:User:userName eq "zoe@acme.example"', ["zoe"]),
    ('userName ne "zoe@acme.example"', ["agathe", "alice", "bob", "gone", "elie"]),
    ('userName co "li"', ["alice", "elie"]),
    ('userName sw "AL"', ["alice"]),
    ('userName ew "E@acme.example"', ["agathe", "alice", "elie", "gone", "zoe"]),
    ('userName gt "bob@acme.example" and userName lt "f"', ["elie"]),
    ('userName ge "bob@acme.example" and userName le "elie@acme.example"', ["bob", "elie"]),
    ('externalId eq "42"', ["zoe"]),
    ('externalId eq "ab"', []),
    ("externalId pr", ["zoe", "elie"]),
    ('externalId eq null and displayName sw "A"', ["agathe", "alice"]),
    ('displayName eq "ÉLIE"', ["elie"]),
    ("active eq false", ["gone"]),
    ('active eq true and name.familyName eq "employée"', ["zoe"]),
    ("not (active eq true)", ["gone"]),
    ('externalId eq "42" or externalId eq "AB"', ["zoe", "elie"]),
    ('userName eq "bob@acme.example" or displayName eq "Zoé"', ["bob", "zoe"]),
    ('(externalId eq "42" or active eq false) and not (name pr)', ["gone"]),
    ('emails eq "zoe@acme.example"', ["zoe"]),
    ('emails.value eq "zoe@acme.example"', ["zoe"]),
    ('emails[type eq "work" and value eq "zoe@acme.example"]', ["zoe"]),
    ('emails[type eq "work"].value eq "zoe@acme.example"', ["zoe"]),
    ('emails[type eq "home"]', []),
    ('emails.value co "acme" and emails.primary eq true and externalId eq "42"', ["zoe"]),
    ('groups.display eq "Site de Lyon"', ["bob"]),
    ('meta.created ge "2026-11-25T00:00:00Z"', ["gone", "zoe", "elie"]),
    ('userName eq "\\u0000"', []),
    ('userName eq "\\ud800"', []),
    ('userName eq "%"', []),
    ('userName eq "_ob@acme.example"', []),
    ('id eq "1"', []),
]


def test_filters_people(people):
    """Each of them, as the standard says it."""
    found = {expression: names(people, expression) for expression, _expected in FILTERS}
    assert found == {expression: sorted(expected) for expression, expected in FILTERS}


def test_finds_a_person_by_id(people):
    zoe = people.id_of("zoe@acme.example")
    assert names(people, f'id eq "{zoe}"') == ["zoe"]
    assert names(people, f'id eq "{zoe.upper()}"') == [], "identifiers have one spelling"


def test_filters_groups(people):
    zoe = people.id_of("zoe@acme.example")
    people.add_group("Énergie", zoe, externalId="g-1")
    assert names(people, 'displayName eq "ÉNERGIE"', "/Groups") == ["Énergie"]
    assert names(people, 'externalId eq "g-1"', "/Groups") == ["Énergie"]
    assert names(people, f'members.value eq "{zoe}"', "/Groups") == ["Énergie"]
    assert names(people, f'members[value eq "{zoe}"]', "/Groups") == ["Énergie"]
    assert names(people, 'displayName sw "si"', "/Groups") == ["Site de Lyon", "Siège"]
    assert names(people, "not (members pr)", "/Groups") == []


REFUSED = [
    "userName",
    "userName eq",
    'userName is "x"',
    'nobody eq "x"',
    "active gt true",
    'active eq "perhaps"',
    'password eq "x"',
    "(" * 50 + "userName pr" + ")" * 49,
    " and ".join(["not (" * 40 + "userName pr" + ")" * 40]),
    'emails[emails[type eq "x"]]',
]


def test_a_filter_that_will_not_do_is_told(directory):
    for expression in REFUSED:
        answer = directory.get(f"/Users?filter={quote(expression)}")
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter"), expression
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]


class TestPages:
    def test_are_counted_from_one(self, people):
        first = people.get("/Users?count=4").json()
        assert (first["totalResults"], first["startIndex"], first["itemsPerPage"]) == (6, 1, 4)
        second = people.get("/Users?startIndex=5&count=4").json()
        assert (second["totalResults"], second["startIndex"], second["itemsPerPage"]) == (6, 5, 2)
        seen = [one["id"] for one in first["Resources"] + second["Resources"]]
        assert len(set(seen)) == 6

    def test_of_a_filter_are_counted_too(self, people):
        answer = people.get("/Users?count=1&startIndex=2&filter=externalId%20pr").json()
        assert (answer["totalResults"], answer["startIndex"], answer["itemsPerPage"]) == (2, 2, 1)

    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ("count=0", 0),
            ("count=-3", 0),
            ("startIndex=0", 6),
            ("startIndex=-5&count=2", 2),
            ("count=1000", 6),
        ],
    )
    def test_take_any_number(self, people, query, shown):
        answer = people.get(f"/Users?{query}").json()
        assert (answer["totalResults"], len(answer["Resources"])) == (6, shown)

    @pytest.mark.parametrize("query", ["startIndex=100", f"startIndex={10**30}"])
    def test_beyond_the_end_are_empty(self, people, query):
        assert people.get(f"/Users?{query}").json()["Resources"] == []

    @pytest.mark.parametrize("query", ["count=ten", "startIndex=one"])
    def test_of_no_number_are_refused(self, people, query):
        answer = people.get(f"/Users?{query}")
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")


class TestOrder:
    def test_is_the_standards(self, people):
        found = people.found("/Users?sortBy=displayName&attributes=displayName")
        assert [one.get("displayName") for one in found] == ["Agathe", "Alice", "Bob", "Zoé", "Élie", None]
        found = people.found("/Users?sortBy=displayName&sortOrder=descending&attributes=displayName")
        assert [one.get("displayName") for one in found] == [None, "Élie", "Zoé", "Bob", "Alice", "Agathe"]

    def test_by_what_is_not_sortable_is_refused(self, people):
        answer = people.get("/Users?sortBy=name")
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidPath")


class TestParts:
    def test_are_those_asked_for(self, people):
        (one,) = people.found('/Users?filter=externalId eq "42"&attributes=userName,name.familyName')
        assert set(one) == {"schemas", "id", "userName", "name"}
        assert one["name"] == {"familyName": "Employée"}

    def test_leave_out_those_not_wanted(self, people):
        zoe = people.id_of("zoe@acme.example")
        one = people.get(f"/Users/{zoe}?excludedAttributes=emails,meta,groups").json()
        assert {"emails", "meta", "groups"}.isdisjoint(one)
        assert one["userName"] == "zoe@acme.example"

    def test_are_one_or_the_other(self, people):
        assert people.get("/Users?attributes=id&excludedAttributes=name").status_code == 400

    @pytest.mark.parametrize("blank", ["", "%20", ",", " , "])
    @pytest.mark.parametrize("name", ["attributes", "excludedAttributes"])
    def test_of_no_name_are_refused(self, people, name, blank):
        """A directory that asks for nothing would be told everything."""
        zoe = people.id_of("zoe@acme.example")
        for path in ("/Users", f"/Users/{zoe}", "/Groups"):
            answer = people.get(f"{path}?{name}={blank}")
            assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")

    def test_not_wanted_are_not_read(self, directory):
        directory.found("/Groups")
        with CaptureQueriesContext(connection) as seen:
            (found, *_others) = directory.found("/Groups?excludedAttributes=members")
        assert "members" not in found
        assert not [query for query in seen if 'FROM "organisations_groupmember"' in query["sql"]]


class TestByPost:
    def test_people_are_searched(self, people):
        answer = people.call(
            "POST", "/Users/.search", {"schemas": [BODY], "filter": 'externalId eq "42"', "count": 1}
        )
        assert answer.status_code == 200
        assert [one["userName"] for one in answer.json()["Resources"]] == ["zoe@acme.example"]

    def test_groups_are_searched(self, people):
        answer = people.call("POST", "/Groups/.search", {"filter": 'displayName sw "site"'})
        assert [one["displayName"] for one in answer.json()["Resources"]] == ["Site de Lyon"]

    def test_both_are_searched_at_once(self, people):
        answer = people.call(
            "POST", "/.search", {"filter": 'displayName co "i"', "sortBy": "displayName", "count": 2}
        ).json()
        assert answer["totalResults"] == 4
        assert [one["displayName"] for one in answer["Resources"]] == ["Alice", "Site de Lyon"]
        assert [one["meta"]["resourceType"] for one in answer["Resources"]] == ["User", "Group"]

    def test_an_attribute_of_one_of_them_finds_that_one(self, people):
        answer = people.call("POST", "/.search", {"filter": "members pr", "attributes": ["displayName"]})
        assert {one["displayName"] for one in answer.json()["Resources"]} == {"Site de Lyon", "Siège"}


def test_a_person_is_found_by_index_among_many(people):
    """One row comes out of the registry, not the company's."""
    people.found("/Users")
    with CaptureQueriesContext(connection) as seen:
        people.found('/Users?filter=userName eq "zoe@acme.example"&attributes=userName')
    asked = [query["sql"] for query in seen if "LIKE 'zoe@acme.example'" in query["sql"]]
    assert len(asked) == 1
    assert asked[0].startswith("SELECT")
    assert 'FROM "directory_directoryperson"' in asked[0]
