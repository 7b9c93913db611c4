"""Receipts: the document, the signed file, the list; and verifying one without being anybody."""

import base64
import json
import re
from datetime import date
from io import BytesIO

import numpy as np
import pytest
import zxingcpp
from django.conf import settings
from django.db.models import F

from gridgate.audit.models import AccessLogSegment, LogPoint
from gridgate.audit.operations.progress import BeingCounted
from gridgate.core.sharing import LegalBasis, PermissionState
from gridgate.portal.screens.receipts.document import fingerprint
from gridgate.sharing import history
from gridgate.sharing.operations.ending import revoke_company, revoke_permission, terminate
from gridgate.sharing.operations.granting import grant, subscribe
from gridgate.sharing.receipts.completing import complete, complete_awaited
from tests.factories.audit import SEGMENTS, make_reads
from tests.factories.sharing import make_service
from tests.functional.partage.test_who_reads_our_data import text_of

VERIFY = "/partage/recus/verifier/"


@pytest.fixture
def permission(world):
    service = make_service(world.third_party_1, "Suivi", code="suivi")
    return subscribe(actor=world.alice, service=service, points=[world.p1.pk, world.p2.pk], now=world.now)


@pytest.fixture
def receipt(world, permission):
    make_reads(world.third_party_1, world.p1, world.acme, at=world.now, times=3, permission=permission)
    law = make_service(world.third_party_1, "Contrôle", legal_basis=LegalBasis.LEGAL_OBLIGATION)
    grant(service=law, holder=world.acme, points=None, reason="", now=world.now)
    return complete(
        revoke_company(actor=world.alice, company=world.third_party_1, now=world.now), now=world.now
    )


def scanned(size: int, path: str) -> str:
    """What a camera reads of a code as it is drawn, by a library that had no part in drawing it."""
    dark = np.full((size, size), 255, np.uint8)
    drawn = "".join(re.findall(r"M\d+ \d+h\d+v1h-\d+z", path))
    assert drawn == path
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1", path):
        dark[int(y), int(x) : int(x) + int(length)] = 0
    picture = np.kron(dark, np.ones((4, 4), np.uint8))
    # Of that kind alone: in one of some hundreds its squares happen to look like a code of bars as well.
    (code,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return code.text


class TestTheDocument:
    def test_says_who_ended_what_when_and_what_was_read(self, world, receipt):
        page = text_of(world.client("alice").get(f"/partage/recus/{receipt.number}/"))
        for said in (
            f"Reçu nº {receipt.number}",
            "Résiliation de partage de données",
            "mercredi 25 novembre 2026 à 10:30:00 (heure de Paris)",
            "ACME Industries SIREN 111 222 337 Décidé par Alice",
            "Tiers 1 SIREN 222 333 445",
            "Suivi Courbe de charge, soutirage",
            "3 lectures au titre de ces services ; la dernière le 25 novembre 2026 à 10:30.",
            "Contrôle , non résiliable : Code de l’énergie, article L. 322-8.",
            "Accès coupés",
            "Signé par Réseau Démo",
        ):
            assert said in page

    def test_says_the_step_of_a_load_curve_as_it_was_signed(self, world):
        service = make_service(world.third_party_1, "Suivi")
        service.finest_resolution = 1800
        service.save()
        subscribe(actor=world.alice, service=service, points=[world.p1.pk], now=world.now)
        made = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
        complete(made, now=world.now)
        assert "Courbe de charge 30 min, soutirage" in text_of(
            world.client("alice").get(f"/partage/recus/{made.number}/")
        )

    def test_is_printed_by_a_button_and_carries_the_way_to_its_verification(self, world, receipt):
        page = world.client("alice").get(f"/partage/recus/{receipt.number}/").content.decode()
        assert re.search(r'<button class="btn" type="button" data-print hidden>', page)
        drawn = re.search(
            r'<svg class="qr" viewBox="0 0 (\d+) \1" role="img" aria-label="[^"]+"><rect[^>]*/>'
            r'<path fill="#000" d="([^"]+)"',
            page,
        )
        assert drawn is not None
        address = f"{settings.BASE_URL}{VERIFY}?numero={receipt.number}&empreinte={fingerprint(receipt.jws)}"
        assert scanned(int(drawn.group(1)), drawn.group(2)) == address
        shown = text_of(world.visitor().get(address.removeprefix(settings.BASE_URL)))
        assert "Ce reçu est authentique" in shown

    def test_shows_the_first_call_refused_afterwards(self, world, receipt):
        make_reads(world.third_party_1, world.p1, world.acme, at=world.now, outcome="no_permission")
        page = text_of(world.client("alice").get(f"/partage/recus/{receipt.number}/"))
        assert "Premier appel refusé 25 novembre 2026 à 10:30:00" in page

    def test_shows_by_which_day_the_other_side_deletes(self, world, permission):
        step = history.Step(PermissionState.ACTIVE, world.now, history.SYSTEM)
        history.append(permission, step, details=history.saying(delete_by=date(2026, 12, 25)))
        made = revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
        complete(made, now=world.now)
        page = text_of(world.client("alice").get(f"/partage/recus/{made.number}/"))
        assert "Effacement par Tiers 1 au plus tard le 25 décembre 2026" in page
        # Its reads of the last seconds may not be in the registry yet: that there were none is not known.
        assert "Le journal ne portait aucune lecture à ce titre quand ce reçu a été émis" in page

    def test_of_a_permission_given_back_names_who_and_why(self, world, permission):
        made = terminate(
            actor=world.tiers1, permission_id=permission.pk, reason="Le contrat est terminé", now=world.now
        )
        complete(made, now=world.now)
        page = text_of(world.client("alice").get(f"/partage/recus/{made.number}/"))
        assert "Fin de partage par l’entreprise tierce" in page
        assert "Décidé par Tiphaine" in page
        assert "Motif : Le contrat est terminé." in page

    def test_tells_when_the_file_of_the_log_that_it_cites_cannot_be_read(self, world, receipt):
        address, told = (
            f"/partage/recus/{receipt.number}/",
            "Le fichier du journal que ce reçu cite ne peut pas",
        )
        assert told not in text_of(world.client("alice").get(address))
        SEGMENTS[receipt.payload["last_log_segment"]] = b""
        assert told in text_of(world.client("alice").get(address))
        assert "3 lectures au titre de ces services" in text_of(world.client("alice").get(address))

    def test_is_in_english_too(self, world, receipt):
        page = text_of(world.client("alice", language="en").get(f"/partage/recus/{receipt.number}/"))
        assert "Wednesday 25 November 2026 at 10:30:00 (Paris time)" in page
        assert "Suivi (en) Load curve, withdrawal" in page

    def test_both_sides_see_it_and_nobody_else(self, world, receipt):
        address = f"/partage/recus/{receipt.number}/"
        answers = {
            name: world.client(name).get(address).status_code
            for name in ("alice", "bob", "tiers1", "charlie", "acme_user", "operateur")
        }
        assert answers == {
            "alice": 200,
            "bob": 200,
            "tiers1": 200,
            "charlie": 404,
            "acme_user": 404,
            "operateur": 404,
        }
        assert world.visitor().get(address).status_code == 302

    def test_one_that_names_points_out_of_reach_is_not_shown(self, world):
        service = make_service(world.third_party_1)
        subscribe(actor=world.alice, service=service, points=[world.p1.pk, world.p3.pk], now=world.now)
        made = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
        complete(made, now=world.now)
        for address in (f"/partage/recus/{made.number}/", f"/partage/recus/{made.number}.jws"):
            assert world.client("bob").get(address).status_code == 404
        assert made.number not in text_of(world.client("bob").get("/partage/"))


class TestOneThatIsNotSignedYet:
    @pytest.fixture
    def awaited(self, world, permission):
        return revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)

    def test_its_page_says_that_the_end_holds_and_the_proof_follows(self, world, awaited):
        address = f"/partage/recus/{awaited.number}/"
        page = world.client("alice").get(address)
        for said in (
            f"{awaited.number} Le reçu",
            "Résiliation de partage de données Effective le",
            "mercredi 25 novembre 2026 à 10:30:00 (heure de Paris)",
            "Le reçu n’est pas encore signé",
            "La fin est acquise et n’en dépend pas.",
        ):
            assert said in text_of(page)
        assert f'href="{address}"' in page.content.decode()
        assert ".jws" not in page.content.decode()
        english = text_of(world.client("tiers1", language="en").get(address))
        assert "The receipt is not signed yet" in english
        for nobody in ("charlie", "acme_user", "operateur"):
            assert world.client(nobody).get(address).status_code == 404
        complete_awaited(now=world.now)
        assert f"Reçu nº {awaited.number}" in text_of(world.client("alice").get(address))

    def test_is_signed_with_all_that_was_read_once_the_reads_are_counted_anew(
        self, world, permission, awaited
    ):
        make_reads(world.third_party_1, world.p1, world.acme, at=world.now, times=3, permission=permission)
        sizes = dict(AccessLogSegment.objects.values_list("pk", "size"))
        AccessLogSegment.objects.update(recount_to=F("size"), size=0)
        LogPoint.objects.update(entries=1)  # so far
        with pytest.raises(BeingCounted):
            complete_awaited(now=world.now)
        for pk, size in sizes.items():
            AccessLogSegment.objects.filter(pk=pk).update(size=size)
        LogPoint.objects.update(entries=3)
        complete_awaited(now=world.now)
        awaited.refresh_from_db()
        assert awaited.payload["permissions"][0]["reads"] == 3

    def test_there_is_no_file_of_it_and_the_list_says_so(self, world, awaited):
        client = world.client("alice")
        response = client.get(f"/partage/recus/{awaited.number}.jws")
        assert (response.status_code, response["Location"]) == (302, f"/partage/recus/{awaited.number}/")
        assert f"{awaited.number} Signature en attente" in text_of(client.get("/partage/recus/"))
        assert client.get("/partage/").status_code == 200
        assert client.get("/partage/222333445/").status_code == 200

    def test_nobody_proves_it_with_the_fingerprint_of_nothing(self, world, awaited):
        asked = {"numero": awaited.number, "empreinte": fingerprint("")}
        assert "Aucun reçu émis ici" in text_of(world.visitor().get(VERIFY, asked))


class TestTheFile:
    def test_is_what_was_signed(self, world, receipt):
        response = world.client("tiers1").get(f"/partage/recus/{receipt.number}.jws")
        assert response.content.decode().strip() == receipt.jws
        assert response["Content-Disposition"] == f'attachment; filename="{receipt.number}.jws"'
        assert response["Content-Type"] == "application/jose"


class TestTheList:
    def test_has_the_receipts_of_each_side(self, world, receipt):
        assert "Tiers 1 Vous partagiez" in text_of(world.client("alice").get("/partage/recus/"))
        assert "ACME Industries Vous lisiez" in text_of(world.client("tiers1").get("/partage/recus/"))
        assert "Aucun reçu pour l’instant" in text_of(world.client("charlie").get("/partage/recus/"))

    def test_can_be_searched(self, world, receipt):
        client = world.client("alice")
        assert receipt.number in text_of(client.get("/partage/recus/?q=tiers"))
        assert receipt.number in text_of(client.get(f"/partage/recus/?q={receipt.number[-6:]}"))
        assert "Aucun reçu ne correspond" in text_of(client.get("/partage/recus/?q=rien"))

    def test_asks_for_the_entitlement(self, world, receipt):
        response = world.client("acme_user").get("/partage/recus/")
        assert response.status_code == 403
        assert "Gestion des services de données" in text_of(response)


class TestVerifying:
    def test_a_visitor_verifies_a_file(self, world, receipt):
        file = BytesIO(receipt.jws.encode() + b"\n")
        file.name = "recu.jws"
        page = text_of(world.visitor().post(VERIFY, {"file": file}))
        assert "Ce reçu est authentique" in page
        assert receipt.number in page
        assert "ACME Industries, SIREN 111 222 337" in page

    def test_or_pastes_it_however_it_was_broken_into_lines(self, world, receipt):
        pasted = "\n".join(re.findall(".{1,60}", receipt.jws))
        assert "Ce reçu est authentique" in text_of(world.visitor().post(VERIFY, {"token": pasted}))

    def test_a_changed_one_proves_nothing(self, world, receipt):
        head, body, seal = receipt.jws.split(".")
        changed = f"{head}.{body[:-6]}AAAAAA.{seal}"
        page = text_of(world.visitor().post(VERIFY, {"token": changed}))
        assert "Ce reçu ne prouve rien" in page
        assert "modifié après sa signature" in page
        assert "ACME" not in page

    @pytest.mark.parametrize(
        "token",
        [
            "bonjour",
            "a.b.c",
            "é" * 500,
            f"{base64.urlsafe_b64encode(b'{' * 100_000).decode()}.e30.AAAA",
            f"{base64.urlsafe_b64encode(b'[' * 100_000).decode()}.e30.AAAA",
        ],
        ids=lambda token: token[:10],
    )
    def test_what_is_no_receipt_is_said_to_be_none(self, world, token):
        assert "Ce n’est pas un reçu signé." in text_of(world.visitor().post(VERIFY, {"token": token}))

    def test_nothing_given_is_told(self, world):
        assert "Choisissez le fichier, ou collez son contenu." in text_of(world.visitor().post(VERIFY, {}))

    def test_a_printed_one_verifies_by_its_number_and_fingerprint_and_tells_nothing_else(
        self, world, receipt
    ):
        paper = world.client("alice").get(f"/partage/recus/{receipt.number}/").content.decode()
        printed = re.search(r"Empreinte du fichier de preuve <code>([0-9a-f ]+)</code>", paper)
        visitor = world.visitor()
        page = text_of(visitor.get(VERIFY, {"numero": receipt.number, "empreinte": printed[1].upper()}))
        assert "Ce reçu est authentique" in page
        assert "ACME" not in page
        for wrong in (
            {"empreinte": "0" * 32},
            {"numero": "GG-20200101-000001"},
            {"empreinte": printed[1][:10]},
        ):
            asked = {"numero": receipt.number, "empreinte": printed[1]} | wrong
            assert "Aucun reçu émis ici" in text_of(visitor.get(VERIFY, asked))

    def test_the_public_keys_are_published_for_other_programs(self, world, receipt):
        response = world.visitor().get("/.well-known/gridgate-receipts.json")
        (key,) = json.loads(response.content)["keys"]
        assert (key["kty"], key["crv"], key["use"]) == ("OKP", "Ed25519", "sig")
        assert "d" not in key
        assert response["Access-Control-Allow-Origin"] == "*"
