"""A person's copy of what is kept about them."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.accounts.operations.own_account import add_favourite
from gridgate.accounts.security.session_store import kept_as
from gridgate.audit.models import LogStretch
from gridgate.onboarding.models import GeneralTerms, Invitation, TermsAcceptance
from gridgate.organisations.models import Membership, User
from gridgate.organisations.operations.groups import create_group, rename_group
from gridgate.organisations.operations.members import (
    add_member,
    create_user,
    end_membership,
    update_member,
)
from tests.factories.audit import SEGMENTS, make_reads
from tests.factories.eic import make_request
from tests.world import PASSWORD

DOCUMENTED = Path(__file__).parents[3] / "docs" / "1-running" / "personal-data.md"


def copy_of(client):
    response = client.post("/compte/mes-donnees/")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment; filename=")
    assert "no-store" in response["Cache-Control"]
    return json.loads(b"".join(response))


@pytest.fixture
def bob(world):
    """Bob has a bit of everything: he signed in by hand, left Client B, was made an administrator by Alice."""
    user = world.bob.user
    world.give_password("bob")
    client = world.visitor()
    signed_in = client.post(
        "/connexion/", {"login": user.email, "password": PASSWORD}, headers={"user-agent": "Firefox/140.0"}
    )
    assert signed_in.status_code == 302
    former = add_member(organisation=world.client_b, email=user.email, full_name="", now=world.now)
    end_membership(membership=former, now=world.now + timedelta(days=1))
    update_member(
        membership=world.membership("bob"),
        role=Membership.Role.ADMINISTRATOR,
        external=True,
        until=None,
        actor=world.membership("alice"),
        now=world.now,
    )
    group = create_group(
        organisation=world.acme, name="Secrets", actor=world.membership("alice"), now=world.now
    )
    rename_group(group=group, name="Énergie", actor=world.membership("bob"), now=world.now)
    terms = GeneralTerms.objects.create(version="7", text_fr="…", published_at=world.now)
    TermsAcceptance.objects.create(user=user, terms=terms, organisation=world.acme, accepted_at=world.now)
    Invitation.objects.create(
        kind=Invitation.Kind.MEMBER,
        organisation=world.client_b,
        email=user.email,
        full_name="Robert",
        language="fr",
        invited_by=world.charlie,
        created_at=world.now,
        sent_at=world.now,
        expires_at=world.now + timedelta(days=30),
    )
    add_favourite(user=user, membership=world.bob, path="/compteurs/", label="Vos compteurs", now=world.now)
    Authenticator.objects.create(user=user, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    SocialAccount.objects.create(user=user, provider="openid", uid="b-42", extra_data={"name": "Bob"})
    make_reads(world.acme, world.p1, world.acme, at=world.now, channel="screen")
    looked(world)
    looked(world, user=world.alice.user_id, user_name="Alice")
    return client


def looked(world, **more):
    said = {"user": world.bob.user_id, "user_name": "Bob", "channel": "screen", **more}
    make_reads(world.acme, world.p1, world.acme, at=world.now, **said)


class TestTheCopy:
    def test_holds_all_that_is_kept_about_the_person(self, world, bob):
        said = copy_of(bob)
        assert said["format"] == "gridgate-personal-data/1"
        assert said["profile"]["email"] == "bob@acme.example"
        assert said["profile"]["name"] == "Bob"
        assert [(one["company"]["name"], one["role"], one["to"] is None) for one in said["memberships"]] == [
            ("ACME Industries", "administrator", True),
            ("Client B", "user", False),
        ]
        assert said["memberships"][0]["groups"] == ["Site de Lyon"]
        assert said["memberships"][0]["external"] is True
        assert [one["version"] for one in said["accepted_terms"]] == ["7"]
        assert [(one["company"]["siren"], one["name"]) for one in said["invitations"]] == [
            ("123456782", "Robert")
        ]
        assert [(one["path"], one["company"]["name"]) for one in said["favourites"]] == [
            ("/compteurs/", "ACME Industries")
        ]
        assert [one["method"] for one in said["sign_ins"]] == ["password"]
        assert "Firefox" in said["sign_ins"][0]["device"]
        assert len(said["sessions"]) == 1
        assert [one["type"] for one in said["second_factors"]] == ["totp"]
        assert [(one["identifier"], one["said"]) for one in said["external_identities"]] == [
            ("b-42", {"name": "Bob"})
        ]
        assert [(one["metering_point"], one["for_company"]) for one in said["reads"]] == [
            (world.p1.pk, "ACME Industries")
        ]
        assert said["reads_unreadable"] == 0

    def test_says_how_many_reads_are_counted_and_cannot_be_read(self, world, bob):
        SEGMENTS[LogStretch.objects.order_by("pk")[1].segment.name] = b""
        said = copy_of(bob)
        assert (said["reads"], said["reads_unreadable"]) == ([], 1)

    def test_holds_what_they_did_and_what_was_done_to_them(self, world, bob):
        events = copy_of(bob)["events"]
        by_them = [event for event in events if event["by_you"]]
        assert [(event["action"], event["subject"], event["acting_for"]) for event in by_them] == [
            ("group.renamed", "Énergie", "ACME Industries")
        ]
        assert "before" not in by_them[0], "what changed is the company's"
        [changed] = [event for event in events if event["action"] == "member.changed"]
        assert changed["about_you"]
        assert not changed["by_you"]
        assert changed["before"] == {"role": "user", "external": False}
        assert changed["after"] == {"role": "administrator", "external": True}

    def test_holds_no_secret_and_nobody_else(self, world, bob):
        text = json.dumps(copy_of(bob), ensure_ascii=False)
        user = User.objects.get(pk=world.bob.user_id)
        for secret in (user.password, user.password.rsplit("$", 1)[-1], "JBSWY3DPEHPK3PXP"):
            assert secret not in text
        for other in ("Alice", "alice@", "Charlie", "charlie@", "Agathe"):
            assert other not in text
        for key in (bob.session.session_key, kept_as(bob.session.session_key)):
            assert key not in text

    def test_is_of_the_person_signed_in_and_of_nobody_else(self, world, bob):
        text = json.dumps(copy_of(world.client("alice")), ensure_ascii=False)
        assert "alice@acme.example" in text
        assert "bob@" not in text.replace('"subject": "bob@acme.example"', "")
        assert "Robert" not in text

    def test_holds_the_requests_with_what_was_asked_for_oneself_only(self, world):
        user = create_user(email="vera@example.org", full_name="Vera", password=None, now=world.now)
        own = make_request(None, user=user)
        companys = make_request(world.alice, display_name="ACME-DEUX")
        client = world.visitor()
        client.force_login(user)
        [asked] = copy_of(client)["requests"]
        assert (asked["kind"], asked["number"], asked["company"]) == ("eic_code", own.number, None)
        assert asked["content"]["display_name"] == own.display_name
        [asked] = copy_of(world.client("alice"))["requests"]
        assert (asked["number"], asked["company"]["name"]) == (companys.number, "ACME Industries")
        assert asked["content"] is None

    def test_says_instants_in_utc_whatever_the_zone_of_the_person(self, world, bob):
        User.objects.filter(pk=world.bob.user_id).update(time_zone="Pacific/Auckland")
        said = copy_of(bob)
        assert said["profile"]["time_zone"] == "Pacific/Auckland"
        found = re.findall(r'"(\d{4}-\d\d-\d\dT[^"]+)"', json.dumps(said))
        assert len(found) > 10
        assert all(datetime.fromisoformat(text).utcoffset() == timedelta() for text in found)

    def test_asks_as_many_queries_for_twice_the_reads(self, world, bob):
        def queries():
            with CaptureQueriesContext(connection) as seen:
                copy_of(bob)
            return len(seen)

        queries()  # the first counts the copies of the hour
        few = queries()
        looked(world, times=20)
        assert queries() == few

    def test_is_described_name_by_name(self, world, bob):
        text = DOCUMENTED.read_text(encoding="utf-8")
        table = text[text.index("## A copy") : text.index("## Deletion")]
        for name, value in copy_of(bob).items():
            assert f"| `{name}` |" in table, name
            row = table[table.index(f"| `{name}` |") :].split("\n", 1)[0]
            inside = (
                value if isinstance(value, dict) else value[0] if isinstance(value, list) and value else {}
            )
            for part in inside:
                assert f"`{part}`" in row, f"{name}.{part}"


class TestThePage:
    def test_offers_it_by_a_button_and_says_what_it_holds(self, world):
        page = world.client("acme_user").get("/compte/mes-donnees/").content.decode()
        assert "Télécharger mes données" in page
        assert "RGPD, articles 15 et 20" in page
        assert 'href="/compte/mes-donnees/"' in world.client("acme_user").get("/compte/").content.decode()

    def test_does_not_wait_for_new_terms_to_be_accepted(self, world):
        GeneralTerms.objects.create(version="8", text_fr="…", published_at=world.now)
        client = world.client("alice")
        assert client.get("/compteurs/")["Location"].startswith("/conditions/accepter/")
        assert copy_of(client)["profile"]["name"] == "Alice"
        assert client.get("/compte/supprimer/").status_code == 200

    def test_is_there_for_people_of_no_company(self, world):
        user = create_user(email="vera@example.org", full_name="Vera", password=None, now=world.now)
        client = world.visitor()
        client.force_login(user)
        assert client.get("/compte/mes-donnees/").status_code == 200
        assert copy_of(client)["memberships"] == []

    def test_gives_twenty_copies_an_hour(self, world):
        client = world.client("acme_user")
        for _ in range(20):
            copy_of(client)
        refused = client.post("/compte/mes-donnees/")
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) <= 60
        page = refused.content.decode()
        assert "Vous pourrez recommencer dans" in page
        assert '<a class="btn" href="/compte/mes-donnees/">Revenir où vous étiez</a>' in page
        assert "Revenir à la connexion" not in page
        copy_of(world.client("alice"))
