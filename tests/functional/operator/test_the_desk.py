"""*Demandes à traiter*: every kind of request in one list, shared out among the operator's staff."""

import csv
import html
import re
from datetime import timedelta

import pytest
import time_machine

from gridgate.eic.kind import EIC
from gridgate.eic.models import EicRequest
from gridgate.organisations.models import Membership
from gridgate.organisations.operations.members import end_membership
from gridgate.requests.models import RequestEvent
from gridgate.requests.operations.life import (
    refuse_request,
    return_request,
    take,
    withdraw_request,
)
from tests.factories.eic import make_account, make_draft, make_request
from tests.factories.organisations import make_member
from tests.functional.partage.test_who_reads_our_data import text_of
from tests.world import World

DESK = "/administration/demandes/"


@pytest.fixture
def late(world: World) -> EicRequest:
    """Sent six days ago: it should have been decided a day ago."""
    return ask(world, "ACME-TARD", ago=timedelta(days=6))


@pytest.fixture
def colleague(world: World) -> Membership:
    return make_member(world.operator, "Odile", email="odile@reseau-demo.example")


def ask(world: World, name: str, *, ago: timedelta = timedelta(), who: str = "alice") -> EicRequest:
    return make_request(world.membership(who), display_name=name, long_name="Atelier", now=world.now - ago)


def cells_of(page) -> list[str]:
    """Each cell of a table, with its column's head before it, as a phone shows it."""
    found = re.findall(r'<td[^>]*data-l="([^"]*)"[^>]*>(.*?)</td>', page.content.decode())
    return [
        html.unescape(f"{head} {re.sub('<[^>]*>', '', cell)}".replace("\u00a0", " ")) for head, cell in found
    ]


def numbers(page) -> list[str]:
    return [row["number"] for row in page.context["rows"]]


class TestTheList:
    def test_has_the_most_urgent_first_and_says_how_late_it_is(self, world: World, late: EicRequest) -> None:
        fresh = ask(world, "ACME-NEUF")
        soon = ask(world, "ACME-BIENTOT", ago=timedelta(days=4, hours=12), who="charlie")
        page = world.client("operateur").get(DESK)
        assert numbers(page) == [late.number, soon.number, fresh.number]
        text = text_of(page)
        assert "En retard de 1 j" in text
        assert "Attribuer un code EIC" in text
        assert "Client B 123 456 782" in text

    def test_says_since_when_each_waits_as_one_says_it(self, world: World) -> None:
        ask(world, "ACME-MATIN", ago=timedelta(hours=20, minutes=26))
        client = world.client("operateur")
        assert "Reçue il y a 20 h 26" in cells_of(client.get(DESK))
        client.cookies["django_language"] = "en"
        assert "Received 20 h 26 min ago" in cells_of(client.get(DESK))

    def test_leaves_out_drafts_and_what_was_never_sent(self, world: World) -> None:
        draft = make_draft(world.alice, display_name="ACME-BROUILLON")
        withdraw_request(EIC, draft, user=world.alice.user, actor=world.alice, now=world.now)
        make_draft(world.alice, display_name="ACME-ENCORE")
        assert numbers(world.client("operateur").get(f"{DESK}?etat=all")) == []

    def test_puts_what_waits_for_others_after_what_waits_here(self, world: World, late: EicRequest) -> None:
        return_request(EIC, late, reason="Où est-ce ?", actor=world.operateur, now=world.now)
        fresh = ask(world, "ACME-NEUF")
        page = world.client("operateur").get(DESK)
        assert numbers(page) == [fresh.number, late.number]
        assert "En attente d’un complément" in text_of(page)
        assert "En retard de" not in text_of(page)

    def test_counts_what_waits_in_the_menu_of_the_operator_only(self, world: World, late: EicRequest) -> None:
        ask(world, "ACME-NEUF")
        register = world.client("operateur").get("/administration/eic/")
        assert text_of(register).count("2 demandes en attente") == 3, (
            "at the desk, at the register, and on its page"
        )
        assert "/administration/demandes/?nature=EIC&amp;etat=to_do" in register.content.decode()
        assert "Demandes à traiter" not in text_of(world.client("alice").get("/"))

    def test_is_told_in_figures(self, world: World, late: EicRequest) -> None:
        followed = ask(world, "ACME-SUIVIE")
        take(EIC, followed, actor=world.operateur, now=world.now)
        refused = ask(world, "ACME-REFUS", ago=timedelta(hours=30))
        refuse_request(EIC, refused, reason="Déjà attribué.", actor=world.operateur, now=world.now)
        old = ask(world, "ACME-VIEUX", ago=timedelta(days=20))
        with time_machine.travel(world.now - timedelta(days=18)):
            refuse_request(EIC, old, reason="Non.", actor=world.operateur, now=world.now - timedelta(days=18))
        figures = world.client("operateur").get(DESK).context["figures"]
        assert [(one.value, one.note.replace("\u00a0", " ")) for one in figures] == [
            ("2", "1 sans responsable"),
            ("1", "depuis 1 j"),
            ("1", "1 refusée"),
            ("1\u00a0j", "de l’envoi à la décision"),
        ]

    def test_says_that_nothing_waits(self, world: World) -> None:
        page = world.client("operateur").get(DESK)
        assert "Rien n’attend" in text_of(page)
        assert "Prendre la suivante" not in text_of(page)

    def test_names_a_person_who_asks_for_no_company(self, world: World) -> None:
        make_request(None, user=make_account("Paul"), now=world.now)
        assert "Paul pour aucune entreprise d’ici" in text_of(world.client("operateur").get(DESK))

    def test_speaks_english(self, world: World, late: EicRequest) -> None:
        text = text_of(world.client("operateur", language="en").get(DESK))
        for said in ("1 open request.", "1 is late.", "Take the next one", "Late by 1 d", "nobody"):
            assert said in text


class TestNarrowing:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("q=acme", {"ACME"}),
            ("q=cli%C3%AB", {"CLIENT"}),
            ("q=123+456", {"CLIENT"}),
            ("q=EIC-", {"ACME", "CLIENT"}),
            ("q=Charlie", {"CLIENT"}),
            ("q=nulle+part", set()),
            ("nature=EIC", {"ACME", "CLIENT"}),
            ("nature=KYC", set()),
            ("etat=in_review", {"CLIENT"}),
            ("etat=submitted", {"ACME"}),
            ("etat=to_do", {"ACME", "CLIENT"}),
            ("etat=late", {"ACME"}),
            ("etat=refused", {"REFUS"}),
            ("etat=all", {"ACME", "CLIENT", "REFUS"}),
            ("suivi=me", {"CLIENT"}),
            ("suivi=nobody", {"ACME"}),
            ("etat=nonsense&nature=x", {"ACME", "CLIENT"}),
        ],
    )
    def test_keeps_what_was_asked_for(self, world: World, query: str, found: set[str]) -> None:
        made = {
            "ACME": ask(world, "ACME-TARD", ago=timedelta(days=6)),
            "CLIENT": ask(world, "CLIENT-B", who="charlie"),
            "REFUS": ask(world, "ACME-REFUS"),
        }
        take(EIC, made["CLIENT"], actor=world.operateur, now=world.now)
        refuse_request(EIC, made["REFUS"], reason="Non.", actor=world.operateur, now=world.now)
        names = {request.number: name for name, request in made.items()}
        assert {
            names[number] for number in numbers(world.client("operateur").get(f"{DESK}?{query}"))
        } == found

    def test_can_be_sorted_and_paged(self, world: World) -> None:
        made = [
            ask(world, f"ACME-{number}", ago=timedelta(hours=number), who=who)
            for number, who in enumerate(["alice", "charlie"] * 7)
        ]
        client = world.client("operateur")
        first, second = client.get(f"{DESK}?tri=demande"), client.get(f"{DESK}?tri=demande&page=2")
        assert numbers(first) + numbers(second) == sorted(request.number for request in made)
        companies = [
            row["company"] for row in client.get(f"{DESK}?tri=-entreprise&par_page=50").context["rows"]
        ]
        assert companies == ["Client B"] * 7 + ["ACME Industries"] * 7

    def test_a_request_whose_follower_has_left_is_followed_by_nobody(
        self, world: World, late: EicRequest, colleague: Membership
    ) -> None:
        take(EIC, late, actor=colleague, now=world.now)
        client = world.client("operateur")
        assert numbers(client.get(f"{DESK}?suivi=nobody")) == []
        end_membership(membership=colleague, now=world.now)
        page = client.get(f"{DESK}?suivi=nobody")
        assert numbers(page) == [late.number]
        assert "Odile" not in text_of(page)


class TestSharingOut:
    def test_what_is_ticked_is_followed_by_whoever_presses(self, world: World, late: EicRequest) -> None:
        fresh = ask(world, "ACME-NEUF")
        page = world.client("operateur").post(
            f"{DESK}prendre/",
            {"numero": [late.number, fresh.number], "filtres": "etat=submitted&suivi=me"},
            follow=True,
        )
        assert page.redirect_chain == [(f"{DESK}?etat=submitted&suivi=me", 302)]
        assert "Vous suivez 2 demandes" in text_of(page)
        assert set(EicRequest.objects.values_list("state", "followed_by")) == {
            ("in_review", world.operateur.pk)
        }

    def test_what_is_over_meanwhile_is_named_and_left_alone(
        self, world: World, late: EicRequest, colleague: Membership
    ) -> None:
        refuse_request(EIC, late, reason="Non.", actor=colleague, now=world.now)
        page = world.client("operateur").post(f"{DESK}prendre/", {"numero": [late.number]}, follow=True)
        assert f"{late.number} n’est plus à traiter" in text_of(page)
        assert EicRequest.objects.get(pk=late.pk).followed_by == colleague

    def test_ticking_nothing_is_told(self, world: World) -> None:
        page = world.client("operateur").post(f"{DESK}prendre/", follow=True)
        assert "Choisissez au moins une demande" in text_of(page)

    def test_the_next_one_is_the_most_urgent_that_nobody_follows(
        self, world: World, late: EicRequest, colleague: Membership
    ) -> None:
        take(EIC, late, actor=colleague, now=world.now)
        fresh = ask(world, "ACME-NEUF")
        page = world.client("operateur").post(f"{DESK}prendre/", {"suivante": "1"}, follow=True)
        assert page.redirect_chain[-1][0] == f"{DESK}{fresh.number}/"
        assert EicRequest.objects.get(pk=fresh.pk).followed_by == world.operateur
        again = world.client("operateur").post(f"{DESK}prendre/", {"suivante": "1"}, follow=True)
        assert "Toutes les demandes à traiter sont déjà suivies" in text_of(again)

    def test_is_for_the_operator(self, world: World, late: EicRequest) -> None:
        for who in ("alice", "tiers1"):
            assert world.client(who).post(f"{DESK}prendre/", {"numero": late.number}).status_code == 403
        assert not RequestEvent.objects.filter(by_operator=True).exists()


class TestTheFile:
    def read(self, response) -> list[list[str]]:
        text = b"".join(response).decode("utf-8-sig")
        return list(csv.reader(text.splitlines(), delimiter=";"))

    def test_has_what_the_filters_let_through(self, world: World, late: EicRequest) -> None:
        ask(world, "CLIENT-B", who="charlie")
        header, line = self.read(world.client("operateur").get(f"{DESK}export.csv?q=acme"))
        assert header[:4] == ["Numéro", "Nature", "État", "Entreprise"]
        assert line[:6] == [
            late.number,
            "Attribuer un code EIC",
            "Envoyée",
            "ACME Industries",
            "111222337",
            "Alice",
        ]
        assert line[6:9] == ["2026-11-19T10:30+01:00", "2026-11-24T10:30+01:00", ""]

    def test_or_only_what_is_ticked(self, world: World, late: EicRequest) -> None:
        ask(world, "ACME-NEUF")
        posted = {"numero": late.number, "filtres": "etat=all"}
        rows = self.read(world.client("operateur").post(f"{DESK}export.csv", posted))
        assert [row[0] for row in rows[1:]] == [late.number]
