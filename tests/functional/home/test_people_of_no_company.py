"""What a person who acts for no company finds when they sign in."""

import re

import pytest

from gridgate.accounts.operations.own_account import add_favourite
from gridgate.eic.kind import EIC
from gridgate.eic.models import EicRequest
from gridgate.organisations.models import User
from gridgate.organisations.operations.members import create_user
from gridgate.requests.operations.life import return_request
from tests.factories.eic import make_draft, make_request


def text_of(response):
    assert response.status_code == 200
    page = re.sub(r"<svg\b.*?</svg>", "", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\u202f", " ").replace("\u00a0", " ")


@pytest.fixture
def vera(world):
    user = create_user(email="vera@example.org", full_name="Vera", password=None, now=world.now)
    client = world.visitor()
    client.force_login(user)
    return user, client


class TestTheHomePage:
    def test_greets_and_says_what_the_account_is_for(self, vera):
        text = text_of(vera[1].get("/"))
        assert "Bonjour Vera" in text
        assert "Votre compte n’agit pour aucune entreprise" in text
        assert "Demandez à ses administrateurs de vous ajouter, ou attendez qu’ils vous invitent" in text

    def test_leads_to_asking_a_company_wherever_one_would_look_for_it(self, vera, world):
        """The forms that need a company say so too; before an account there is one, in words."""
        for address in ("/", "/compte/", "/aide/", "/compteurs/"):
            page = vera[1].get(address).content.decode()
            assert 'href="/rejoindre/"' in page[page.index("<main") :], address
        for address in ("/inscription/", "/inscription/envoyee/", "/connexion/"):
            assert re.search("demandez-l(e ensuite|ui)", text_of(world.visitor().get(address))), address

    def test_leads_to_the_forms_and_to_what_is_open_to_all_and_each_link_opens(self, vera):
        _user, client = vera
        home = client.get("/").content.decode()
        main = home[home.index("<main") : home.index("</main>")]
        links = re.findall(r'<a [^>]*href="(/[^"#]*)"', main)
        for address in (
            "/eic/",
            "/partage/recus/verifier/",
            "/.well-known/gridgate-receipts.json",
            "/conditions/",
        ):
            assert address in links
        for address in ("/donnees-personnelles/", "/accessibilite/", "/aide/"):
            assert address in links
        for address in set(links):
            assert client.get(address).status_code == 200, address

    def test_lists_what_waits_for_an_answer_and_whose_turn_it_is(self, vera, world):
        user, client = vera
        assert "Vos demandes en cours" not in text_of(client.get("/"))
        sent = make_request(None, user=user)
        draft = make_draft(None, user=user, display_name="VERA-DEUX")
        text = text_of(client.get("/"))
        assert f"Code EIC « {sent.display_name} » {sent.number} Envoyée" in text
        assert f"Code EIC « VERA-DEUX » {draft.number} Compléter" in text
        return_request(EIC, sent, reason="Précisez.", actor=world.operateur, now=world.now)
        assert f"Code EIC « {sent.display_name} » {sent.number} Compléter" in text_of(client.get("/"))
        EicRequest.objects.filter(requester=user).update(state="refused")
        assert "Vos demandes en cours" not in text_of(client.get("/"))

    def test_lists_nobody_elses_requests_and_no_companys(self, vera, world):
        other = create_user(email="autre@example.org", full_name="Autre", password=None, now=world.now)
        make_request(None, user=other, display_name="AUTRE-UN")
        make_request(world.alice, display_name="ACME-UN")
        text = text_of(vera[1].get("/"))
        assert "AUTRE-UN" not in text
        assert "ACME-UN" not in text

    def test_lists_favourites(self, vera, world):
        user, client = vera
        assert "Vos favoris" not in text_of(client.get("/"))
        add_favourite(user=user, membership=None, path="/eic/", label="Codes EIC", now=world.now)
        assert "Vos favoris" in text_of(client.get("/"))

    def test_is_in_english_too(self, vera):
        user, client = vera
        User.objects.filter(pk=user.pk).update(language="en")
        client.cookies["django_language"] = "en"
        text = text_of(client.get("/"))
        assert "Hello Vera" in text
        assert "Open to all" in text
        assert "Your account acts for no company" in text

    def test_has_the_menu_around_the_pages_that_are_open_to_all(self, vera):
        page = vera[1].get("/aide/").content.decode()
        assert '<nav class="side"' in page
        assert page.count("<h1") == 1
