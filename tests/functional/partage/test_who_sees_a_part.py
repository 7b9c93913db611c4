"""A member restricted to a perimeter: what covers more is said to, and nothing of the rest is shown."""

import csv
from datetime import date

import pytest

from gridgate.metering.operations.titles import close_holding
from gridgate.sharing.models import Receipt
from gridgate.sharing.operations.ending import revoke_company, revoke_permission
from gridgate.sharing.operations.granting import subscribe
from gridgate.sharing.operations.requesting import request_permission
from gridgate.sharing.receipts.completing import complete
from tests.factories.organisations import make_group, make_member
from tests.factories.sharing import make_service
from tests.functional.partage.test_who_reads_our_data import text_of, tile_of, words


@pytest.fixture
def everything(sharing):
    """Tiers 3 reads all points, now and later."""
    service = make_service(sharing.third_party_3, "Audit", code="audit")
    return subscribe(actor=sharing.alice, service=service, points=None, now=sharing.now)


def test_all_is_not_said_over_a_part(sharing, everything):
    client = sharing.client("bob")
    for at in ("/partage/", "/partage/444555668/", "/services/", "/services/audit/"):
        page = text_of(client.get(at))
        assert "Tous vos compteurs" not in page
        assert ", tous, présents et à venir" not in page
    page = text_of(client.get("/partage/444555668/"))
    assert "tous ceux de l’entreprise, présents et à venir, dont 2 que vous voyez" in page
    assert "2 que vous voyez, sur tous ceux de l’entreprise" in text_of(client.get("/services/"))
    assert "2 de votre périmètre, et d’autres que vous ne voyez pas" in words(
        tile_of(client.get("/partage/"), "Tiers 3")
    )
    assert "4, tous, présents et à venir" in text_of(sharing.client("alice").get("/partage/444555668/"))


def test_what_the_law_gives_covers_more_than_the_perimeter_too(sharing):
    page = text_of(sharing.client("bob").get("/partage/100000009/"))
    assert "tous ceux de l’entreprise, présents et à venir, dont 2 que vous voyez" in page


def test_how_many_a_permission_covers_is_said_and_not_which(sharing):
    page = text_of(sharing.client("bob").get("/partage/333444552/"))
    assert "Compteurs 2, dont 1 que vous voyez" in page
    assert "Lyon Gerland, bureaux" not in page
    assert sharing.p3.pk not in sharing.client("bob").get("/partage/333444552/").content.decode()
    assert "Les lectures comptées sont celles des compteurs que vous voyez." in page
    assert "lectures comptées" not in text_of(sharing.client("bob").get("/partage/222333445/"))


def test_the_export_has_both_numbers(sharing, everything):
    def rows(name):
        content = b"".join(sharing.client(name).get("/partage/export.csv").streaming_content).decode()
        lines = csv.DictReader(content.removeprefix("\ufeff").splitlines(), delimiter=";")
        return {row["Entreprise"]: (row["Compteurs"], row["Dont vous voyez"]) for row in lines}

    assert rows("bob") == {
        "Réseau Démo": ("4", "2"),
        "Tiers 1": ("2", "2"),
        "Tiers 2": ("2", "1"),
        "Tiers 3": ("4", "2"),
    }
    assert rows("alice")["Tiers 2"] == ("2", "2")


def test_nobody_reads_is_said_of_what_one_sees(world):
    service = make_service(world.third_party_1)
    subscribe(actor=world.alice, service=service, points=[world.p3.pk], now=world.now)
    page = text_of(world.client("bob").get("/partage/"))
    assert "Aucune entreprise n’est autorisée à lire les compteurs que vous voyez" in page
    assert "à lire vos données" not in page


def test_no_longer_reads_is_said_of_what_one_sees(sharing):
    subscribe(actor=sharing.alice, service=sharing.suivi, points=[sharing.p3.pk], now=sharing.now)
    bob = sharing.client("bob")
    revoke_permission(actor=sharing.bob, permission_id=sharing.one.pk, now=sharing.now)
    page = text_of(bob.get("/partage/222333445/"))
    assert "Cette entreprise n’a plus accès aux compteurs que vous voyez." in page
    assert "accès à vos données" not in page


def test_what_one_cannot_answer_does_not_wait_for_ones_answer(world):
    for points in ([world.p1.pk], [world.p1.pk, world.p3.pk]):
        request_permission(
            requester=world.tiers1,
            service=make_service(world.third_party_1, "Devis"),
            holder=world.acme,
            points=points,
            valid_until=date(2027, 5, 31),
            now=world.now,
        )
    assert "1 demande en attente" in text_of(world.client("bob").get("/partage/"))
    assert "2 demandes en attente" in text_of(world.client("alice").get("/partage/"))


def test_a_third_partys_restricted_member_sees_how_many_of_how_many(sharing):
    member = make_member(sharing.third_party_1, "Tess")
    make_group(sharing.third_party_1, "Lyon", [member], {"data_services": [sharing.p1.pk]})
    client = sharing.visitor()
    client.force_login(member.user)
    session = client.session
    session["membership"] = member.pk
    session.save()
    assert "2, dont 1 que vous voyez" in text_of(client.get("/partage/recues/"))
    assert "2, dont 1" not in text_of(sharing.client("tiers1").get("/partage/recues/"))


def test_a_receipt_of_points_that_one_did_not_see_is_not_ones_own(sharing):
    """The permission has lost the other's point: what is left of it is within the perimeter, its receipt is not."""
    mixed = subscribe(
        actor=sharing.alice,
        service=make_service(sharing.third_party_3),
        points=[sharing.p1.pk, sharing.p4.pk],
        now=sharing.now,
    )
    close_holding(holding=sharing.p4.holdings.get(), valid_to=date(2026, 11, 25), now=sharing.now)
    awaited = Receipt.objects.get(permissions=mixed)
    assert sharing.client("bob").get(f"/partage/recus/{awaited.number}/").status_code == 404
    receipt = complete(awaited, now=sharing.now)
    assert sharing.p4.pk in str(receipt.payload)
    for at in (f"/partage/recus/{receipt.number}/", f"/partage/recus/{receipt.number}.jws"):
        assert sharing.client("bob").get(at).status_code == 404
    assert sharing.client("alice").get(f"/partage/recus/{receipt.number}/").status_code == 200
    mine = revoke_company(actor=sharing.bob, company=sharing.third_party_3, now=sharing.now)
    assert sharing.client("bob").get(f"/partage/recus/{mine.number}/").status_code == 200


def test_the_journal_and_the_collection_say_that_they_are_of_a_part(sharing):
    client = sharing.client("bob")
    page = text_of(client.get("/journal/"))
    assert "Vous voyez ce qui touche les compteurs de votre périmètre." in page
    assert "Aucune lecture par une autre entreprise, des compteurs que vous voyez, au journal" in page
    assert "Vous voyez les compteurs de votre périmètre." in text_of(client.get("/collecte/"))
    for at in ("/journal/", "/collecte/"):
        assert "Vous voyez" not in text_of(sharing.client("alice").get(at))
