"""Who is told of each step of a request to the operator, whatever its kind, and in which language."""

import re

import pytest

from gridgate.eic.kind import EIC
from gridgate.eic.models import EicRequest
from gridgate.eic.operations.issuing import accept_eic_request
from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.operations.members import end_membership
from gridgate.requests.operations.life import (
    refuse_request,
    return_request,
    take,
    withdraw_request,
)
from tests.factories.eic import make_account, make_request, send
from tests.factories.organisations import make_group
from tests.world import NOW, World

ALICE, AGATHE = "alice@acme.example", "agathe@acme.example"
DESK = "contact@rseau-dmo.example"


@pytest.fixture
def request_(world: World) -> EicRequest:
    """Sent by Alice; what was told of it is read and gone."""
    request = make_request(world.alice)
    told()
    OutgoingEmail.objects.all().delete()
    return request


def told() -> dict[str, OutgoingEmail]:
    tasks.write_letters(now=NOW)
    return {email.recipient: email for email in OutgoingEmail.objects.all()}


def plain(email: OutgoingEmail) -> str:
    return email.body.replace("\u00a0", " ").replace("\u202f", " ")


def test_a_request_that_arrives_is_acknowledged_and_told_to_the_desk_once(world: World) -> None:
    request = make_request(world.alice)
    letters = told()
    assert set(letters) == {ALICE, DESK}
    assert letters[ALICE].subject == f"Votre demande {request.number} est reçue"
    assert "Réponse attendue au plus tard le 30 novembre 2026." in plain(letters[ALICE])
    assert f"/eic/{request.number}/" in letters[ALICE].body
    assert letters[DESK].subject == f"À traiter\u00a0: demande {request.number}, code EIC"
    assert "ACME Industries (SIREN 111222337) a envoyé la demande" in plain(letters[DESK])
    assert "À décider au plus tard le 30 novembre 2026." in plain(letters[DESK])
    assert OutgoingEmail.objects.count() == 2


def test_the_staff_are_told_when_the_operator_has_no_address(world: World) -> None:
    world.operator.contact_email = ""
    world.operator.save()
    make_request(world.alice)
    assert set(told()) == {ALICE, "olivier@reseau-demo.example"}


def test_the_members_who_may_make_requests_are_told_and_whoever_asked(
    world: World, request_: EicRequest
) -> None:
    make_group(world.acme, "Démarches", [world.acme_user], {EntitlementCode.REQUESTS: None})
    return_request(EIC, request_, reason="Quel marché ?", actor=world.operateur, now=world.now)
    letters = told()
    assert set(letters) == {ALICE, AGATHE}  # Bob may not, and did not ask
    assert letters[AGATHE].subject == f"Votre demande {request_.number} est à compléter"
    assert "\nQuel marché ?\n" in letters[AGATHE].body


def test_who_left_the_company_is_told_no_more(world: World) -> None:
    make_group(world.acme, "Démarches", [world.acme_user], {EntitlementCode.REQUESTS: None})
    request = make_request(world.membership("acme_user"))
    OutgoingEmail.objects.all().delete()
    end_membership(membership=world.acme_user, now=world.now)
    return_request(EIC, request, reason="Quel marché ?", actor=world.operateur, now=world.now)
    assert set(told()) == {ALICE}


def test_accepted_brings_the_code(world: World, request_: EicRequest) -> None:
    accepted = accept_eic_request(request=request_, body="ACME-ENERGIE", actor=world.operateur, now=world.now)
    letter = told()[ALICE]
    assert accepted.code is not None
    assert letter.subject == f"Votre demande {request_.number} est acceptée"
    assert f"Code attribué : {accepted.code.pk}\nNom : ACME-ENERGIE, ACME Énergie" in plain(letter)


def test_refused_says_why(world: World, request_: EicRequest) -> None:
    refuse_request(EIC, request_, reason="Ce point a déjà un PRM.", actor=world.operateur, now=world.now)
    assert "\nCe point a déjà un PRM.\n" in told()[ALICE].body


def test_taking_and_withdrawing_tell_nobody(world: World, request_: EicRequest) -> None:
    take(EIC, request_, actor=world.operateur, now=world.now)
    withdraw_request(EIC, request_, user=world.alice.user, actor=world.alice, now=world.now)
    assert told() == {}


def test_each_time_a_step_comes_again_it_is_told_again(world: World, request_: EicRequest) -> None:
    for _round in range(2):
        return_request(EIC, request_, reason="Encore un mot ?", actor=world.operateur, now=world.now)
        send(request_, world.alice)
    told()
    subjects = [email.subject for email in OutgoingEmail.objects.filter(recipient=ALICE)]
    assert len(subjects) == 4
    assert OutgoingEmail.objects.filter(recipient=DESK).count() == 2


def test_each_reads_in_their_language(world: World, request_: EicRequest) -> None:
    world.alice.user.language = "en"
    world.alice.user.save()
    accept_eic_request(request=request_, body="ACME-ENERGIE", actor=world.operateur, now=world.now)
    letter = told()[ALICE]
    assert (letter.language, letter.subject) == ("en", f"Your request {request_.number} is accepted")
    assert "Code issued: 17XACME-ENERGIE" in letter.body
    said = letter.body.replace("Réseau Démo", "").replace("ACME Énergie", "")
    assert not re.search(r"[éèàêçÉ]", said)


def test_a_person_without_a_company_is_told_alone(world: World) -> None:
    request = make_request(None, user=make_account())
    letters = told()
    assert set(letters) == {"sans-entreprise@example.org", DESK}
    assert "Sans entreprise, sans entreprise sur le portail, a envoyé" in plain(letters[DESK])
    assert f"a reçu votre demande {request.number} (code EIC)" in plain(
        letters["sans-entreprise@example.org"]
    )
