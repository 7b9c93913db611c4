"""The desk decides on a request for a code: what it sees, the code it proposes, and what accepting makes."""

import re

import pytest
from django.http import QueryDict
from django.utils import timezone

from gridgate.core.identifiers import parse_eic
from gridgate.eic.codes import code_of
from gridgate.eic.models import EicCode, EicRequest
from gridgate.eic.queries import organisation_eic_code
from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.portal.request_kinds import desk_kind
from gridgate.portal.screens.eic import reviewing
from gridgate.requests.operations.life import sending_of
from tests.factories.eic import make_account, make_code, make_request
from tests.functional.eic.reading import error_beside, text_of
from tests.world import World


def decide(world: World, request: EicRequest, **form: str):
    posted = {"do": "decide", "decision": "accept", "seen": sending_of(request), **form}
    return world.client("operateur").post(f"/administration/demandes/{request.number}/", posted)


class TestTheDesk:
    def test_knows_the_kind_by_its_number(self, world: World) -> None:
        kind = desk_kind(make_request(world.alice).number)
        assert kind is not None
        assert str(kind.label) == "Attribuer un code EIC"

    def test_shows_what_is_asked_close_codes_and_the_code_it_would_issue(self, world: World) -> None:
        close = make_code("ACMEENERGIE", type="Z", long_name="ACME Energie SA", organisation=world.client_b)
        request = make_request(world.alice)
        page = world.client("operateur").get(f"/administration/demandes/{request.number}/")
        text = text_of(page)
        for said in (
            "Type X, acteur Une entreprise présente",
            "Nom d’affichage ACME-ENERGIE",
            "Nom complet ACME Énergie",
            "Fonctions Producteur",
            "Adresse 3 rue du Bac, 69007 Lyon, France",
            "Pourquoi ce code Nous vendons notre production",
            f"{close.pk} ACMEENERGIE ACME Energie SA Z, point de mesure",
        ):
            assert said in text
        proposed = re.search(r'name="body" value="([^"]+)"', page.content.decode())
        assert proposed
        assert proposed.group(1) == "ACME-ENERGIE"
        assert "17XACME-ENERGIE" in text

    def test_proposes_a_code_that_is_free_and_ends_in_no_hyphen(self, world: World) -> None:
        """The first one is taken; names are tried until one ends well."""
        make_code("ACME-ENERGIE", long_name="Autre", office="17")
        EicCode.objects.update(display_name="AUTRE")
        for name in ("ACME-ENERGIE", "ACME", "B", "X-Y-Z", "---", "1234567890123456"):
            request = make_request(world.alice, display_name=name, long_name="Autre chose")
            proposed = reviewing.context(request, None)["eic_proposed"]
            assert parse_eic(proposed) == proposed
            assert not EicCode.objects.filter(pk=proposed).exists()

    def test_says_that_a_name_was_taken_since(self, world: World) -> None:
        request = make_request(world.alice)
        code = make_code("ACME-ENERGIE", office="22")
        text = text_of(world.client("operateur").get(f"/administration/demandes/{request.number}/"))
        assert "Depuis l’envoi, quelque chose ne convient plus" in text
        assert f"Le code {code.pk}" in text


class TestAccepting:
    def test_issues_the_code_links_it_and_tells_the_company(self, world: World) -> None:
        request = make_request(world.alice)
        OutgoingEmail.objects.all().delete()
        done = decide(world, request, body="ACME-LYON---")
        assert done.status_code == 302
        code = EicCode.objects.get()
        assert code.pk[:15] == "17XACME-LYON---"
        assert parse_eic(code.pk) == code.pk
        assert organisation_eic_code(world.acme) == code
        tasks.write_letters(now=timezone.now())
        letter = OutgoingEmail.objects.get()
        assert letter.recipient == "alice@acme.example"
        assert code.pk in letter.body
        page = text_of(world.client("operateur").get(f"/administration/demandes/{request.number}/"))
        assert f"Code attribué {code.pk}" in page

    def test_a_person_without_a_company_gets_a_code_of_no_company(self, world: World, client) -> None:
        account = make_account()
        request = make_request(None, user=account)
        decide(world, request, body="ACME-LYON---")
        code = EicCode.objects.get()
        assert code.organisation is None
        client.force_login(account)
        assert f"Vos codes Code Type Nom Depuis État {code.pk}" in text_of(client.get("/eic/"))

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("ACME", "4 caractères saisis, il en faut 12."),
            ("A", "1 caractère saisi, il en faut 12."),
            ("ACME_ENERGI!", "pas ! _."),
        ],
    )
    def test_of_characters_that_make_no_code_says_why_beside_them(
        self, world: World, body: str, said: str
    ) -> None:
        request = make_request(world.alice)
        refused = decide(world, request, body=body)
        assert said in error_beside(refused, "body")
        assert f'value="{body}"' in refused.content.decode()
        assert not EicCode.objects.exists()
        request.refresh_from_db()
        assert request.state == "submitted"

    def test_of_characters_that_end_in_a_hyphen_says_so(self, world: World) -> None:
        body = next(
            body
            for body in (f"ACME-------{last}" for last in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-")
            if not code_of("17", "X", body).valid
        )
        refused = decide(world, make_request(world.alice), body=body)
        assert "le dernier serait un tiret" in error_beside(refused, "body")

    def test_of_a_code_that_there_is_says_so(self, world: World) -> None:
        first = make_request(world.charlie, display_name="CLIENT-B", long_name="Client B")
        decide(world, first, body="ACME-LYON---")
        refused = decide(world, make_request(world.alice), body="ACME-LYON---")
        assert refused.status_code == 422
        assert "Le registre a déjà 17XACME-LYON---" in text_of(refused, 422)
        assert EicCode.objects.count() == 1

    def test_speaks_english(self, world: World) -> None:
        request = make_request(world.alice)
        staff = world.client("operateur", language="en")
        text = text_of(staff.get(f"/administration/demandes/{request.number}/"))
        assert "The code to issue" in text
        assert "Functions Producer" in text


def test_the_template_asks_nothing_once_decided(world: World) -> None:
    request = make_request(world.alice)
    decide(world, request, body="ACME-LYON---")
    request.refresh_from_db()
    shown = reviewing.context(request, None)
    assert (shown["eic_decided"], shown["eic_faults"]) == (True, [])
    assert reviewing.context(request, QueryDict("body=AUTRE"))["eic_proposed"] == ""
