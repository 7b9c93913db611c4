"""*Résilier*: the page that says what ends, the end, and its proof."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import unquote
from uuid import uuid4

import pytest

from gridgate.core.sharing import LegalBasis, PermissionState
from gridgate.sharing.models import AccessLine, Permission, Receipt
from gridgate.sharing.operations.granting import grant, subscribe
from gridgate.sharing.receipts.completing import complete_awaited
from gridgate.sharing.signing import make_key
from tests.factories.sharing import make_service
from tests.functional.partage.test_who_reads_our_data import text_of

COMPANY = "/partage/222333445/resilier/"


def state_of(permission):
    return Permission.objects.get(pk=permission.pk).state


class TestTheConfirmPage:
    def test_lists_exactly_what_ends_and_what_does_not(self, sharing):
        page = text_of(sharing.client("alice").get(COMPANY))
        for said in (
            "Résilier tous les partages avec Tiers 1 ?",
            "2 compteurs, 1 service",
            "Suivi",
            "25 nov. 2026",
            "24 nov. 2027",
            "Ce que Tiers 1 garde",
            "Ce qui ne change pas",
            "Vos partages avec Tiers 2.",
            "Résilier Tiers 1 maintenant",
            "Garder le partage",
        ):
            assert said in page
        assert state_of(sharing.one) == "active"

    def test_names_what_stays_and_why(self, sharing):
        law = make_service(sharing.third_party_1, "Contrôle", legal_basis=LegalBasis.LEGAL_OBLIGATION)
        grant(service=law, holder=sharing.acme, points=None, reason="", now=sharing.now)
        page = text_of(sharing.client("alice").get(COMPANY))
        assert "Contrôle (Tiers 1), non résiliable : Code de l’énergie" in page

    def test_says_by_which_day_the_other_side_deletes(self, sharing):
        Permission.objects.filter(pk=sharing.one.pk).update(delete_by="2026-12-25")
        assert "jusqu’au 25 décembre 2026" in text_of(sharing.client("alice").get(COMPANY))

    def test_many_permissions_alike_are_one_line(self, sharing):
        for point in (sharing.p3, sharing.p4):
            subscribe(actor=sharing.alice, service=sharing.suivi, points=[point.pk], now=sharing.now)
        page = sharing.client("alice").get(COMPANY).content.decode()
        assert page.count('<th role="rowheader"') == 1
        assert "4 compteurs, 3 services" in text_of(sharing.client("alice").get(COMPANY))


class TestEndingACompany:
    def test_ends_at_once_and_shows_the_receipt(self, sharing):
        client = sharing.client("alice")
        response = client.post(COMPANY, follow=True)
        receipt = Receipt.objects.get()
        assert response.redirect_chain == [(f"/partage/recus/{receipt.number}/", 302)]
        assert "Le partage a pris fin : Tiers 1 ne peut plus rien lire à ce titre." in text_of(response)
        assert 'role="status"' in response.content.decode()
        assert state_of(sharing.one) == PermissionState.REVOKED
        assert state_of(sharing.two) == PermissionState.ACTIVE
        assert not AccessLine.objects.filter(permission=sharing.one).exists()

    def test_the_receipt_is_signed_when_the_page_answers(self, sharing):
        client = sharing.client("alice")
        address = client.post(COMPANY)["Location"]
        assert not Receipt.objects.get().awaited
        assert "Signé par Réseau Démo" in text_of(client.get(address))

    @pytest.mark.parametrize("content", [None, b"garbage"])
    def test_without_the_key_of_receipts_it_ends_and_the_page_says_what_is_awaited(
        self, sharing, settings, tmp_path, caplog, content
    ):
        key = tmp_path / "keys" / "receipts.pem"
        (tmp_path / "registry.sqlite3").touch()
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"data": tmp_path})
        key.parent.mkdir()
        if content:
            key.write_bytes(content)
        client = sharing.client("alice")
        response = client.post(COMPANY)
        assert response.status_code == 302
        assert state_of(sharing.one) == "revoked"
        assert not AccessLine.objects.filter(permission=sharing.one).exists()
        assert f"receipt {Receipt.objects.get().number} is not signed yet" in caplog.text
        page = text_of(client.get(response["Location"]))
        assert "Le partage a pris fin" in page
        assert "Le reçu n’est pas encore signé" in page
        key.unlink(missing_ok=True)
        make_key(key)
        assert complete_awaited(now=sharing.now) == 1
        assert "Signé par Réseau Démo" in text_of(client.get(response["Location"]))

    def test_pressed_twice_shows_the_same_receipt(self, sharing):
        client = sharing.client("alice")
        first, second = client.post(COMPANY), client.post(COMPANY)
        assert first["Location"] == second["Location"]
        assert Receipt.objects.count() == 1
        assert "avait déjà pris fin" in text_of(client.get(second["Location"]))

    def test_opened_again_it_says_so_with_the_receipt(self, sharing):
        client = sharing.client("alice")
        client.post(COMPANY)
        page = client.get(COMPANY)
        assert "Le partage avec Tiers 1 a déjà pris fin" in text_of(page)
        assert Receipt.objects.get().number in text_of(page)

    def test_what_rests_on_the_law_alone_cannot_be_ended_and_says_why(self, sharing):
        client = sharing.client("alice")
        page = text_of(client.get("/partage/100000009/resilier/"))
        assert "Ce que lit Réseau Démo n’est pas résiliable" in page
        assert "Code de l’énergie" in page
        assert client.post("/partage/100000009/resilier/").status_code == 302
        assert not Receipt.objects.exists()

    def test_a_restricted_member_ends_what_is_within_their_perimeter(self, sharing):
        sharing.client("bob").post(COMPANY)
        assert state_of(sharing.one) == PermissionState.REVOKED

    def test_a_restricted_member_does_not_end_more_than_they_see(self, sharing):
        client = sharing.client("bob")
        page = client.get("/partage/333444552/resilier/")
        assert "hors de votre périmètre" in text_of(page)
        assert "maintenant" not in text_of(page)
        assert client.post("/partage/333444552/resilier/").status_code == 403
        assert state_of(sharing.two) == PermissionState.ACTIVE

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_another_companys_is_as_absent(self, sharing, method):
        assert getattr(sharing.client("charlie"), method)(COMPANY).status_code == 404
        assert state_of(sharing.one) == PermissionState.ACTIVE

    def test_a_form_from_elsewhere_changes_nothing(self, sharing):
        client = sharing.client("alice")
        client.handler.enforce_csrf_checks = True
        assert client.post(COMPANY).status_code == 403
        assert state_of(sharing.one) == PermissionState.ACTIVE


class TestEndingOnePermission:
    def test_leaves_the_companys_others(self, sharing):
        more = subscribe(
            actor=sharing.alice,
            service=make_service(sharing.third_party_1, "Alerte"),
            points=None,
            now=sharing.now,
        )
        address = f"/partage/autorisations/{more.pk}/resilier/"
        client = sharing.client("alice")
        page = text_of(client.get(address))
        assert "Résilier « Alerte » avec Tiers 1 ?" in page
        assert "Suivi (Tiers 1), qui se résilie à part." in page
        client.post(address)
        assert (state_of(more), state_of(sharing.one)) == ("revoked", "active")

    def test_one_whose_time_is_over_has_nothing_to_end(self, sharing):
        Permission.objects.filter(pk=sharing.one.pk).update(valid_until=sharing.now - timedelta(days=1))
        page = text_of(sharing.client("alice").get(f"/partage/autorisations/{sharing.one.pk}/resilier/"))
        assert "a déjà pris fin" in page

    def test_an_unknown_one_is_not_found(self, sharing):
        assert sharing.client("alice").get(f"/partage/autorisations/{uuid4()}/resilier/").status_code == 404


class TestAfterTheEnd:
    """The page of the company keeps whom to ask, and the request to erase what it read, ready to send."""

    @pytest.fixture
    def receipt(self, sharing):
        sharing.client("alice").post(COMPANY)
        return Receipt.objects.get()

    @pytest.mark.parametrize(
        ("language", "asked", "article"),
        [
            ("fr", "Nous vous demandons d’effacer", "article 17 du règlement (UE) 2016/679 (RGPD)"),
            ("en", "We ask you to erase", "article 17 of Regulation (EU) 2016/679 (GDPR)"),
        ],
    )
    def test_a_request_to_erase_names_all_it_is_about(self, sharing, receipt, language, asked, article):
        page = sharing.client("alice", language=language).get(f"/partage/{sharing.third_party_1.siren}/")
        html = page.content.decode()
        mail = re.search(r'href="mailto:([^"?]+)\?subject=([^"&]+)&amp;body=([^"]+)"', html)
        assert mail is not None
        assert unquote(mail.group(1)) == sharing.suivi.contact_email
        assert receipt.number in unquote(mail.group(2))
        body = unquote(mail.group(3)).replace("\r\n", "\n")
        for said in (asked, article, receipt.number, str(sharing.one.pk), sharing.p1.pk, sharing.p2.pk):
            assert said in body
        assert sharing.p3.pk not in body
        assert body in unescape(html), "the text to copy is that of the e-mail"

    def test_there_is_none_while_it_reads(self, sharing):
        page = sharing.client("alice").get(f"/partage/{sharing.third_party_1.siren}/")
        assert f'href="mailto:{sharing.suivi.contact_email}"' in page.content.decode()
        assert "Demander l’effacement" not in text_of(page)
