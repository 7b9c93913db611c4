"""An administrator connects the company's own directory: makes a token, sees it once, revokes it."""

import json
import re

import pytest
from django.test import Client

from gridgate.directory.models import DirectoryToken
from gridgate.directory.operations.tokens import create_token
from tests.handles import handle

PATH = "/administration/annuaire/"


def text(answer) -> str:
    return answer.content.decode()


def made(client, name="Entra ID"):
    """The secret that the answer shows."""
    answer = client.post(PATH, {"name": name})
    assert answer.status_code == 200
    found = re.search(r"ggd_[\w-]{43}", text(answer))
    assert found, text(answer)
    return answer, found.group()


def asks(secret):
    return Client().get("/scim/v2/Users", headers={"Authorization": f"Bearer {secret}"}).status_code


class TestConnecting:
    def test_says_how_and_where_in_both_languages(self, world, settings):
        for language, words in (("fr", "Raccorder votre annuaire"), ("en", "Connect your directory")):
            page = text(world.client("alice", language=language).get(PATH))
            assert words in page
            assert f"{settings.BASE_URL}/scim/v2" in page

    def test_says_how_people_sign_in(self, world, settings):
        alice = world.client("alice")
        assert "Chacun choisit son mot de passe" in text(alice.get(PATH))
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
            update={"oidc_issuer": "https://login.example", "oidc_name": "Identité Démo"}
        )
        assert "Chacun se connecte avec Identité Démo" in text(alice.get(PATH))


class TestMaking:
    def test_shows_a_token_that_works_and_shows_it_once(self, world):
        alice = world.client("alice")
        answer, secret = made(alice)
        assert "no-store" in answer["Cache-Control"]
        assert "Copiez ce jeton maintenant" in text(answer)
        assert asks(secret) == 200
        page = text(alice.get(PATH))
        assert "Entra ID" in page
        assert secret not in page
        assert secret not in json.dumps(dict(alice.session.items()), default=str)

    def test_sending_the_form_again_makes_no_second_one(self, world):
        alice = world.client("alice")
        made(alice)
        again = alice.post(PATH, {"name": "entra  ID"})
        assert "Un jeton en service porte déjà ce nom" in text(again)
        assert 'value="entra  ID"' in text(again)
        assert DirectoryToken.objects.count() == 1

    @pytest.mark.parametrize("name", ["", "   ", "x" * 81])
    def test_asks_for_a_name(self, world, name):
        answer = world.client("alice").post(PATH, {"name": name})
        assert answer.status_code == 200
        assert 'aria-invalid="true"' in text(answer)
        assert not DirectoryToken.objects.exists()

    def test_tells_who_made_it_and_when_it_was_last_used(self, world):
        alice = world.client("alice")
        _answer, secret = made(alice)
        assert "jamais" in text(alice.get(PATH))
        asks(secret)
        page = text(alice.get(PATH))
        assert "Alice" in page
        assert "aujourd’hui à" in page


class TestRevoking:
    def test_says_what_ends_then_ends_it_at_once(self, world):
        alice = world.client("alice")
        _answer, secret = made(alice)
        token = DirectoryToken.objects.get()
        path = f"{PATH}{handle(token)}/revoquer/"
        assert "sa prochaine demande est refusée" in text(alice.get(path))
        assert asks(secret) == 200, "looking changes nothing"
        answer = alice.post(path, follow=True)
        assert "Le jeton «\u00a0Entra ID\u00a0» est révoqué" in text(answer)
        assert asks(secret) == 401
        assert "Jetons révoqués" in text(answer)
        assert alice.get(path)["Location"] == PATH, "once"

    def test_of_another_company_is_like_none(self, world):
        theirs, _secret = create_token(
            organisation=world.client_b, name="Okta", actor=world.charlie, now=world.now
        )
        for method in ("get", "post"):
            assert (
                getattr(world.client("alice"), method)(f"{PATH}{handle(theirs)}/revoquer/").status_code == 404
            )
        assert DirectoryToken.objects.get().revoked_at is None
        assert "Okta" not in text(world.client("alice").get(PATH))


def test_is_for_administrators(world):
    for who in ("bob", "acme_user"):
        assert world.client(who).get(PATH).status_code == 403
        assert world.client(who).post(PATH, {"name": "x"}).status_code == 403
    assert not DirectoryToken.objects.exists()


def test_what_the_directory_did_is_in_the_companys_history(world):
    alice = world.client("alice")
    _answer, secret = made(alice)
    world.acme.email_domains = ["acme.example"]
    world.acme.save(update_fields=["email_domains"])
    Client().post(
        "/scim/v2/Users",
        json.dumps({"userName": "zoe@acme.example", "displayName": "Zoé"}),
        content_type="application/scim+json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    page = text(alice.get("/administration/historique/"))
    assert "annuaire «\u00a0Entra ID\u00a0»" in page
    assert "zoe@acme.example" in page
    assert "Jeton d’annuaire «\u00a0Entra ID\u00a0» créé" in page


def test_the_page_says_which_addresses_a_directory_may_add(world):
    page = world.client("alice").get("/administration/annuaire/").content.decode()
    assert "Aucune personne ne peut être ajoutée" in page
    world.acme.email_domains = ["acme.example", "acme-energie.example"]
    world.acme.save(update_fields=["email_domains"])
    page = world.client("alice").get("/administration/annuaire/").content.decode()
    assert "acme.example, acme-energie.example" in page
    assert "Aucune personne ne peut être ajoutée" not in page
