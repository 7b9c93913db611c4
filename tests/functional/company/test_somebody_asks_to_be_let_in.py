"""Asking a company to act for it, and what its administrators do with it."""

import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from gridgate.accounts.personal_data import export_of
from gridgate.audit.models import AuditEvent
from gridgate.directory.operations.tokens import create_token
from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.onboarding.models import JoinRequest
from gridgate.onboarding.operations import join_requests
from gridgate.onboarding.operations.join_requests import MOST_OPEN, pass_on_requests, waiting_to_join
from gridgate.organisations.models import Membership
from gridgate.organisations.operations.members import create_user
from tests.factories.organisations import a_siren, make_organisation
from tests.functional.company.conftest import hidden, text_of
from tests.handles import handle

ASK, ASKED = "/rejoindre/", "/administration/invitations/demandes/"


@pytest.fixture
def vera(company):
    """Has an account, and acts for nobody."""
    user = create_user(email="vera@acme.example", full_name="Vera", password=None, now=company.now)
    client = company.visitor()
    client.force_login(user)
    client.user = user
    return client


def asks(vera, company) -> JoinRequest:
    assert vera.post(ASK, {"company": company.acme.siren, "message": "Je suis à Lyon"})["Location"] == ASK
    pass_on_requests(now=company.now)
    return JoinRequest.objects.latest("pk")


def letters(kind: str) -> dict[str, str]:
    tasks.write_letters(now=timezone.now())
    return {one.recipient: one.body for one in OutgoingEmail.objects.filter(key__startswith=f"{kind}:")}


def test_the_answer_is_the_same_whether_the_company_is_here(company, vera):
    told = []
    for siren in (company.acme.siren, a_siren()):
        page = vera.post(ASK, {"company": siren, "message": "Je suis à Lyon"}, follow=True)
        told.append(text_of(page).partition("Votre demande est enregistrée")[2].partition("Envoyée le")[0])
    assert told[0]
    assert told[0] == told[1]
    page = text_of(vera.get(ASK))
    assert page.count("En attente jusqu’au") == 2
    assert "ACME" not in page


@pytest.mark.parametrize("name", ["ACME Industries", "acme  INDUSTRIES, S.A.S.", "Industries Acme"])
def test_a_name_is_enough_once_it_is_written_in_good_part(company, vera, name):
    assert vera.post(ASK, {"company": name, "message": "Je suis à Lyon"})["Location"] == ASK
    pass_on_requests(now=company.now)
    asked = JoinRequest.objects.get()
    assert (asked.organisation, asked.siren, asked.asked_for) == (company.acme, "", " ".join(name.split()))
    assert set(letters("join_asked")) == {"alice@acme.example"}
    page = text_of(vera.get(ASK))
    assert asked.asked_for in page
    assert company.acme.siren not in page


@pytest.mark.parametrize(
    "name",
    [
        "ACME",
        "ACME acme Acme acme",
        "industries Industries",
        "Industries",
        "Indus",
        "Réseau Démo",
        "Inconnue SARL",
        "Industries Réunies ACME du Nord",
    ],
)
def test_a_name_in_small_part_reaches_nobody_and_the_answer_is_the_same(company, vera, name):
    told = []
    for asked in ("ACME Industries", name):
        page = vera.post(ASK, {"company": asked, "message": "Je suis à Lyon"}, follow=True)
        told.append(text_of(page).partition("Votre demande est enregistrée")[2].partition("Envoyée le")[0])
    assert told[0] == told[1]
    pass_on_requests(now=company.now)
    assert JoinRequest.objects.get(name=name).organisation is None
    assert len(letters("join_asked")) == 1


@contextmanager
def statements():
    """Those of a block, without what they are asked of."""
    found = []

    def note(execute, sql, params, many, context):
        found.append(re.sub(r"\d+", "0", sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


@pytest.mark.parametrize(
    ("here", "nowhere"), [("111 222 337", "732 829 320"), ("ACME Industries", "Inconnue Industries")]
)
def test_asking_and_taking_back_do_the_same_whether_the_company_is_here(company, vera, here, nowhere):
    """What they would do more for a company that is here could be timed."""
    done = []
    for name in ("Première SARL", nowhere, here):  # the first opens what is counted
        with statements() as asking:
            vera.post(ASK, {"company": name})
        pass_on_requests(now=company.now)
        with statements() as taking_back:
            vera.post(ASK, {"withdraw": handle(JoinRequest.objects.latest("pk"))})
        pass_on_requests(now=company.now)
        done.append((asking, taking_back))
    assert JoinRequest.objects.latest("pk").organisation == company.acme
    assert done[1] == done[2]
    assert not [one for one in done[2][0] if "audit_auditevent" in one]


def test_names_are_compared_with_all_however_many_have_a_word_of_them(company, vera):
    make_organisation("Lumiereplus Est")
    for number in range(60):
        make_organisation(f"Lumiereplus {number:03d} Sud")
    make_organisation("Lumiereplus-Est")
    only = make_organisation("Lumiereplus Ouest")
    for name in ("Lumiereplus Est", "Lumiereplus Ouest"):
        vera.post(ASK, {"company": name})
    pass_on_requests(now=company.now)
    assert JoinRequest.objects.get(name="Lumiereplus Est").organisation is None
    assert JoinRequest.objects.get(name="Lumiereplus Ouest").organisation == only


def test_who_is_in_by_now_is_asked_for_no_more_and_reads_so(company, vera):
    vera.post(ASK, {"company": company.acme.siren})
    Membership.objects.create(organisation=company.acme, user=vera.user, role="user", created_at=company.now)
    pass_on_requests(now=company.now)
    assert not letters("join_asked")
    assert not waiting_to_join(actor=company.alice, now=company.now).exists()
    assert "Acceptée" in text_of(vera.get(ASK))
    assert not JoinRequest.objects.filter(to_pass_on=True).exists()


def test_whose_account_was_closed_meanwhile_asks_nobody(company, vera):
    vera.post(ASK, {"company": company.acme.siren})
    vera.user.is_active = False
    vera.user.save()
    pass_on_requests(now=company.now)
    assert not letters("join_asked")
    asked = JoinRequest.objects.get()
    assert (asked.withdrawn_at, asked.organisation, asked.to_pass_on) == (company.now, None, False)


def test_the_company_is_told_once_and_of_what_was_taken_back_too(company, vera):
    asked = asks(vera, company)
    pass_on_requests(now=company.now)
    assert AuditEvent.objects.filter(action="member.asked_in").count() == 1
    assert len(letters("join_asked")) == 1
    vera.post(ASK, {"withdraw": handle(asked)})
    for _ in range(2):
        pass_on_requests(now=company.now)
    event = AuditEvent.objects.get(action="member.asked_in_withdrawn")
    assert (event.organisation, event.user) == (company.acme.pk, vera.user.pk)


def test_one_that_was_taken_back_at_once_is_told_to_nobody(company, vera):
    vera.post(ASK, {"company": company.acme.siren})
    vera.post(ASK, {"withdraw": handle(JoinRequest.objects.get())})
    pass_on_requests(now=company.now)
    assert letters("join_asked") == {}
    assert not AuditEvent.objects.filter(action__startswith="member.asked_in").exists()


def test_one_that_was_not_passed_on_yet_is_accepted_with_the_other(company, vera):
    first = asks(vera, company)
    vera.post(ASK, {"company": "ACME Industries"})
    client = company.client("alice")
    page = client.post(f"{ASKED}{handle(first)}/", {"do": "accept"})
    client.post(f"{ASKED}{handle(first)}/", {"do": "accept", "seen": hidden(page, "seen")})
    assert not JoinRequest.objects.filter(accepted_at=None).exists()
    assert len(letters("join_asked")) == 1


def test_being_let_in_passes_on_nothing_that_another_company_was_asked(company, vera):
    first, other = asks(vera, company), make_organisation("Client C")
    vera.post(ASK, {"company": other.siren})
    client = company.client("alice")
    page = client.post(f"{ASKED}{handle(first)}/", {"do": "accept"})
    client.post(f"{ASKED}{handle(first)}/", {"do": "accept", "seen": hidden(page, "seen")})
    assert JoinRequest.objects.get(siren=other.siren).to_pass_on
    assert not AuditEvent.objects.filter(organisation=other.pk, action__startswith="member").exists()


def test_one_that_cannot_be_passed_on_holds_up_no_other(company, vera, monkeypatch):
    for siren in (company.acme.siren, company.client_b.siren):
        vera.post(ASK, {"company": siren})

    def fails(asked, now):
        if asked.siren == company.acme.siren:
            raise OSError("no room")
        return pass_on(asked, now)

    pass_on = join_requests._pass_on
    monkeypatch.setattr(join_requests, "_pass_on", fails)
    with pytest.raises(OSError, match="no room"):
        pass_on_requests(now=company.now)
    assert list(JoinRequest.objects.filter(to_pass_on=True).values_list("siren", flat=True)) == [
        company.acme.siren
    ]


def test_a_name_that_two_companies_have_reaches_none(company, vera):
    """Said before anybody asks, to everybody: an answer would tell who is here."""
    before = vera.get(ASK)
    make_organisation("Acme-Industries S.A.")
    assert text_of(vera.get(ASK)) == text_of(before)
    assert "Si plusieurs entreprises portent ce nom, donnez le SIREN" in text_of(before)
    vera.post(ASK, {"company": "ACME Industries"})
    pass_on_requests(now=company.now)
    assert JoinRequest.objects.get().organisation is None


@pytest.mark.parametrize("other", ["Acme Industries S.A.", "ACME Industrie"])
@pytest.mark.parametrize("name", ["ACME Industries", "ACME Industrie"])
def test_what_is_told_of_ones_own_company_depends_on_no_other(company, name, other):
    bob = company.client("bob")
    told = []
    for _ in range(2):
        page = bob.post(ASK, {"company": name}, follow=True)
        told.append((page.status_code, "Vous agissez déjà" in text_of(page)))
        JoinRequest.objects.all().delete()
        make_organisation(other)
    assert told[0] == told[1]
    assert told[0][1] is (name != "ACME Industrie")


def test_asking_by_name_and_by_siren_tells_nothing_of_one_by_the_other(company, vera):
    for asked in ("ACME Industries", company.acme.siren):
        assert vera.post(ASK, {"company": asked}).status_code == 302
    assert "Vous l’avez déjà demandé" in text_of(vera.post(ASK, {"company": "Acme industries"}))
    pass_on_requests(now=company.now)
    assert len(letters("join_asked")) == 1, "the same person is told of once"
    first = JoinRequest.objects.earliest("pk")
    client = company.client("alice")
    page = client.post(f"{ASKED}{handle(first)}/", {"do": "accept"})
    client.post(f"{ASKED}{handle(first)}/", {"do": "accept", "seen": hidden(page, "seen")})
    assert not waiting_to_join(actor=company.alice, now=company.now).exists()


def test_what_was_asked_is_on_the_home_page_and_is_taken_back_there(company, vera):
    asked = asks(vera, company)
    home = vera.get("/")
    assert "Vos demandes d’agir pour une entreprise" in text_of(home)
    assert "111 222 337 envoyée le 25 novembre 2026, réponse attendue avant le" in text_of(home)
    answer = vera.post(ASK, {"withdraw": handle(asked), "back": "home"}, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert "Votre demande est retirée." in text_of(answer)
    assert "Vos demandes d’agir" not in text_of(answer)
    refused = asks(vera, company)
    company.client("alice").post(
        f"{ASKED}{handle(refused)}/", {"do": "refuse", "reason": "Inconnue chez nous"}
    )
    assert "Inconnue chez nous Refusée" in text_of(vera.get("/"))


def test_its_administrators_are_written_to_and_it_is_in_the_history(company, vera):
    asked = asks(vera, company)
    told = letters("join_asked")
    assert set(told) == {"alice@acme.example"}
    assert "Je suis à Lyon" in told["alice@acme.example"]
    assert ASKED in told["alice@acme.example"]
    assert list(waiting_to_join(actor=company.alice, now=company.now)) == [asked]
    assert not waiting_to_join(actor=company.bob, now=company.now).exists()
    assert not waiting_to_join(actor=company.charlie, now=company.now).exists()
    assert "Lire 1 demande" in text_of(company.client("alice").get("/administration/invitations/"))
    assert "vera@acme.example demande à agir" in text_of(
        company.client("alice").get("/administration/historique/")
    )


def test_is_accepted_once_what_it_opens_was_read(company, vera):
    asked, client = asks(vera, company), company.client("maud")
    form = {"do": "accept", "external": "externe", "groups": [handle(company.lyon)]}
    page = client.post(f"{ASKED}{handle(asked)}/", form)
    assert "Ce que Vera pourra" in text_of(page)
    assert "Vera gagne" in text_of(page)
    assert not Membership.objects.filter(user=vera.user).exists(), "it was not read yet"
    done = client.post(f"{ASKED}{handle(asked)}/", {**form, "seen": hidden(page, "seen")})
    assert done["Location"] == ASKED
    member = Membership.objects.get(user=vera.user)
    assert (member.organisation, member.role, member.external) == (company.acme, "user", True)
    assert [one.group for one in member.groups.all()] == [company.lyon]
    assert "a accepté votre demande" in letters("join_answered")["vera@acme.example"]
    events = AuditEvent.objects.filter(organisation=company.acme.pk, action__startswith="member.")
    assert {"member.asked_in", "member.added", "member.let_in"} <= {one.action for one in events}
    assert vera.get("/compteurs/").status_code == 200


def test_another_of_theirs_is_accepted_with_it_and_the_history_says_so(company, vera):
    asked, client = asks(vera, company), company.client("alice")
    vera.post(ASK, {"company": company.acme.legal_name, "message": ""})
    form = {"do": "accept", "external": "", "groups": [handle(company.lyon)]}
    page = client.post(f"{ASKED}{handle(asked)}/", form)
    client.post(f"{ASKED}{handle(asked)}/", {**form, "seen": hidden(page, "seen")})
    answered = vera.user.join_requests.all()
    assert [(one.accepted_at is not None, one.decided_by) for one in answered] == [(True, company.alice)] * 2
    events = AuditEvent.objects.filter(action="member.let_in", organisation=company.acme.pk).order_by("pk")
    assert [one.after for one in events] == [{}, {"why": "other_request"}]
    assert "avec une autre de ses demandes" in text_of(client.get("/administration/historique/"))


def test_who_goes_by_another_address_since_it_was_read_is_read_again(company, vera):
    """The address is who is let in; a directory changes it."""
    asked, client = asks(vera, company), company.client("alice")
    form = {"do": "accept", "groups": [handle(company.lyon)]}
    page = client.post(f"{ASKED}{handle(asked)}/", form)
    type(vera.user).objects.filter(pk=vera.user.pk).update(email="autre@ailleurs.example")
    again = client.post(f"{ASKED}{handle(asked)}/", {**form, "seen": hidden(page, "seen")})
    assert again.status_code == 200
    assert "autre@ailleurs.example" in text_of(again)
    assert not Membership.objects.filter(user=vera.user).exists()
    client.post(f"{ASKED}{handle(asked)}/", {**form, "seen": hidden(again, "seen")})
    assert Membership.objects.filter(user=vera.user).exists()


@pytest.mark.parametrize("do", ["accept", "refuse"])
def test_who_answers_after_a_colleague_reads_that_theirs_is_not_kept(company, vera, do):
    asked, client = asks(vera, company), company.client("alice")
    at = f"{ASKED}{handle(asked)}/"
    page = client.post(at, {"do": "accept", "groups": [handle(company.lyon)]})
    if do == "accept":
        join_requests.accept(pk=asked.pk, actor=company.maud, groups=[company.reception], now=company.now)
    else:
        join_requests.refuse(pk=asked.pk, actor=company.maud, reason="Inconnue", now=company.now)
    form = {"do": "accept", "groups": [handle(company.lyon)], "seen": hidden(page, "seen")}
    said = "accepté" if do == "accept" else "refusé"
    page = client.post(at, form, follow=True)
    assert f"Maud a {said} cette demande avant vous : votre réponse n’est pas enregistrée." in text_of(page)
    if do == "accept":
        groups = Membership.objects.get(user=vera.user).groups.values_list("group", flat=True)
        assert list(groups) == [company.reception.pk]


def test_other_groups_than_those_read_are_read_again(company, vera):
    asked, client = asks(vera, company), company.client("alice")
    page = client.post(f"{ASKED}{handle(asked)}/", {"do": "accept", "groups": [handle(company.lyon)]})
    form = {"do": "accept", "groups": [handle(company.reception)], "seen": hidden(page, "seen")}
    assert client.post(f"{ASKED}{handle(asked)}/", form).status_code == 200
    assert not Membership.objects.filter(user=vera.user).exists()


def test_is_refused_with_a_reason_that_is_told(company, vera):
    asked, client = asks(vera, company), company.client("alice")
    assert client.post(f"{ASKED}{handle(asked)}/", {"do": "refuse"}).status_code == 422
    client.post(f"{ASKED}{handle(asked)}/", {"do": "refuse", "reason": "Inconnue chez nous"})
    told = letters("join_answered")["vera@acme.example"]
    assert "Inconnue chez nous" in told
    assert "ACME" not in told
    assert "Alice" not in told
    assert "Refusée Inconnue chez nous" in text_of(vera.get(ASK))
    assert not Membership.objects.filter(user=vera.user).exists()


def test_another_companys_is_not_there(company, vera):
    asked = asks(vera, company)
    assert company.client("charlie").post(f"{ASKED}{handle(asked)}/", {"do": "accept"}).status_code == 404
    assert company.client("bob").get(f"{ASKED}{handle(asked)}/").status_code == 403


@pytest.mark.parametrize("end", ["expiry", "withdrawal"])
def test_one_that_ended_is_not_accepted(company, vera, end):
    asked = asks(vera, company)
    if end == "withdrawal":
        vera.post(ASK, {"withdraw": handle(asked)})
    with time_machine.travel(company.now + timedelta(days=15 if end == "expiry" else 0), tick=False):
        page = company.client("alice").post(f"{ASKED}{handle(asked)}/", {"do": "accept"})
        assert 'value="accept"' not in page.content.decode()
        assert not Membership.objects.filter(user=vera.user).exists()
        vera.force_login(vera.user)
        assert asks(vera, company).pk != asked.pk, "it cannot be asked again"


def test_people_of_the_companys_directory_are_sent_there(company, vera):
    company.acme.email_domains = ["acme.example"]
    company.acme.save()
    create_token(organisation=company.acme, name="Annuaire", actor=company.alice, now=company.now)
    asked, client = asks(vera, company), company.client("alice")
    assert "Cette personne vient de votre annuaire" in text_of(client.get(f"{ASKED}{handle(asked)}/"))
    page = client.post(f"{ASKED}{handle(asked)}/", {"do": "accept"})
    client.post(f"{ASKED}{handle(asked)}/", {"do": "accept", "seen": "0" * 16})
    assert page.status_code in (200, 409)
    assert not Membership.objects.filter(user=vera.user).exists()


@pytest.mark.parametrize(
    ("siren", "said"),
    [
        ("123", "Ce n’est pas un SIREN"),
        ("A.", "en entier"),
        ("", "Ce champ est obligatoire."),
        (None, "Vous l’avez déjà demandé"),
    ],
)
def test_what_is_wrong_is_said(company, vera, siren, said):
    if siren is None:
        siren = asks(vera, company).siren
    page = vera.post(ASK, {"company": siren, "message": "Je suis à Lyon"})
    assert page.status_code == 422
    assert said in text_of(page)
    assert "Je suis à Lyon" in page.content.decode()


def test_whoever_acts_for_it_already_and_whoever_asks_everywhere(company, vera):
    page = company.client("bob").post(ASK, {"company": company.acme.siren})
    assert "Vous agissez déjà pour cette entreprise." in text_of(page)
    answers = [vera.post(ASK, {"company": a_siren()}).status_code for _ in range(MOST_OPEN + 2)]
    assert answers[:MOST_OPEN] == [302] * MOST_OPEN
    assert set(answers[MOST_OPEN:]) <= {422, 429}
    assert JoinRequest.objects.count() == MOST_OPEN


def test_who_asks_too_often_reads_when_to_ask_again_and_keeps_what_they_wrote(company, vera):
    for _ in range(MOST_OPEN):
        vera.post(ASK, {"company": a_siren()})
        vera.post(ASK, {"withdraw": handle(JoinRequest.objects.latest("pk"))})
    page = vera.post(ASK, {"company": "ACME Industries", "message": "Je suis à Lyon"})
    assert page.status_code == 429
    assert int(page["Retry-After"]) == 60
    assert "Vous pourrez recommencer dans 60 secondes." in text_of(page)
    body = page.content.decode()
    assert 'value="ACME Industries"' in body
    assert 'value="Je suis à Lyon"' in body
    assert "Revenir à la connexion" not in body


def test_ones_own_data_tell_no_more_of_a_company_that_is_here(company, vera):
    vera.get(ASK)  # opens the session
    told = []
    for siren in (company.acme.siren, a_siren()):
        before = export_of(user=vera.user, now=company.now)
        vera.post(ASK, {"company": siren, "message": "Je suis à Lyon"})
        pass_on_requests(now=company.now)
        vera.post(ASK, {"withdraw": handle(JoinRequest.objects.latest("pk"))})
        pass_on_requests(now=company.now)
        after = export_of(user=vera.user, now=company.now)
        assert after["join_requests"][-1]["siren"] == siren
        told.append(
            {key: len(after[key]) - len(before[key]) for key, rows in after.items() if isinstance(rows, list)}
        )
    assert told[0] == told[1]


def test_what_a_stranger_writes_is_a_quotation_without_links(company, vera):
    type(vera.user).objects.filter(pk=vera.user.pk).update(full_name="Vera https://evil.example/a")
    vera.post(
        ASK,
        {
            "company": company.acme.siren,
            "message": "Voir www.evil.example, HTTPS://evil.example/b et x@evil.example",
        },
    )
    pass_on_requests(now=company.now)
    told = letters("join_asked")["alice@acme.example"]
    assert "\n> Voir www" in told
    assert told.count("[lien retiré]") == 2
    assert "evil.example" not in told
    assert "https://evil" not in OutgoingEmail.objects.get(recipient="alice@acme.example").subject
    asked = JoinRequest.objects.get()
    page = text_of(company.client("alice").get(f"{ASKED}{handle(asked)}/"))
    assert "HTTPS://evil.example/b" in page, "who decides reads it as it was written"
