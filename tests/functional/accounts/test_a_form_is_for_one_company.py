"""A form opened for one company and sent after another was chosen, in another tab."""

import html
import re
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from gridgate.accounts.models import Favourite, SecurityPolicy
from gridgate.audit.models import AuditEvent
from gridgate.eic.models import EicRequest
from gridgate.organisations.models import Membership, Organisation, UserGroup
from gridgate.organisations.operations.members import add_member, create_user, end_membership
from tests.functional.company.conftest import text_of
from tests.handles import handle

SCREENS = {
    "administration/groupes/nouveau": ("/administration/groupes/nouveau/", {"name": "Énergie"}),
    "administration/inviter": ("/administration/inviter/", {}),
    "administration/services": ("/administration/services/", {}),
    "administration/annuaire": ("/administration/annuaire/", {"name": "SIRH"}),
    "compteurs": ("/compteurs/", {}),
    "collecte": ("/collecte/", {}),
    "eic": ("/eic/nouvelle/?nom=Parc+du+Vent", {}),
    "questionnaire": ("/questionnaire/", {}),
    "favoris": ("/compteurs/", {}),
}
"""By screen, a page that holds a form of the company, and what is typed there."""


@pytest.fixture
def of_two(world):
    """Alice is an administrator of ACME and of Client B."""
    return world, add_member(
        organisation=world.client_b,
        email=world.alice.user.email,
        full_name="",
        role=Membership.Role.ADMINISTRATOR,
        external=True,
        now=world.now,
    )


@pytest.fixture
def browser(of_two):
    """Alice's, which brings what its forms carry and nothing else."""
    world, _other = of_two
    signed_in = world.client("alice")
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in.cookies
    return client


def forms_of(response) -> list[tuple[str, dict[str, list[str]]]]:
    """Where each form of the page that acts for a company is sent, and its hidden fields."""
    page = response.content.decode()
    here = response.wsgi_request.get_full_path()
    found = []
    for opening, inside in re.findall(r"<form\b([^>]*)>(.*?)</form>", page, re.S):
        action = re.search(r'action="([^"]*)"', opening)
        to = html.unescape(action[1]) if action else here
        if 'method="post"' in opening and to not in ("/deconnexion/", "/langue/", "/compte/entreprise/"):
            fields: dict[str, list[str]] = {}
            for name, value in re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', inside):
                fields.setdefault(name, []).append(html.unescape(value))
            found.append((to, fields))
    return found


def form_of(response, action: str) -> dict[str, list[str]]:
    return next(fields for to, fields in forms_of(response) if to == action)


def acts_for(browser) -> str:
    """The name of the company that is open."""
    siren = form_of(browser.get("/administration/groupes/nouveau/"), "/administration/groupes/nouveau/")
    return Organisation.objects.get(siren=siren["acting_for"][0]).legal_name


def switch(browser, membership) -> None:
    """In another tab."""
    page = browser.get("/compte/entreprise/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())[1]
    answer = browser.post(
        "/compte/entreprise/", {"csrfmiddlewaretoken": token, "membership": handle(membership)}
    )
    assert answer.status_code == 302


@pytest.mark.parametrize("screen", SCREENS)
def test_is_refused_by_every_screen(of_two, browser, screen):
    _world, other = of_two
    address, typed = SCREENS[screen]
    forms = forms_of(browser.get(address))
    assert forms, "the page has a form"
    switch(browser, other)
    events = AuditEvent.objects.count()
    for action, fields in forms:
        answer = browser.post(action, fields | typed)
        assert answer.status_code == 409, action
        assert (
            "Vous l’aviez ouvert pour ACME Industries , et vous agissez maintenant pour Client B"
            in text_of(answer)
        )
        assert "Rien n’a été fait" in text_of(answer)
    assert AuditEvent.objects.count() == events


def test_does_nothing_for_either_company(of_two, browser):
    _world, other = of_two
    fields = form_of(browser.get("/administration/groupes/nouveau/"), "/administration/groupes/nouveau/")
    switch(browser, other)
    groups = UserGroup.objects.count()
    browser.post("/administration/groupes/nouveau/", fields | {"name": "Énergie"})
    assert UserGroup.objects.count() == groups


class TestTheWayBack:
    def test_sends_what_was_typed_for_the_company_it_was_typed_for(self, of_two, browser):
        world, other = of_two
        address = "/administration/groupes/nouveau/"
        fields = form_of(browser.get(address), address)
        switch(browser, other)
        refused = browser.post(address, fields | {"name": "L’« Énergie » & <b>"})
        again = form_of(refused, address)
        assert again["name"] == ["L’« Énergie » & <b>"]
        answer = browser.post(address, again | {"back_to_company": "1"})
        assert (answer.status_code, answer["Location"]) == (307, address)
        assert browser.post(answer["Location"], again | {"back_to_company": "1"}).status_code == 302
        assert UserGroup.objects.get(name="L’« Énergie » & <b>").organisation == world.acme

    def test_is_a_choice_and_nothing_is_sent_without_it(self, of_two, browser):
        _world, other = of_two
        address = "/administration/groupes/nouveau/"
        fields = form_of(browser.get(address), address)
        switch(browser, other)
        again = form_of(browser.post(address, fields | {"name": "Énergie"}), address)
        assert browser.post(address, again).status_code == 409
        assert "Client B" in text_of(browser.get("/compte/entreprise/")).partition("En cours")[0]

    def test_leads_to_no_company_that_is_not_theirs(self, of_two, browser):
        world, _other = of_two
        address = "/administration/groupes/nouveau/"
        fields = form_of(browser.get(address), address)
        strange = {"name": "Énergie", "back_to_company": "1", "acting_for": world.third_party_1.siren}
        answer = browser.post(address, fields | strange)
        assert answer.status_code == 409
        assert world.third_party_1.legal_name not in text_of(answer)
        assert 'name="back_to_company"' not in answer.content.decode()

    @pytest.mark.parametrize("multipart", [False, True])
    def test_sends_a_form_of_a_button_alone(self, of_two, browser, multipart):
        """Such as to end a directory's token: nothing was typed, and no file was lost."""
        world, other = of_two
        address = "/administration/groupes/nouveau/"
        fields = form_of(browser.get(address), address)
        switch(browser, other)
        if multipart:
            refused = browser.post(address, fields)
        else:
            plain = urlencode(fields, doseq=True)
            refused = browser.post(address, plain, content_type="application/x-www-form-urlencoded")
        assert "fichiers" not in text_of(refused)
        assert "Ce que vous avez saisi" not in text_of(refused)
        again = form_of(refused, address) | {"back_to_company": "1"}
        answer = browser.post(address, again)
        assert (answer.status_code, answer["Location"]) == (307, address)
        reached = browser.post(address, again)
        assert reached.status_code == 422, "taken by the view, for which a name is missing"
        assert acts_for(browser) == world.acme.legal_name

    def test_says_that_files_are_not_kept(self, of_two, browser):
        world, other = of_two
        address = "/administration/groupes/nouveau/"
        fields = form_of(browser.get(address), address)
        switch(browser, other)
        paper = SimpleUploadedFile("extrait.pdf", b"%PDF-1.7")
        answer = browser.post(address, fields | {"name": "Énergie", "paper": paper})
        assert answer.status_code == 409
        assert "les fichiers joints ne sont pas gardés" in text_of(answer)
        assert 'name="back_to_company"' not in answer.content.decode()
        assert acts_for(browser) == other.organisation.legal_name
        button = r'name="membership" value="([^"]+)">Revenir à ACME Industries</button>'
        pressed = {"membership": re.search(button, answer.content.decode())[1]}
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.content.decode())[1]
        back = browser.post("/compte/entreprise/", pressed | {"csrfmiddlewaretoken": token})
        assert back.status_code == 302
        assert acts_for(browser) == world.acme.legal_name


class TestAFormMadeByHand:
    @pytest.mark.parametrize("company", [[], [""], ["x"], ["0" * 400], ["\0"]])
    def test_is_refused_when_it_names_no_company(self, of_two, browser, company):
        address = "/administration/groupes/nouveau/"
        fields = form_of(browser.get(address), address) | {"name": "Énergie", "acting_for": company}
        answer = browser.post(address, fields)
        assert answer.status_code == 409
        assert "Il ne dit pas qu’il est pour ACME Industries" in text_of(answer)

    def test_is_refused_when_it_names_two(self, of_two, browser):
        world, _other = of_two
        address = "/administration/groupes/nouveau/"
        for both in ([world.acme.siren, world.client_b.siren], [world.client_b.siren, world.acme.siren]):
            fields = form_of(browser.get(address), address) | {"name": "Énergie", "acting_for": both}
            assert browser.post(address, fields).status_code == 409

    def test_is_refused_of_somebody_detached_in_the_meantime(self, of_two, browser):
        """The session was for ACME, and ends with it; the form is refused to the one that follows."""
        world, other = of_two
        address = "/administration/groupes/nouveau/"
        fields = form_of(browser.get(address), address)
        switch(browser, other)
        world.alice.role = Membership.Role.USER
        world.alice.save()
        end_membership(membership=world.alice, now=world.now)
        answer = browser.post(address, fields | {"name": "Énergie"})
        assert answer.status_code == 409
        assert "ACME" not in text_of(answer), "a company that is theirs no more"
        assert not UserGroup.objects.filter(name="Énergie").exists()

    def test_is_led_to_sign_in_when_the_open_company_has_ended(self, of_two, browser):
        world, _other = of_two
        address = "/administration/groupes/nouveau/"
        fields = form_of(browser.get(address), address)
        Membership.objects.filter(pk=world.alice.pk).update(ended_at=world.now)
        answer = browser.post(address, fields | {"name": "Énergie"})
        assert answer.status_code == 302
        assert answer["Location"].startswith("/connexion/")


class TestAPersonOfNoCompany:
    def test_sends_forms_of_their_own(self, world, measured):
        browser = Client(enforce_csrf_checks=True)
        browser.cookies = self._of_none(world).cookies
        fields = form_of(browser.get("/eic/nouvelle/?nom=Parc+du+Vent"), "/eic/nouvelle/")
        assert fields["acting_for"] == [""]
        assert browser.post("/eic/nouvelle/", fields).status_code != 409

    def test_whose_form_says_a_company_is_refused(self, world, measured):
        browser = Client(enforce_csrf_checks=True)
        browser.cookies = self._of_none(world).cookies
        fields = form_of(browser.get("/eic/nouvelle/?nom=Parc+du+Vent"), "/eic/nouvelle/")
        answer = browser.post("/eic/nouvelle/", fields | {"acting_for": world.acme.siren})
        assert answer.status_code == 409
        assert not EicRequest.objects.exists()

    @staticmethod
    def _of_none(world):
        client = world.visitor()
        client.force_login(
            create_user(email="eva@ailleurs.example", full_name="Eva", password=None, now=world.now)
        )
        return client


class TestWhatActsForNoCompany:
    def test_is_taken_whichever_is_open(self, of_two, browser):
        """Signing out, the language, one's own account, and the switch itself, back from either tab."""
        world, other = of_two
        page = browser.get("/compte/")
        token = {"csrfmiddlewaretoken": form_of(page, "/compte/")["csrfmiddlewaretoken"]}
        own = token | {"acting_for": world.acme.siren}
        switch(browser, other)
        assert browser.post("/langue/", own | {"language": "fr"}).status_code == 302
        assert browser.post("/compte/", own | {"full_name": "Alice", "language": "fr"}).status_code == 302
        assert (
            browser.post("/compte/entreprise/", own | {"membership": handle(world.alice)}).status_code == 302
        )
        assert browser.post("/deconnexion/", own).status_code == 302


def test_a_proof_asked_on_the_way_keeps_the_company(of_two, browser):
    """The page that asks for a code, opened for ACME, does not confirm for Client B."""
    world, other = of_two
    SecurityPolicy.objects.update(step_up_acts=["rights"])
    address = f"/administration/utilisateurs/{handle(world.bob)}/"
    fields = form_of(browser.get(address), address)
    read = browser.post(address, fields | {"role": "administrator"})
    seen = form_of(read, address)["seen"]
    asked = browser.post(address, fields | {"role": "administrator", "seen": seen})
    assert asked["Location"] == "/confirmation/"
    again = form_of(browser.get("/confirmation/"), address)
    assert again["acting_for"] == [world.acme.siren]
    switch(browser, other)
    assert browser.post(address, again | {"step_up_code": "000000"}).status_code == 409
    assert Membership.objects.get(pk=world.bob.pk).role == Membership.Role.USER


def test_a_page_kept_at_hand_is_kept_for_the_company_it_was_shown_for(of_two, browser):
    _world, other = of_two
    fields = form_of(browser.get("/compteurs/"), "/compte/favoris/")
    switch(browser, other)
    assert browser.post("/compte/favoris/", fields | {"keep": "x"}).status_code == 409
    assert not Favourite.objects.exists()
