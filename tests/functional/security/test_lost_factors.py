"""Somebody who lost every second factor gets in again: two people, and the person told before anything is removed."""

import logging
import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine

from gridgate.accounts.models import LostFactor, SecurityPolicy
from gridgate.accounts.operations.lost_factors import checks_to_confirm, object_to, token_of
from gridgate.accounts.security.factors import factors_of
from gridgate.audit.models import AuditEvent
from gridgate.notifications.letters import body_of
from gridgate.organisations.models import Membership
from gridgate.portal.logs import WithoutLinks
from tests.factories.organisations import make_member
from tests.functional.company.conftest import read_and_confirmed
from tests.functional.security.conftest import letters_to, set_up_totp
from tests.handles import handle

EMAIL = "bob@acme.example"
DESK, COMPANY = "/administration/seconds-facteurs/", "/administration/utilisateurs/seconds-facteurs/"
FORM = {"email": EMAIL, "how": "called_back", "note": "Rappelé au 04 78 00 00 00, connu par son contrat"}


@pytest.fixture
def here(world):
    """Bob has lost his telephone; the operator has two clerks."""
    here = SimpleNamespace(**vars(world), visitor=world.visitor, bobs=world.client("bob"))
    here.client = lambda name: type(world).client(here, name)
    set_up_totp(here.bobs, EMAIL)
    here.colleague = make_member(world.operator, "Odile", email="odile@reseau.example")
    return here


def checked(here) -> LostFactor:
    assert here.client("operateur").post(DESK, FORM)["Location"] == DESK
    return LostFactor.objects.get()


def decide(browser, address: str, lost: LostFactor, do: str = "confirm"):
    return browser.post(address, {"lost": handle(lost), "do": do})


def strong(here) -> bool:
    return factors_of(user=here.bob.user).strong


def later(here, minutes: int = 31):
    return time_machine.travel(here.now + timedelta(minutes=minutes), tick=False)


def test_a_colleague_confirms_once_the_person_could_object(here):
    lost = checked(here)
    told = letters_to(EMAIL, "lost_factor")[-1]
    assert "Rappel à un numéro déjà connu" in told.body
    assert strong(here), "one clerk was enough"
    with later(here, 29):
        decide(here.client("colleague"), DESK, lost)
        assert strong(here), "the person had no time to object"
    with later(here):
        assert "Confirmer et retirer" in here.client("colleague").get(DESK).content.decode()
        decide(here.client("colleague"), DESK, lost)
        assert not strong(here)
        assert here.bobs.get("/")["Location"].startswith("/connexion/"), "a session went on"
        assert letters_to(EMAIL, "factors_changed")


def test_asks_for_a_one_time_code_where_the_operator_wants_one(here):
    lost = checked(here)
    SecurityPolicy.objects.update(step_up_acts=["factors"])
    with later(here):
        asked = decide(here.client("colleague"), DESK, lost)
        assert asked.status_code != 302 or asked["Location"] != DESK
        assert strong(here), "a stolen session was enough"


def test_never_the_clerk_who_checked_nor_the_person(here):
    lost = checked(here)
    with later(here):
        page = here.client("operateur").get(DESK).content.decode()
        assert "Confirmer et retirer" not in page
        assert decide(here.client("operateur"), DESK, lost).status_code == 403
        Membership.objects.filter(pk=here.bob.pk).update(role="administrator")
        assert decide(here.client("bob"), COMPANY, lost).status_code == 403
        here.olivier = make_member(
            here.acme, "Olivier", email=lost.checked_by.user.email, role="administrator"
        )
        assert decide(here.client("olivier"), COMPANY, lost).status_code == 403
    assert strong(here)


def test_an_administrator_of_the_company_confirms(here):
    lost = checked(here)
    assert COMPANY in letters_to("alice@acme.example", "lost_factor_confirm")[-1].body
    assert list(checks_to_confirm(actor=here.alice, now=here.now)) == [lost]
    with later(here):
        assert COMPANY in here.client("alice").get("/administration/utilisateurs/").content.decode()
        assert decide(here.client("charlie"), COMPANY, lost).status_code == 404
        assert strong(here)
        decide(here.client("alice"), COMPANY, lost)
        assert not strong(here)
        assert not checks_to_confirm(actor=here.alice, now=here.now).exists()


def test_the_person_objects_by_the_link_without_signing_in(here):
    lost = checked(here)
    address = re.search(r"https?://[^/\s]+(/opposition/\S+)", body_of(letters_to(EMAIL, "lost_factor")[-1]))[
        1
    ]
    record = logging.LogRecord("", 0, "", 0, "Conflict: %s", (address,), None)
    assert WithoutLinks().filter(record)
    assert record.getMessage() == "Conflict: /opposition/…"
    visitor = here.visitor()
    assert "m’opposer" in visitor.get(address).content.decode()
    assert LostFactor.objects.get().objected_at is None, "looking objected"
    assert "Votre opposition est enregistrée" in visitor.post(address).content.decode()
    with later(here):
        decide(here.client("colleague"), DESK, lost)
    assert strong(here)
    assert visitor.post(address).status_code == 200
    assert visitor.get("/opposition/x.y/").status_code == 404


@pytest.mark.parametrize("end", ["cancel", "expiry"])
def test_what_is_cancelled_or_too_old_removes_nothing_and_is_recorded_anew(here, end):
    lost = checked(here)
    if end == "cancel":
        decide(here.client("alice"), COMPANY, lost, "cancel")
    with later(here, 73 * 60):
        decide(here.client("colleague"), DESK, lost)
        assert strong(here)
        assert here.client("operateur").post(DESK, FORM).status_code == 302
    assert LostFactor.objects.count() == 2


def test_it_is_read_in_the_history_of_both(here):
    lost = checked(here)
    with later(here):
        decide(here.client("colleague"), DESK, lost)
    for action in ("account.identity_checked", "account.identity_confirmed"):
        events = AuditEvent.objects.filter(action=action)
        assert {one.organisation for one in events} == {here.acme.pk, here.operator.pk}
    page = here.client("alice").get("/administration/historique/").content.decode()
    assert f"Identité de {EMAIL} vérifiée par le gestionnaire de réseau" in page
    assert "Rappel à un numéro déjà connu" in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"email": "personne@acme.example"}, "Personne ne se connecte avec cette adresse."),
        ({"email": "charlie@client-b.example"}, "pas de second facteur"),
        ({"how": ""}, "Ce champ est obligatoire."),
        ({"note": " "}, "Ce champ est obligatoire."),
        ({}, "attend déjà d’être confirmée"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(here, changed, said):
    if not changed:
        checked(here)
    answer = here.client("operateur").post(DESK, {**FORM, **changed})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page.replace("\u00a0", " ")
    assert changed.get("email", EMAIL) in page
    assert LostFactor.objects.count() == (0 if changed else 1)


def test_is_for_the_operators_clerks_and_the_companys_administrators(here):
    assert here.client("alice").get(DESK).status_code == 403
    assert here.client("bob").get(COMPANY).status_code == 403


def test_who_acts_for_theirs_only_since_the_check_is_no_second_person(here):
    """A clerk makes another, an administrator of the company, or the person act for a company of an accomplice."""
    lost = checked(here)
    later_on = lost.created_at + timedelta(minutes=1)
    here.odile2 = make_member(here.operator, "Autre", email="autre@reseau.example", role="administrator")
    here.new = make_member(here.acme, "Nouveau", email="nouveau@acme.example", role="administrator")
    of_b = make_member(here.client_b, "Bob", email=EMAIL)
    Membership.objects.filter(pk__in=[here.odile2.pk, here.new.pk, of_b.pk]).update(created_at=later_on)
    with later(here):
        for who, address in (("odile2", DESK), ("new", COMPANY)):
            assert "Confirmer et retirer" not in here.client(who).get(address).content.decode()
            assert decide(here.client(who), address, lost).status_code == 403
            actor = Membership.objects.get(pk=getattr(here, who).pk)
            assert not checks_to_confirm(actor=actor, now=lost.confirmable_at).exists()
        assert EMAIL not in here.client("charlie").get(COMPANY).content.decode()
        assert decide(here.client("charlie"), COMPANY, lost).status_code == 404
    assert strong(here)


def test_who_was_made_an_administrator_since_the_check_is_no_second_person(here):
    """A clerk, or a colleague who administers, can raise an accomplice who acted for the company all along."""
    here.carole = make_member(here.acme, "Carole", email="carole@acme.example")
    lost = checked(here)
    with later(here, 10):
        read_and_confirmed(
            here.client("alice"),
            f"/administration/utilisateurs/{handle(here.carole)}/",
            {"role": "administrator", "external": ""},
        )
    with later(here):
        page = here.client("carole").get(COMPANY).content.decode()
        assert EMAIL in page, "an administrator sees the check"
        assert "Confirmer et retirer" not in page
        assert decide(here.client("carole"), COMPANY, lost).status_code == 403
        assert strong(here)
        decide(here.client("alice"), COMPANY, lost)
        assert not strong(here)


def test_a_person_made_an_administrator_since_the_check_is_checked_anew(here):
    """Who they are was made sure of for what they could do then."""
    lost = checked(here)
    with later(here, 10):
        read_and_confirmed(
            here.client("alice"),
            f"/administration/utilisateurs/{handle(here.bob)}/",
            {"role": "administrator", "external": ""},
        )
    with later(here):
        page = here.client("colleague").get(DESK).content.decode()
        assert "Confirmer et retirer" not in page
        assert "cette personne peut davantage : annulez-la, vérifiez de nouveau" in page.replace(
            "\u00a0", " "
        )
        for who, address in (("colleague", DESK), ("alice", COMPANY)):
            assert decide(here.client(who), address, lost).status_code == 403
        assert strong(here)
        decide(here.client("colleague"), DESK, lost, "cancel")
        anew = here.client("operateur").post(DESK, FORM)
        assert anew.status_code == 302
    with later(here, 62):
        decide(here.client("colleague"), DESK, LostFactor.objects.latest("pk"))
        assert not strong(here)


def test_what_the_clerk_noted_is_read_by_the_operator_only(here):
    checked(here)
    assert "04 78 00 00 00" in here.client("colleague").get(DESK).content.decode()
    for address in (COMPANY, "/administration/historique/"):
        page = here.client("alice").get(address).content.decode()
        assert "Rappel à un numéro déjà connu" in page
        assert "04 78 00 00 00" not in page


@pytest.mark.parametrize("gone", ["membership", "account"])
def test_the_check_of_a_clerk_who_left_is_not_confirmed(here, gone):
    lost = checked(here)
    if gone == "membership":
        Membership.objects.filter(pk=lost.checked_by_id).update(ended_at=here.now)
    else:
        type(here.bob.user).objects.filter(pk=lost.checked_by.user_id).update(is_active=False)
    with later(here):
        page = here.client("colleague").get(DESK).content.decode()
        assert "Confirmer et retirer" not in page
        assert "n’agit plus pour le gestionnaire" in page
        assert decide(here.client("colleague"), DESK, lost).status_code == 403
        assert decide(here.client("alice"), COMPANY, lost).status_code == 403
    assert strong(here)


@pytest.mark.parametrize(("days", "enough"), [(1, False), (31, True)])
def test_after_an_objection_an_administrator_confirms(here, days, enough):
    first = checked(here)
    object_to(token=token_of(first), now=first.created_at + timedelta(minutes=1))
    with time_machine.travel(here.now + timedelta(days=days), tick=False):
        here.client("operateur").post(DESK, FORM)
        lost = LostFactor.objects.latest("pk")
        assert lost.objected_at is None
    with time_machine.travel(here.now + timedelta(days=days, minutes=31), tick=False):
        page = here.client("colleague").get(DESK).content.decode()
        assert ("Confirmer et retirer" in page) is enough
        assert ("s’est opposée à une vérification précédente" in page) is not enough
        decide(here.client("colleague"), DESK, lost)
        assert strong(here) is not enough
        if not enough:
            Membership.objects.filter(pk=here.colleague.pk).update(
                role="administrator", administrator_since=here.now
            )
            decide(here.client("colleague"), DESK, lost)
            assert not strong(here)
