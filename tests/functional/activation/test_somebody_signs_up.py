"""An account for somebody of no company, and an answer that tells nothing of anybody."""

import re

from django.contrib.auth import SESSION_KEY
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gridgate.notifications import tasks
from gridgate.onboarding.models import Invitation
from gridgate.onboarding.operations.terms import publish_terms
from gridgate.organisations.models import User
from tests.world import PASSWORD, World

FORM = {"email": "Eva@ailleurs.example", "full_name": "Eva", "language": "fr"}


def said(response: object) -> str:
    return str(response.content.decode())  # type: ignore[attr-defined]


def link_received() -> str:
    while (letter := tasks.claim(now=timezone.now())) is not None:
        tasks.send(letter, clock=timezone.now)
    found = re.search(r"http://\S+?(/activation/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def test_the_link_received_leads_to_an_account_of_no_company(world: World) -> None:
    terms = publish_terms(version="1", text_fr="Texte.", now=world.now)
    client = world.visitor()
    assert 'href="/inscription/"' in said(client.get("/connexion/"))
    assert client.post("/inscription/", FORM)["Location"] == "/inscription/envoyee/"
    assert "Un e-mail est en route" in said(client.get("/inscription/envoyee/"))
    link = link_received()
    page = said(client.get(link))
    assert "Votre rôle" not in page
    form = {"new_password1": PASSWORD, "new_password2": PASSWORD, "terms": "on", "version": "1"}
    assert client.post(link, form)["Location"] == "/"
    home = client.get("/")
    assert home.status_code == 200
    assert home.wsgi_request.membership is None  # type: ignore[attr-defined]
    eva = User.objects.get(email="eva@ailleurs.example")
    assert not eva.memberships.exists()
    assert eva.accepted_terms.get().terms == terms
    later = Client()
    assert later.post("/connexion/", {"login": eva.email, "password": PASSWORD})["Location"] == "/"
    assert SESSION_KEY in later.session


def test_the_answer_and_the_work_are_the_same_whether_or_not_the_address_is_known(world: World) -> None:
    world.give_password("bob")
    world.visitor().post("/inscription/", FORM)  # where they come from is known
    seen = []
    for email in ("bob@acme.example", "personne@nulle-part.example"):
        with CaptureQueriesContext(connection) as queries:
            response = world.visitor().post("/inscription/", FORM | {"email": email})
        asked = [re.findall(r'^\w+|"(?:organisations|notifications)_\w+"', one["sql"]) for one in queries]
        work = [found[:2] for found in asked if len(found) > 1]
        seen.append((response.status_code, response["Location"], set(response.headers), work))
    assert seen[0] == seen[1]


def test_a_known_address_gets_no_link_and_keeps_its_password(world: World) -> None:
    world.give_password("bob")
    world.visitor().post("/inscription/", FORM | {"email": "bob@acme.example"})
    while (letter := tasks.claim(now=timezone.now())) is not None:
        tasks.send(letter, clock=timezone.now)
    assert "déjà un compte" in mail.outbox[-1].subject
    assert "/activation/" not in mail.outbox[-1].body


def test_what_was_typed_is_kept_beside_what_is_wrong(world: World) -> None:
    page = said(world.visitor().post("/inscription/", FORM | {"email": "eva"}))
    assert 'value="eva"' in page
    assert 'value="Eva"' in page
    assert 'aria-invalid="true"' in page
    assert not Invitation.objects.exists()


def test_an_address_receives_five_letters_and_a_computer_asks_for_twenty_before_they_wait(
    world: World,
) -> None:
    for _ in range(5):
        assert world.visitor().post("/inscription/", FORM).status_code == 302
    assert world.visitor().post("/inscription/", FORM).status_code == 429
    assert world.visitor().post("/inscription/", FORM | {"email": "EVA@ailleurs.example"}).status_code == 429
    for number in range(13):
        other = FORM | {"email": f"autre{number}@ailleurs.example"}
        assert world.visitor().post("/inscription/", other).status_code == 302, number
    codes = {
        world.visitor().post("/inscription/", FORM | {"email": f"encore{n}@ailleurs.example"}).status_code
        for n in range(3)
    }
    assert 429 in codes


def test_whoever_is_signed_in_has_an_account(world: World) -> None:
    assert world.client("bob").get("/inscription/")["Location"] == "/"


def test_is_in_english_too(world: World) -> None:
    client = world.visitor(language="en")
    assert "Receive the link" in said(client.get("/inscription/"))
    assert "An e-mail is on its way" in said(client.get("/inscription/envoyee/"))
