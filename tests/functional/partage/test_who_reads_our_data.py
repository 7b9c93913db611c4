"""*Gérer le partage*: one tile a company, and the page of one company."""

import csv
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.core.sharing import LegalBasis, PermissionState
from gridgate.sharing.models import Permission
from gridgate.sharing.operations.ending import revoke_company
from gridgate.sharing.operations.granting import grant, subscribe
from tests.factories.audit import make_reads
from tests.factories.metering import make_held_point
from tests.factories.organisations import make_organisation
from tests.factories.sharing import make_permission, make_service
from tests.handles import handle


def text_of(response):
    """The page's words, on one line each, with plain spaces."""
    bare = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"[\s\u00a0\u202f]+", " ", bare)


def tile_of(response, name):
    page = response.content.decode()
    tiles = re.findall(r'<article class="tile.*?</article>', page, flags=re.S)
    return next(tile for tile in tiles if f">{name}</a>" in tile)


def words(html):
    return re.sub(r"[\s\u00a0\u202f]+", " ", re.sub(r"<[^>]+>", " ", html))


class TestTheTiles:
    def test_there_is_one_for_each_company_the_operator_first(self, sharing):
        page = sharing.client("alice").get("/partage/").content.decode()
        assert re.findall(r'<h3 id="t-(\d+)">', page) == ["100000009", "222333445", "333444552"]

    def test_a_tile_says_what_which_points_since_and_until_when(self, sharing):
        tile = words(tile_of(sharing.client("alice").get("/partage/"), "Tiers 1"))
        for said in (
            "SIREN 222 333 445",
            "Actif",
            "Suivre la consommation",
            "Courbe de charge",
            "2 sur 4",
            "le 25 novembre 2026",
            "24 novembre 2027",
            "0 lecture sur 30 jours",
            "Aucune lecture au journal",
        ):
            assert said in tile

    def test_what_rests_on_the_law_says_why_and_whom_to_ask_and_has_no_button(self, sharing):
        tile = tile_of(sharing.client("alice").get("/partage/"), "Réseau Démo")
        assert "Non résiliable" in tile
        assert "Code de l’énergie" in tile
        assert f"mailto:{sharing.operator.contact_email}" in tile
        assert "/resilier/" not in tile

    def test_a_company_with_both_kinds_shows_both(self, sharing):
        law = make_service(sharing.third_party_1, "Contrôle", legal_basis=LegalBasis.LEGAL_OBLIGATION)
        grant(service=law, holder=sharing.acme, points=None, reason="", now=sharing.now)
        tile = tile_of(sharing.client("alice").get("/partage/"), "Tiers 1")
        assert "Contrôle</b>, non résiliable" in tile
        assert "/partage/222333445/resilier/" in tile

    def test_an_end_that_comes_soon_is_told_with_the_way_to_prolong(self, sharing):
        Permission.objects.filter(pk=sharing.one.pk).update(valid_until=sharing.now + timedelta(days=23))
        tile = tile_of(sharing.client("alice").get("/partage/"), "Tiers 1")
        assert "Expire dans 23 jours" in words(tile)
        assert f"/partage/autorisations/{sharing.one.pk}/prolonger/" in tile

    def test_reads_are_counted_and_the_unusual_day_stands_out(self, sharing):
        for days in range(1, 11):
            make_reads(
                sharing.third_party_1,
                sharing.p1,
                sharing.acme,
                at=sharing.now - timedelta(days=days),
                times=4,
            )
        make_reads(
            sharing.third_party_1, sharing.p1, sharing.acme, at=sharing.now - timedelta(hours=3), times=48
        )
        page = sharing.client("alice").get("/partage/")
        tile = words(tile_of(page, "Tiers 1"))
        assert "88 lectures sur 30 jours" in tile
        assert "12 fois plus de lectures que d’habitude aujourd’hui, 25 novembre" in tile
        assert "Dernière lecture : aujourd’hui à 07:30" in tile
        assert "Lectures, 30 jours 88" in text_of(page)

    def test_english_is_complete(self, sharing):
        page = text_of(sharing.client("alice", language="en").get("/partage/"))
        for said in ("Manage the sharing of your data", "2 of 4", "Cannot be ended", "End sharing"):
            assert said in page
        assert "Résilier" not in page

    def test_nobody_reading_says_what_will_be_here(self, world):
        page = text_of(world.client("charlie").get("/partage/"))
        assert "Aucune entreprise n’est autorisée à lire vos données" in page
        assert "Voir les services proposés" in page


class TestARestrictedMember:
    def test_sees_what_touches_their_perimeter_counted_within_it(self, sharing):
        page = sharing.client("bob").get("/partage/")
        assert "2 sur les 2 de votre périmètre" in words(tile_of(page, "Tiers 1"))
        assert "1 de votre périmètre, et d’autres que vous ne voyez pas" in words(tile_of(page, "Tiers 2"))

    def test_finds_the_reason_where_the_button_would_be(self, sharing):
        page = sharing.client("bob").get("/partage/")
        assert "/partage/222333445/resilier/" in tile_of(page, "Tiers 1")
        tile = tile_of(page, "Tiers 2")
        assert "/resilier/" not in tile
        assert "hors de votre périmètre" in words(tile)

    def test_does_not_see_a_company_that_reads_elsewhere(self, sharing):
        only_p3 = make_service(sharing.third_party_3)
        subscribe(actor=sharing.alice, service=only_p3, points=[sharing.p3.pk], now=sharing.now)
        client = sharing.client("bob")
        assert "Tiers 3" not in text_of(client.get("/partage/"))
        assert client.get("/partage/444555668/").status_code == 404


class TestWhatHasEnded:
    def test_is_listed_with_how_and_with_its_receipt(self, sharing):
        receipt = revoke_company(actor=sharing.alice, company=sharing.third_party_1, now=sharing.now)
        page = sharing.client("alice").get("/partage/")
        assert "Résilié par Alice" in text_of(page)
        assert f"/partage/recus/{receipt.number}/" in page.content.decode()

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            (PermissionState.EXPIRED, "Arrivé à échéance"),
            (PermissionState.TERMINATED, "Arrêté par Tiers 3"),
            (PermissionState.INVALIDATED, "Fin de titularité"),
        ],
    )
    def test_says_who_or_what_ended_it(self, world, state, said):
        make_permission(make_service(world.third_party_3), world.acme, state=state, now=world.now)
        assert said in text_of(world.client("alice").get("/partage/"))


class TestTheExport:
    def test_has_one_line_a_permission_and_opens_in_a_spreadsheet(self, sharing):
        revoke_company(actor=sharing.alice, company=sharing.third_party_2, now=sharing.now)
        response = sharing.client("alice").get("/partage/export.csv")
        content = b"".join(response.streaming_content).decode()
        assert content.startswith("\ufeff")
        rows = list(csv.DictReader(content.removeprefix("\ufeff").splitlines(), delimiter=";"))
        assert [(row["Entreprise"], row["Résiliable"], row["Compteurs"]) for row in rows] == [
            ("Réseau Démo", "non", "4"),
            ("Tiers 1", "oui", "2"),
            ("Tiers 2", "non", "2"),
        ]
        assert rows[1]["Depuis"] == "2026-11-25"
        assert rows[1]["Jusqu’au"] == "2027-11-24"
        assert rows[2]["État"] == "Résilié par Alice"
        assert rows[2]["Reçu"].startswith("GG-")

    def test_says_what_an_ended_permission_covered(self, sharing):
        revoke_company(actor=sharing.alice, company=sharing.third_party_1, now=sharing.now)
        content = b"".join(sharing.client("alice").get("/partage/export.csv").streaming_content).decode()
        rows = list(csv.DictReader(content.removeprefix("\ufeff").splitlines(), delimiter=";"))
        ended = [row for row in rows if row["Entreprise"] == "Tiers 1"]
        assert [(row["Résiliable"], row["Compteurs"], row["Dont vous voyez"]) for row in ended] == [
            ("non", "2", "2")
        ]

    def test_a_name_cannot_become_a_formula(self, sharing):
        party = make_organisation('=HYPERLINK("evil")')
        subscribe(actor=sharing.alice, service=make_service(party), points=None, now=sharing.now)
        content = b"".join(sharing.client("alice").get("/partage/export.csv").streaming_content).decode()
        assert "'=HYPERLINK" in content


class TestOneCompany:
    def test_its_page_says_everything_about_each_permission(self, sharing):
        make_reads(
            sharing.third_party_1, sharing.p1, sharing.acme, at=sharing.now, times=3, permission=sharing.one
        )
        page = text_of(sharing.client("alice").get("/partage/222333445/"))
        for said in (
            "Lyon Gerland, usine 30 001 480 112 233",
            "Courbe de charge",
            "soutirage",
            "Celui du compteur",
            "votre consentement",
            "depuis le 25 novembre 2026",
            "24 novembre 2027",
            "Lectures 3",
            "Référence pour vos programmes",
            f") {sharing.one.pk}",
            "Accordé par Alice",
            "Demandé par Alice",
        ):
            assert said in page
        assert "Lyon Gerland, bureaux" not in page

    def test_its_reads_are_one_press_away_in_the_journal(self, sharing):
        page = sharing.client("alice").get("/partage/222333445/").content.decode()
        assert f"/journal/?qui={handle(sharing.third_party_1)}" in page

    def test_with_several_services_each_is_ended_on_its_own(self, sharing):
        more = subscribe(
            actor=sharing.alice,
            service=make_service(sharing.third_party_1, "Alerte"),
            points=[sharing.p3.pk],
            now=sharing.now,
        )
        page = sharing.client("alice").get("/partage/222333445/").content.decode()
        for permission in (sharing.one, more):
            assert f"/partage/autorisations/{permission.pk}/resilier/" in page
        only = text_of(sharing.client("alice").get(f"/partage/222333445/?autorisation={more.pk}"))
        assert "Lyon Gerland, bureaux" in only
        assert "Lyon Gerland, usine" not in only

    def test_when_all_has_ended_its_page_keeps_the_history(self, sharing):
        revoke_company(actor=sharing.alice, company=sharing.third_party_1, now=sharing.now)
        page = text_of(sharing.client("alice").get("/partage/222333445/"))
        assert "Cette entreprise n’a plus accès à vos données." in page
        assert "Résilié par Alice" in page

    @pytest.mark.parametrize("siren", ["123456782", "444555668", "999999999", "x"])
    def test_one_that_reads_nothing_is_not_found(self, sharing, siren):
        assert sharing.client("alice").get(f"/partage/{siren}/").status_code == 404


@pytest.mark.parametrize("address", ["/partage/", "/partage/222333445/", "/partage/222333445/resilier/"])
def test_pages_ask_the_registry_as_often_for_twice_as_much(sharing, address):
    client = sharing.client("alice")
    client.get(address)

    def statements():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    before = statements()
    for _ in range(4):
        point = make_held_point(sharing.acme)
        for party in (sharing.third_party_1, sharing.third_party_2):
            service = make_service(party)
            permission = subscribe(actor=sharing.alice, service=service, points=[point.pk], now=sharing.now)
            make_reads(party, point, sharing.acme, at=sharing.now, times=5, permission=permission)
    assert statements() == before
