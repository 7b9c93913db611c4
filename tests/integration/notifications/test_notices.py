"""What people are told, in which language, and who is."""

import re
from datetime import date, timedelta

import pytest

from gridgate.core.quantities import Kind
from gridgate.core.sharing import LegalBasis
from gridgate.metering.models import TitleHolding
from gridgate.metering.operations.collections import set_collection
from gridgate.metering.operations.titles import close_holding
from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations.operations.members import end_membership
from gridgate.sharing.models import DataService, Permission, Receipt
from gridgate.sharing.operations.ending import expire_due, revoke_company, revoke_permission, terminate
from gridgate.sharing.operations.granting import grant, subscribe
from gridgate.sharing.operations.pausing import resume, suspend
from gridgate.sharing.operations.requesting import refuse_request, request_permission
from gridgate.sharing.receipts.completing import complete, complete_awaited
from gridgate.sharing.receipts.keys import public_jwks, verify
from gridgate.sharing.signing import Valid
from tests.factories.organisations import make_member
from tests.factories.sharing import make_service
from tests.world import NOW, World


@pytest.fixture
def service(world: World) -> DataService:
    return make_service(world.third_party_1, kinds=(Kind.LOAD_CURVE, Kind.DAILY_ENERGY))


def give(world: World, service: DataService, *points: str) -> Permission:
    permission = subscribe(
        actor=world.alice, service=service, points=list(points) or None, now=world.now - timedelta(days=10)
    )
    OutgoingEmail.objects.all().delete()
    return permission


def told() -> dict[str, OutgoingEmail]:
    """What each was told last; what ended, with its receipt."""
    complete_awaited(now=NOW)
    tasks.write_letters(now=NOW)
    return {email.recipient: email for email in OutgoingEmail.objects.all()}


ALICE, BOB, TIPHAINE = "alice@acme.example", "bob@acme.example", "dev@tiers-1.example"


def test_an_end_is_told_to_both_sides_with_the_receipt(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    receipt = complete(
        revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now), now=world.now
    )
    emails = told()
    assert set(emails) == {ALICE, BOB, TIPHAINE}
    for email in emails.values():
        assert email.subject == "ACME Industries ne partage plus avec Tiers 1"
        assert "Alice, pour ACME Industries, a résilié le partage avec Tiers 1." in email.body
        assert "Effet\u00a0: 25\u00a0novembre 2026 à\u00a010:30:00." in email.body
        assert "- Suivi de consommation, 1 compteur\n" in email.body
        assert "Réseau Démo" in email.body
        assert email.attachment_name == f"{receipt.number}.jws"
        assert verify(email.attachment) == Valid(receipt.payload, public_jwks()["keys"][0]["kid"])
    assert "/partage/222333445/" in emails[ALICE].body
    assert "Effacez les données" in emails[TIPHAINE].body
    assert "Effacez les données" not in emails[ALICE].body


def test_each_reads_in_their_own_language(world: World, service: DataService) -> None:
    world.tiers1.user.language = "en"
    world.tiers1.user.save()
    give(world, service)
    law = make_service(
        world.third_party_1, "Comptage", legal_basis=LegalBasis.LEGAL_OBLIGATION, offered=False
    )
    grant(service=law, holder=world.acme, points=None, reason="", now=world.now)
    OutgoingEmail.objects.all().delete()
    revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    english, french = told()[TIPHAINE], told()[ALICE]
    assert (english.language, english.subject) == ("en", "ACME Industries no longer shares with Tiers 1")
    assert "- Suivi de consommation (en), all meters" in english.body
    assert (
        "What stays, and the holder cannot end:\n- Comptage (en) (French energy code, article L. 322-8)"
        in english.body
    )
    assert "Effective: 25\u00a0November 2026 at\u00a010:30:00." in english.body
    assert french.language == "fr"
    assert "- Comptage (Code de l’énergie, article L. 322-8)" in french.body
    assert not re.search(r"[éèàêç]", english.body.replace("Réseau Démo", ""))


def test_a_restricted_member_is_told_of_points_they_see_only(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk, world.p3.pk)
    revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
    assert set(told()) == {ALICE, TIPHAINE}


def test_who_left_or_may_not_manage_the_services_is_not_told(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    end_membership(membership=world.bob, now=world.now)
    world.tiers1.user.is_active = False
    world.tiers1.user.save()
    revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
    assert set(told()) == {ALICE, "contact@tiers-1.example"}  # the company, when nobody is there


def test_a_company_without_anyone_nor_address_is_not_told(world: World) -> None:
    world.third_party_2.contact_email = ""
    world.third_party_2.save()
    permission = give(world, make_service(world.third_party_2), world.p3.pk)
    revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
    assert set(told()) == {ALICE}


def test_every_way_to_end_has_its_words(world: World, service: DataService) -> None:
    curve = make_service(world.third_party_1, "Courbe")
    on_p2 = give(world, service, world.p2.pk)
    give(world, curve, world.p4.pk)
    two = give(world, service, world.p1.pk, world.p3.pk)
    terminate(actor=world.tiers1, permission_id=on_p2.pk, reason="Service fermé", now=world.now)
    assert "Tiers 1 a mis fin au partage accordé par ACME Industries" in told()[ALICE].body
    assert "Motif\u00a0: Service fermé" in told()[ALICE].body
    OutgoingEmail.objects.all().delete()
    set_collection(actor=world.alice, points=[world.p4.pk], state="opposed", now=world.now)
    assert "s’oppose à la collecte" in told()[TIPHAINE].body
    OutgoingEmail.objects.all().delete()
    close_holding(
        holding=TitleHolding.objects.get(metering_point=world.p3.pk), valid_to=world.now.date(), now=world.now
    )
    assert told()[TIPHAINE].subject == "ACME Industries partage moins avec Tiers 1"
    assert "n’est plus titulaire" in told()[TIPHAINE].body
    assert "1 compteur\n" in told()[TIPHAINE].body
    assert f"{world.p3.pk}, quitté le" in told()[TIPHAINE].body
    assert "continue pour 1 autre compteur." in told()[TIPHAINE].body
    OutgoingEmail.objects.all().delete()
    assert two.valid_until is not None
    expire_due(now=two.valid_until)
    assert "est arrivé à son terme" in told()[ALICE].body


def test_a_permission_is_told_when_it_begins_stops_and_goes_on(world: World, service: DataService) -> None:
    permission = subscribe(actor=world.alice, service=service, points=[world.p1.pk], now=world.now)
    assert told()[TIPHAINE].subject == "ACME Industries partage ses données avec Tiers 1"
    body = told()[ALICE].body
    for words in (
        "Service\u00a0: Suivi de consommation",
        "Finalité\u00a0: Suivre la consommation",
        "Compteurs\u00a0: 1",
        "Données lues à partir du\u00a0: 25\u00a0novembre 2026",
        "Jusqu’au\u00a0: 24\u00a0novembre 2027",  # the last day; it ends at the midnight after it
        "Vous pouvez y mettre fin à tout moment\u00a0:\nhttp://127.0.0.1:8000/partage/222333445/",
    ):
        assert words in body
    assert "/partage/recues/" in told()[TIPHAINE].body
    OutgoingEmail.objects.all().delete()
    for act, subject in ((suspend, "est suspendu"), (resume, "reprend"), (suspend, "est suspendu")):
        act(actor=world.operateur, permission_id=permission.pk, reason="", now=world.now)
        assert told()[ALICE].subject == f"Le partage avec Tiers 1 {subject}"
        OutgoingEmail.objects.all().delete()


def test_what_has_no_end_and_cannot_be_ended_says_so(world: World) -> None:
    law = make_service(world.operator, legal_basis=LegalBasis.PUBLIC_TASK, offered=False, duration_months=0)
    grant(service=law, holder=world.acme, points=None, reason="", now=world.now)
    body = told()[ALICE].body
    assert "Jusqu’à\u00a0: la fin de la titularité" in body
    assert "Compteurs\u00a0: tous, présents et à venir" in body
    assert "mettre fin" not in body


def test_a_request_goes_to_the_holder_and_a_refusal_to_who_asked(world: World, service: DataService) -> None:
    request = request_permission(
        requester=world.tiers1,
        service=service,
        holder=world.acme,
        points=[world.p1.pk],
        valid_until=date(2027, 3, 31),
        message="Bonjour & <merci>",
        now=world.now,
    )
    assert set(told()) == {ALICE, BOB}
    assert told()[ALICE].subject == "Tiers 1 demande à lire vos données"
    assert "Jusqu’au\u00a0: 31\u00a0mars 2027\nMessage\u00a0: Bonjour & <merci>" in told()[ALICE].body
    assert f"/partage/demandes/{request.pk}/" in told()[ALICE].body
    OutgoingEmail.objects.all().delete()
    refuse_request(actor=world.alice, request_id=request.pk, now=world.now)
    assert set(told()) == {TIPHAINE}
    assert told()[TIPHAINE].subject == "ACME Industries a refusé votre demande"


def test_a_request_for_all_points_is_not_for_a_restricted_member(world: World, service: DataService) -> None:
    request_permission(
        requester=world.tiers1,
        service=service,
        holder=world.acme,
        points=None,
        valid_until=date(2027, 3, 31),
        now=world.now,
    )
    assert set(told()) == {ALICE}
    assert "tous, présents et à venir" in told()[ALICE].body


def test_what_rolls_back_tells_nobody(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    world.tiers1.organisation.legal_name = "x"
    with pytest.raises(ZeroDivisionError):
        _revoke_and_fail(world, permission)
    assert not OutgoingEmail.objects.exists()
    assert not Receipt.objects.exists()


def _revoke_and_fail(world: World, permission: Permission) -> None:
    from django.db import transaction

    with transaction.atomic():
        revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
        raise ZeroDivisionError


# --- reminders


def test_an_end_to_come_is_told_60_30_and_7_days_before_once_each(world: World, service: DataService) -> None:
    give(world, service, world.p1.pk)  # its last day is 2027-11-14
    last_day = date(2027, 11, 14)
    sent: dict[int, int] = {}
    for before in (70, 61, 60, 59, 45, 31, 30, 29, 8, 7, 6, 1, 0, -1, -2):
        now = world.now.replace(year=2027) + (last_day - date(2027, 11, 25)) - timedelta(days=before)
        for _ in range(2):
            new = tasks.remind(now=now)
            if new:
                sent[before] = new
    assert sent == {60: 3, 30: 3, 7: 3}  # Alice, Bob, Tiphaine
    email = OutgoingEmail.objects.filter(recipient=ALICE).first()
    assert email is not None
    assert email.subject == "Le partage avec Tiers 1 prend fin après le 14\u00a0novembre 2027"
    assert "Pour la prolonger" in email.body


def test_a_worker_that_slept_reminds_late_rather_than_never_and_once(
    world: World, service: DataService
) -> None:
    give(world, service, world.p3.pk)
    assert tasks.remind(now=world.now + timedelta(days=334)) == 2
    assert tasks.remind(now=world.now + timedelta(days=335)) == 0


def test_no_reminder_of_a_moment_before_it_began(world: World, service: DataService) -> None:
    subscribe(
        actor=world.alice,
        service=service,
        points=None,
        valid_until=world.now + timedelta(days=20),
        now=world.now,
    )
    OutgoingEmail.objects.all().delete()
    assert tasks.remind(now=world.now) == 0
    assert tasks.remind(now=world.now + timedelta(days=14)) == 2


def test_what_ended_or_has_no_end_is_not_reminded_of(world: World, service: DataService) -> None:
    endless = make_service(world.third_party_1, duration_months=0)
    give(world, endless)
    permission = give(world, service, world.p1.pk)
    revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
    assert tasks.remind(now=world.now + timedelta(days=340)) == 0


def test_a_new_member_hears_of_what_comes_next(world: World, service: DataService) -> None:
    give(world, service)
    assert tasks.remind(now=world.now + timedelta(days=300)) == 2
    make_member(world.acme, "Nadia", role="administrator", email="nadia@acme.example")
    assert tasks.remind(now=world.now + timedelta(days=350)) == 3
