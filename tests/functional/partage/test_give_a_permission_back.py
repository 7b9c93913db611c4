"""The third party's side: what it received, and *Mettre fin*."""

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.core.sharing import PermissionState
from gridgate.sharing.models import Permission, Receipt
from gridgate.sharing.operations.ending import revoke_company
from tests.factories.metering import make_held_point
from tests.factories.organisations import make_organisation
from tests.factories.sharing import make_permission
from tests.functional.partage.test_who_reads_our_data import text_of


def test_a_third_party_sees_what_it_was_given(sharing):
    page = text_of(sharing.client("tiers1").get("/partage/recues/"))
    for said in (
        "ACME Industries SIREN 111 222 337",
        "Suivi",
        "25 nov. 2026",
        "24 nov. 2027",
        "Actif",
        "Mettre fin",
    ):
        assert said in page
    assert "Pilotage" not in page


def test_the_page_has_one_name_and_stands_in_the_menu_of_those_who_may_ask(sharing):
    page = sharing.client("tiers1").get("/partage/recues/").content.decode()
    assert "Ce que vous recevez" not in page
    for said in ("<title>Autorisations reçues", "<h1>Autorisations reçues</h1>"):
        assert said in page
    assert re.search(r'<a href="/partage/recues/" aria-current="page">.*Autorisations reçues', page)
    sharing.acme.roles = ["consumer"]
    sharing.acme.save(update_fields=["roles"])
    home = sharing.client("alice").get("/partage/").content.decode()
    assert home.count("Autorisations reçues") == 1  # beside the page, not in the menu


def test_nothing_received_says_what_will_be_here(sharing):
    page = text_of(sharing.client("charlie").get("/partage/recues/"))
    assert "Aucune entreprise ne partage ses données avec vous" in page


def test_the_list_narrows_by_holder_and_by_state(sharing):
    other = make_organisation("Zéphyr Énergie")
    make_permission(sharing.suivi, other, points=[make_held_point(other)], now=sharing.now)
    revoke_company(actor=sharing.alice, company=sharing.third_party_1, now=sharing.now)
    client = sharing.client("tiers1")
    found = text_of(client.get("/partage/recues/?q=zéphyr"))
    assert "Zéphyr Énergie" in found
    assert "ACME Industries" not in found
    assert "1 sur 2" in found
    assert "Résilié par ACME Industries" in text_of(client.get("/partage/recues/?state=ended"))
    assert "ACME Industries" not in text_of(client.get("/partage/recues/?state=in_force"))
    assert "Aucune autorisation ne correspond" in text_of(client.get("/partage/recues/?q=personne"))


def test_giving_back_takes_a_page_and_a_press(sharing):
    client = sharing.client("tiers1")
    address = f"/partage/recues/{sharing.one.pk}/mettre-fin/"
    page = text_of(client.get(address))
    assert "ACME Industries : ne plus lire ses données ?" in page
    assert Permission.objects.get(pk=sharing.one.pk).state == PermissionState.ACTIVE
    response = client.post(address, {"reason": "Le contrat est terminé"}, follow=True)
    receipt = Receipt.objects.get()
    assert Permission.objects.get(pk=sharing.one.pk).state == PermissionState.TERMINATED
    assert receipt.number in text_of(response)
    assert "Le contrat est terminé" in text_of(response)
    again = client.post(address, {"reason": ""})
    assert again["Location"] == f"/partage/recus/{receipt.number}/"
    assert client.get(address)["Location"] == f"/partage/recus/{receipt.number}/"


@pytest.mark.parametrize("name", ["alice", "charlie"])
def test_only_the_one_who_received_gives_back(sharing, name):
    for permission in (sharing.one.pk, uuid4()):
        address = f"/partage/recues/{permission}/mettre-fin/"
        assert sharing.client(name).get(address).status_code == 404
        assert sharing.client(name).post(address, {"reason": ""}).status_code == 404


def test_the_list_asks_the_registry_as_often_for_twice_as_much(sharing):
    client = sharing.client("tiers1")

    def statements():
        with CaptureQueriesContext(connection) as captured:
            client.get("/partage/recues/")
        return len(captured)

    make_permission(sharing.suivi, make_organisation("Premier"), now=sharing.now)
    statements()
    before = statements()
    for number in range(4):
        other = make_organisation(f"Titulaire {number}")
        make_permission(sharing.suivi, other, points=[make_held_point(other)], now=sharing.now)
        make_permission(sharing.suivi, other, now=sharing.now)
    assert statements() == before
