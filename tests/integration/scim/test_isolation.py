"""A company's directory finds out nothing of another company, not even that it exists."""

import re
from urllib.parse import quote
from uuid import UUID, uuid4

from gridgate.organisations.models import Membership, User
from tests.factories.organisations import make_member

CHARLIE = "charlie@client-b.example"


def bare(answer, *asked):
    """An answer without what differs anyway: identifiers, versions and what was asked for."""
    text = answer.content.decode()
    for word in asked:
        text = text.replace(word, "…")
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", text)
    text = re.sub(r'W/\\"[0-9a-f]+\\"', "…", text)
    return answer.status_code, re.sub(r"2026-\d\d-\d\dT[0-9:.]+Z", "…", text)


class TestIdentifiers:
    def test_of_another_company_look_like_absent_ones(self, directory, other_directory):
        rename = {"op": "replace", "path": "displayName", "value": "x"}
        body = {"schemas": [], "userName": "x@acme.example", "displayName": "x", "Operations": [rename]}
        theirs = {
            "Users": other_directory.id_of(CHARLIE),
            "Groups": other_directory.add_group("Leur groupe")["id"],
        }
        for kind, pk in theirs.items():
            for method in ("GET", "PUT", "PATCH", "DELETE"):
                absent = str(uuid4())
                sent = None if method == "GET" else body
                here = directory.call(method, f"/{kind}/{pk}", sent)
                nowhere = directory.call(method, f"/{kind}/{absent}", sent)
                assert here.status_code == 404
                assert bare(here, pk) == bare(nowhere, absent)
                assert set(here.headers) == set(nowhere.headers)
            assert other_directory.get(f"/{kind}/{pk}").status_code == 200

    def test_of_another_company_are_nobody_in_a_group(self, directory, other_directory):
        theirs, absent = other_directory.id_of(CHARLIE), str(uuid4())
        answers = [
            directory.call("POST", "/Groups", {"displayName": "x", "members": [{"value": pk}]})
            for pk in (theirs, absent)
        ]
        assert answers[0].status_code == 400
        assert bare(answers[0], theirs) == bare(answers[1], absent)

    def test_count_nothing(self, directory):
        first, second = directory.add("a@acme.example"), directory.add("b@acme.example")
        for one in (first, second, directory.add_group("G")):
            assert UUID(one["id"]).version == 4


SEARCHES = [
    f'userName eq "{CHARLIE}"',
    'userName co "client-b"',
    f'userName eq "{CHARLIE}" or active eq true',
    f'not (userName eq "{CHARLIE}")',
    'emails[value ew "client-b.example"]',
    'displayName eq "Charlie"',
]


class TestSearches:
    def test_see_the_company_only(self, directory, other_directory):
        theirs = {one["id"] for one in other_directory.found("/Users")}
        for expression in SEARCHES:
            answers = [
                directory.get(f"/Users?filter={quote(expression)}").json(),
                directory.call("POST", "/.search", {"filter": expression}).json(),
            ]
            for answer in answers:
                assert theirs.isdisjoint(one["id"] for one in answer["Resources"]), expression
                assert answer["totalResults"] == len(answer["Resources"])
                assert "client-b" not in str(answer["Resources"])

    def test_of_everything_count_the_company_only(self, directory, other_directory):
        assert directory.get("/Users?count=0").json()["totalResults"] == 3
        assert other_directory.get("/Users?count=0").json()["totalResults"] == 1
        assert directory.get("/Groups?count=0").json()["totalResults"] == 2
        assert other_directory.get("/Groups?count=0").json()["totalResults"] == 0


class TestAddressesOfOtherDomains:
    """Whose they are is not looked at: nobody is added from elsewhere, with an account or without."""

    def refused(self, answer, email):
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
        return bare(answer, email)

    def test_are_refused_alike_with_an_account_and_without(self, world, directory):
        known = world.operateur.user.email
        absent = f"personne@{known.rpartition('@')[2]}"
        answers = [
            self.refused(directory.call("POST", "/Users", {"userName": email}), email)
            for email in (known, absent)
        ]
        assert answers[0] == answers[1]
        assert "Ask the operator to record the domain" in answers[0][1]
        assert not world.operateur.user.memberships.filter(organisation=world.acme).exists()
        assert not User.objects.filter(email=absent).exists()

    def test_are_no_place_to_move_to(self, world, directory):
        known = world.operateur.user.email
        absent = f"personne@{known.rpartition('@')[2]}"
        made = directory.add("a@acme.example")
        answers = []
        for email in (known, absent):
            rename = {"op": "replace", "path": "userName", "value": email}
            answers.append(self.refused(directory.patch(f"/Users/{made['id']}", rename), email))
        assert answers[0] == answers[1]
        assert directory.get(f"/Users/{made['id']}").json()["userName"] == "a@acme.example"

    def test_include_subdomains_and_look_alikes(self, directory):
        for email in ("a@sub.acme.example", "a@notacme.example", "a@acme.example.evil.example"):
            self.refused(directory.call("POST", "/Users", {"userName": email}), email)

    def test_of_who_is_here_already_may_stay(self, world, directory):
        world.acme.email_domains = []
        world.acme.save(update_fields=["email_domains"])
        bob = directory.id_of("bob@acme.example")
        named = {"op": "replace", "path": "displayName", "value": "Robert"}
        assert directory.patch(f"/Users/{bob}", named).status_code == 200
        self.refused(directory.call("POST", "/Users", {"userName": "a@acme.example"}), "a@acme.example")

    def test_are_not_brought_back_without_being_asked(self, world, directory):
        """A contractor who was invited, accepted and left: only they can agree to come again."""
        contractor = make_member(world.acme, "Camille", email="camille@operateur.example")
        known = directory.id_of("camille@operateur.example")
        active = {"op": "replace", "path": "active"}
        assert directory.patch(f"/Users/{known}", {**active, "value": False}).status_code == 200
        answer = directory.patch(f"/Users/{known}", {**active, "value": True})
        assert "Ask the operator to record the domain" in self.refused(answer, "camille@operateur.example")[1]
        assert not contractor.user.memberships.filter(ended_at=None).exists()


class TestAddingSomebodyWhoHasAnAccountElsewhere:
    BODY = {"displayName": "Camille", "externalId": "9", "name": {"familyName": "Employée"}}

    def test_answers_as_for_somebody_new(self, directory):
        known = directory.call("POST", "/Users", {"userName": CHARLIE, **self.BODY})
        new = directory.call("POST", "/Users", {"userName": "new@client-c.example", **self.BODY})
        assert known.status_code == 201
        assert bare(known, CHARLIE) == bare(new, "new@client-c.example")
        assert set(known.headers) == set(new.headers)
        ids = [answer.json()["id"] for answer in (known, new)]
        again = [directory.get(f"/Users/{pk}") for pk in ids]
        assert bare(again[0], CHARLIE) == bare(again[1], "new@client-c.example")

    def test_lets_the_account_act_for_both_and_leaves_it_as_it_is(self, world, directory):
        password = world.give_password("charlie")
        directory.add(CHARLIE, preferredLanguage="en", **self.BODY)
        user = User.objects.get(email=CHARLIE)
        companies = user.memberships.filter(ended_at=None).values_list("organisation", flat=True)
        assert set(companies) == {world.client_b.pk, world.acme.pk}
        assert (user.full_name, user.language) == ("Charlie", "fr")
        assert user.check_password(password)

    def test_says_the_directorys_words_to_that_directory_only(self, directory, other_directory):
        directory.add(CHARLIE, **self.BODY)
        (theirs,) = other_directory.found(f'/Users?filter=userName eq "{CHARLIE}"')
        assert theirs["displayName"] == "Charlie"
        assert "externalId" not in theirs

    def test_changes_its_name_for_that_directory_only(self, directory):
        made = directory.add(CHARLIE, **self.BODY)
        directory.patch(f"/Users/{made['id']}", {"op": "replace", "path": "displayName", "value": "C."})
        assert User.objects.get(email=CHARLIE).full_name == "Charlie"
        assert directory.get(f"/Users/{made['id']}").json()["displayName"] == "C."

    def test_does_not_give_the_address_away(self, directory):
        made = directory.add(CHARLIE)
        answer = directory.patch(
            f"/Users/{made['id']}", {"op": "replace", "path": "userName", "value": "mallory@acme.example"}
        )
        assert (answer.status_code, answer.json()["scimType"]) == (400, "mutability")
        assert User.objects.filter(email=CHARLIE).exists()

    def test_ends_here_and_not_there(self, world, directory):
        made = directory.add(CHARLIE)
        directory.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": False})
        assert world.membership("charlie").ended_at is None
        directory.call("DELETE", f"/Users/{made['id']}")
        assert world.membership("charlie").ended_at is None
        assert world.membership("charlie").role == Membership.Role.ADMINISTRATOR

    def test_shows_no_administrators_nor_groups_of_the_other(self, world, directory, other_directory):
        other_directory.add_group("Leur groupe", other_directory.id_of(CHARLIE))
        made = directory.add(CHARLIE)
        assert "groups" not in directory.get(f"/Users/{made['id']}").json()


class TestTakingAnAddressThatIsSomebodysElsewhere:
    def test_answers_as_for_a_free_one(self, world, directory):
        answers = []
        for email, wanted in (("a@acme.example", CHARLIE), ("b@acme.example", "free@client-c.example")):
            made = directory.add(email, displayName="Camille", externalId="9")
            directory.add_group(f"Groupe de {email[0]}", made["id"])
            answer = directory.patch(
                f"/Users/{made['id']}", {"op": "replace", "path": "userName", "value": wanted}
            )
            answers.append(bare(answer, wanted, f"Groupe de {email[0]}"))
        assert answers[0][0] == 200
        assert answers[0] == answers[1]

    def test_lets_that_account_take_the_place_of_the_first(self, world, directory):
        made = directory.add("a@acme.example", displayName="Camille", externalId="9")
        directory.add_group("Énergie", made["id"])
        directory.patch(f"/Users/{made['id']}", {"op": "replace", "path": "userName", "value": CHARLIE})
        user = User.objects.get(email=CHARLIE)
        here = user.memberships.get(organisation=world.acme, ended_at=None)
        assert (here.role, here.external_id) == (Membership.Role.USER, "9")
        assert [line.group.name for line in here.groups.all()] == ["Énergie"]
        assert user.full_name == "Charlie"
        first = User.objects.get(email="a@acme.example")
        assert not first.memberships.filter(ended_at=None).exists()
        assert directory.get(f"/Users/{made['id']}").json()["active"] is True

    def test_of_an_inactive_person_leaves_them_inactive(self, world, directory):
        made = directory.add("a@acme.example", active=False)
        directory.patch(f"/Users/{made['id']}", {"op": "replace", "path": "userName", "value": CHARLIE})
        answer = directory.get(f"/Users/{made['id']}").json()
        assert (answer["userName"], answer["active"]) == (CHARLIE, False)
        present = User.objects.get(email=CHARLIE).memberships.filter(ended_at=None)
        assert [one.organisation_id for one in present] == [world.client_b.pk]


def test_the_token_of_one_company_is_no_token_of_the_other(world, directory, other_directory):
    mine = {one["userName"] for one in directory.found("/Users")}
    assert mine == {"alice@acme.example", "bob@acme.example", "agathe@acme.example"}
    assert {one["userName"] for one in other_directory.found("/Users")} == {CHARLIE}


def test_a_session_opens_nothing_here(world):
    client = world.client("alice")
    assert client.get("/scim/v2/Users").status_code == 401
    assert client.post("/scim/v2/Users", "{}", content_type="application/json").status_code == 401
