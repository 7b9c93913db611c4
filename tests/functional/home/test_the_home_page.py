"""What a person finds when they sign in."""

import math
import re
from datetime import date, timedelta

import numpy as np

from gridgate.accounts.models import LostFactor
from gridgate.core.quantities import FlowDirection
from gridgate.core.sharing import PermissionState
from gridgate.dataplane.client import DailyTotals
from gridgate.eic.kind import EIC
from gridgate.eic.models import EicRequest
from gridgate.kyc.models import KycQuestionnaire
from gridgate.onboarding.models import Invitation, JoinRequest
from gridgate.organisations.operations.groups import create_group
from gridgate.organisations.operations.services import give
from gridgate.portal.screens.home import energy
from gridgate.requests.operations.life import return_request
from gridgate.sharing.models import PermissionRequest
from tests.factories import eic, kyc
from tests.factories.audit import make_reads
from tests.factories.metering import make_holding, make_point
from tests.factories.organisations import SINCE, restrict
from tests.factories.sharing import make_permission, make_service
from tests.handles import handle
from tests.world import NOW


def text_of(response):
    assert response.status_code == 200
    page = re.sub(r"<(svg|style)\b.*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\u202f", " ").replace("\u00a0", " ")


class TestOfAHolder:
    def test_greets_and_says_how_fresh_the_data_is(self, world, measured):
        measured.silent = {world.p4.pk}
        text = text_of(world.client("alice").get("/"))
        assert "Bonjour Alice" in text
        assert "Mercredi 25 novembre 2026. 3 compteurs sur 4 à jour jusqu’à hier soir." in text

    def test_sums_thirty_days_of_all_points_beside_a_year_before(self, world, measured):
        text = text_of(world.client("alice").get("/"))
        assert "Énergie soutirée, 30 jours 1 200 kWh 25,0 % de plus que l’an dernier" in text
        assert "Tous vos compteurs, en kWh. Au plus 40,0 le" in text

    def test_reads_in_the_persons_name_and_only_their_perimeter(self, world, measured):
        world.client("bob").get("/")
        assert set(measured.asked) == {
            ("ACME Industries", FlowDirection.WITHDRAWAL, world.p1.pk, world.p2.pk)
        }

    def test_shows_injection_apart(self, world, measured):
        solar = make_point(label="Toiture", directions=[FlowDirection.INJECTION])
        make_holding(solar, world.acme)
        text = text_of(world.client("alice").get("/"))
        assert "Énergie injectée, 30 jours 300 kWh" in text
        assert "Énergie soutirée, 30 jours 1 200 kWh" in text

    def test_asks_before_summing_many_points(self, world, measured, monkeypatch):
        monkeypatch.setattr("gridgate.portal.screens.home.company.MOST_POINTS", 3)
        client = world.client("alice")
        text = text_of(client.get("/"))
        assert "La somme de vos 4 compteurs prend quelques secondes." in text
        assert measured.asked == []
        assert "Énergie soutirée, 30 jours" in text_of(client.get("/?energie=tous"))

    def test_says_so_when_the_measurements_do_not_answer_and_shows_the_rest(self, world, measured):
        measured.broken = True
        make_permission(make_service(world.third_party_1), world.acme, now=world.now)
        text = text_of(world.client("alice").get("/"))
        assert "Vos mesures ne répondent pas en ce moment" in text
        assert "Entreprises qui lisent 1" in text

    def test_is_complete_in_english(self, world, measured):
        text = text_of(world.client("alice", language="en").get("/"))
        assert "Hello Alice" in text
        assert "Wednesday 25 November 2026. Meters up to date to last night: 4 of 4." in text
        assert "25.0% more than last year" in text


class TestOfAPart:
    """Each figure obeys the right of what it shows, and says of how many points it is."""

    def give(self, world, **services):
        group = world.acme.groups.get(name="Site de Lyon")
        for code, points in services.items():
            give(group=group, code=code, points=points, now=SINCE)

    def test_a_sum_over_a_part_does_not_say_all(self, world, measured):
        text = text_of(world.client("bob").get("/"))
        assert "Tous vos compteurs" not in text
        assert "2 compteurs, en kWh. Au plus 20,0 le" in text

    def test_freshness_is_told_of_points_whose_measurements_one_sees(self, world, measured):
        self.give(world, meters=[world.p1.pk, world.p2.pk, world.p3.pk], measurements=[world.p1.pk])
        measured.silent = {world.p2.pk, world.p3.pk}
        text = text_of(world.client("bob").get("/"))
        assert "1 compteur sur 1 à jour" in text
        assert "sans données" not in text

    def test_draws_nothing_where_nothing_came(self, world, measured):
        assert "bars-withdrawal" in world.client("alice").get("/").content.decode()
        measured.silent = {world.p1.pk, world.p2.pk, world.p3.pk, world.p4.pk}
        page = world.client("alice").get("/")
        assert "Aucune donnée sur ces 30 jours." in text_of(page)
        assert "bars-withdrawal" not in page.content.decode()

    def test_a_point_that_one_may_not_list_is_not_said_to_be_silent(self, world, measured):
        self.give(world, meters=[world.p1.pk], measurements=[world.p1.pk, world.p2.pk])
        text = text_of(world.client("bob").get("/"))
        assert "2 compteurs sur 2 à jour" in text
        assert "sans données" not in text

    def test_nothing_is_said_of_measurements_that_one_has_no_right_to(self, world, measured):
        self.give(world, measurements=[])
        text = text_of(world.client("bob").get("/"))
        assert "Compteurs 2" in text
        assert "à jour" not in text
        assert measured.asked == []

    def test_what_waits_to_be_summed_is_what_would_be(self, world, measured, monkeypatch):
        monkeypatch.setattr("gridgate.portal.screens.home.company.MOST_POINTS", 1)
        self.give(world, meters=None)
        assert "La somme de vos 2 compteurs" in text_of(world.client("bob").get("/"))

    def test_who_reads_is_said_of_what_one_sees(self, world, measured):
        make_reads(world.third_party_1, world.p3, world.acme, at=at(6))
        text = text_of(world.client("bob").get("/"))
        assert (
            "Aucune lecture par une autre entreprise, des compteurs que vous voyez, au journal depuis le 26 octobre 2026."
            in text
        )
        assert "les compteurs que vous voyez, et votre gestionnaire de réseau" in text

    def test_a_request_that_others_must_answer_is_no_task(self, world, measured):
        request = PermissionRequest.objects.create(
            service=make_service(world.third_party_3),
            holder=world.acme,
            eligible_party=world.third_party_3,
            valid_until=date(2027, 11, 25),
            state=PermissionState.VALIDATED,
            requested_at=world.now,
        )
        request.points.set([world.p1, world.p3])
        assert "demande un accès" not in text_of(world.client("bob").get("/"))
        assert "demande un accès" in text_of(world.client("alice").get("/"))


class TestTasks:
    def test_name_a_request_that_waits(self, world, measured):
        service = make_service(world.third_party_3)
        request = PermissionRequest.objects.create(
            service=service,
            holder=world.acme,
            eligible_party=world.third_party_3,
            all_points=True,
            valid_until=date(2027, 11, 25),
            state=PermissionState.VALIDATED,
            requested_at=world.now,
        )
        response = world.client("alice").get("/")
        assert "Tiers 3 demande un accès" in text_of(response)
        assert f'href="/partage/demandes/{request.pk}/"' in response.content.decode()

    def test_name_each_company_whose_sharing_ends_within_a_month_once(self, world, measured):
        for service in (make_service(world.third_party_1), make_service(world.third_party_1, "Autre")):
            make_permission(service, world.acme, until=world.now + timedelta(days=20), now=world.now)
        make_permission(
            make_service(world.third_party_2), world.acme, until=world.now + timedelta(days=40), now=world.now
        )
        text = text_of(world.client("alice").get("/"))
        assert text.count("Le partage avec Tiers 1 expire bientôt dernier jour : le 15 décembre 2026") == 1
        assert "Tiers 2 expire" not in text

    def test_name_the_points_that_no_longer_send(self, world, measured):
        measured.silent = {world.p3.pk, world.p4.pk}
        assert "2 compteurs sans données depuis plus de 2 jours" in text_of(world.client("alice").get("/"))

    def test_name_what_is_to_be_completed_sent_and_renewed(self, world, measured):
        draft = eic.make_draft(world.alice, display_name="ACME-UN")
        sent = eic.make_request(world.alice, display_name="ACME-DEUX")
        return_request(EIC, sent, reason="Précisez.", actor=world.operateur, now=world.now)
        kyc.make_accepted(world.alice, world.operateur, days_left=20, now=world.now)
        make_permission(
            make_service(world.third_party_1), world.acme, until=world.now + timedelta(days=25), now=world.now
        )
        response = world.client("alice").get("/")
        text, page = text_of(response), response.content.decode()
        told = (
            "Code EIC « ACME-DEUX » un complément vous est demandé Compléter",
            "Questionnaire client expire le 15 décembre 2026 Renouveler",
            "Le partage avec Tiers 1 expire bientôt",
            "Code EIC « ACME-UN » brouillon, pas encore envoyé Terminer",
        )
        places = [text.index(one) for one in told]
        assert places == sorted(places)  # what is due first, first
        for address in (f"/eic/{sent.number}/", "/questionnaire/", f"/eic/{draft.number}/"):
            assert f'class="go" href="{address}"' in page

        EicRequest.objects.update(state="submitted")
        KycQuestionnaire.objects.update(valid_until=world.now + timedelta(days=700))
        text = text_of(world.client("alice").get("/"))
        assert "Code EIC" not in text
        assert "Questionnaire client expire" not in text

    def test_name_people_who_wait_to_be_let_in_or_helped(self, world, measured):
        times = {"created_at": world.now, "expires_at": world.now + timedelta(days=2)}
        asked = JoinRequest.objects.create(
            user=world.tiers1.user, siren=world.acme.siren, organisation=world.acme, **times
        )
        LostFactor.objects.create(
            user=world.bob.user,
            how="in_person",
            note="Carte",
            checked_by=world.operateur,
            confirmable_at=world.now,
            **times,
        )
        response = world.client("alice").get("/")
        text, page = text_of(response), response.content.decode()
        assert f"{asked.user} demande à agir pour votre entreprise jusqu’au" in text
        assert f'href="/administration/invitations/demandes/{handle(asked)}/"' in page
        assert "Bob a perdu ses seconds facteurs à confirmer jusqu’au" in text
        text = text_of(world.client("bob").get("/"))
        assert "demande à agir" not in text
        assert "seconds facteurs" not in text

    def test_are_of_those_who_may_do_them(self, world, measured):
        eic.make_draft(world.alice, display_name="ACME-UN")
        Invitation.objects.create(
            kind="member",
            organisation=world.acme,
            email="neuf@acme.example",
            full_name="Neuf",
            created_at=SINCE,
            sent_at=SINCE,
            expires_at=world.now - timedelta(days=1),
        )
        assert "1 invitation sans réponse lien expiré le" in text_of(world.client("alice").get("/"))
        group = create_group(organisation=world.acme, name="Demandeurs", now=SINCE)
        give(group=group, code="requests", now=SINCE)
        text = text_of(world.client("acme_user").get("/"))
        assert "ACME-UN" not in text
        assert "invitation" not in text

    def test_name_what_a_third_party_waits_for_and_is_about_to_lose(self, world, measured):
        make_permission(
            make_service(world.third_party_1), world.acme, until=world.now + timedelta(days=20), now=world.now
        )
        PermissionRequest.objects.create(
            service=make_service(world.third_party_1, "Autre"),
            holder=world.acme,
            eligible_party=world.third_party_1,
            all_points=True,
            valid_until=date(2027, 11, 25),
            state=PermissionState.VALIDATED,
            requested_at=world.now,
        )
        text = text_of(world.client("tiers1").get("/"))
        assert "1 autorisation reçue expire bientôt dernier jour : le 15 décembre 2026" in text
        assert "1 demande d’accès sans réponse depuis le 25 novembre 2026" in text

    def test_are_none_when_nothing_waits(self, world, measured):
        assert "Rien ne vous attend." in text_of(world.client("alice").get("/"))


def at(hour):
    return NOW.replace(hour=hour, minute=0)


class TestLastReads:
    def test_name_who_what_and_when_but_not_oneself(self, world, measured):
        make_reads(world.third_party_1, world.p1, world.acme, at=at(6))
        make_reads(world.third_party_1, world.p2, world.acme, at=at(7))
        make_reads(world.acme, world.p1, world.acme, at=at(8))
        make_reads(world.third_party_2, world.p1, world.acme, at=at(8), outcome="no_permission")
        text = text_of(world.client("alice").get("/"))
        assert "Tiers 1 Courbe de charge, 2 compteurs 08:00" in text
        assert "Tiers 2" not in text

    def test_are_within_the_perimeter(self, world, measured):
        make_reads(world.third_party_1, world.p3, world.acme, at=at(6))
        assert "Tiers 1" not in text_of(world.client("bob").get("/"))

    def test_are_not_shown_without_the_entitlement(self, world, measured):
        make_reads(world.third_party_1, world.p1, world.acme, at=at(6))
        text = text_of(world.client("acme_user").get("/"))
        assert "Dernières lectures" not in text
        assert "Entreprises qui lisent" not in text
        assert "Tiers 1" not in text


class TestOfOthers:
    def test_a_third_party_is_led_to_what_it_receives(self, world, measured):
        make_permission(make_service(world.third_party_1), world.acme, now=world.now)
        response = world.client("tiers1").get("/")
        assert "Votre entreprise ne détient aucun compteur" in text_of(response)
        assert 'href="/partage/recues/"' in response.content.decode()

    def test_a_member_with_an_empty_perimeter_is_told_whom_to_ask(self, world, measured):
        restrict(world.bob, [])
        assert "Votre périmètre est vide" in text_of(world.client("bob").get("/"))

    def test_the_operators_staff_find_their_own(self, world, measured):
        assert "Bonjour" in text_of(world.client("operateur").get("/"))
        assert measured.asked == []


def test_a_change_is_told_over_points_and_days_that_both_years_have_only():
    days = [date(2026, 11, 24) - timedelta(days=n) for n in range(energy.DAYS)]
    some = [1.0] * 20 + [math.nan] * (energy.DAYS - 20)
    present = DailyTotals(["a", "new"], days, np.outer([12, 1000], some))
    past = DailyTotals(["left", "a"], days, np.outer([500, 10], some))
    change, compared = energy._change(*energy._side_by_side(present, past))
    assert (round(change, 6), compared) == (0.2, 1)
    none = DailyTotals([], days, np.empty((0, energy.DAYS)))
    assert energy._change(*energy._side_by_side(present, none)) == (None, 0)
