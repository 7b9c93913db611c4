"""A holder asks for load curves, ends them, opposes them; sees first what that does."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.core.quantities import Kind
from gridgate.metering.models import LoadCurveCollection, MeteringPoint, PointVersion
from gridgate.metering.operations.collections import end_collections_of_former_holders, set_collection
from gridgate.metering.operations.titles import move_in
from gridgate.organisations.models import Organisation
from gridgate.portal.screens.metering_points.rows import collection
from tests.factories.metering import leave, make_held_point, make_holding
from tests.factories.sharing import make_permission, make_service
from tests.world import World

SUMMARY = "/collecte/resume/"


def state_of(point: MeteringPoint) -> str | None:
    return (
        LoadCurveCollection.objects.filter(metering_point=point, until=None)
        .values_list("state", flat=True)
        .first()
    )


def text_of(response) -> str:
    return response.content.decode().replace("\xa0", " ").replace("\u202f", " ")


class TestTheList:
    def test_shows_each_state_with_its_date(self, world: World) -> None:
        set_collection(actor=world.alice, points=[world.p1.pk], state="requested", now=world.now)
        page = world.client("alice").get("/collecte/")
        row = next(row for row in page.context["rows"] if row.id == world.p1.pk)
        assert (row.collection.text, row.collection_since) == ("Active", world.now)
        assert [figure.value for figure in page.context["figures"]] == ["1", "0", "3", "0"]

    def test_can_be_narrowed_to_each_state_that_it_shows(self, world: World) -> None:
        page = world.client("alice").get("/collecte/")
        offered = {str(label) for _value, label in page.context["form"].fields["courbe"].choices}
        shown = {collection(state).text for state in (None, *LoadCurveCollection.State)}
        assert shown <= offered

    def test_ends_no_line_with_a_point_where_there_is_no_address(self, world: World) -> None:
        PointVersion.objects.filter(metering_point=world.p2).update(postcode="", city="")
        client = world.client("alice")
        summary = client.post(SUMMARY, {"action": "requested", "point": [world.p2.pk]})
        for page in (client.get("/collecte/"), summary):
            assert "· </small>" not in text_of(page)

    def test_speaks_english(self, world: World) -> None:
        page = text_of(world.client("alice", language="en").get("/collecte/"))
        assert "Manage load-curve collection" in page
        assert "What each state means" in page

    def test_asks_for_the_entitlement(self, world: World) -> None:
        for address in ("/collecte/", f"/collecte/{world.p1.pk}/", SUMMARY):
            assert world.client("acme_user").get(address).status_code == 403

    def test_leaves_out_points_that_the_company_has_left(self, world: World) -> None:
        move_in(metering_point=world.p1, holder=world.client_b, on=date(2026, 11, 1), now=world.now)
        page = world.client("alice").get("/collecte/")
        assert world.p1.pk not in {row.id for row in page.context["rows"]}
        assert world.client("alice").get(f"/collecte/{world.p1.pk}/").status_code == 404

    def test_filters_by_state(self, world: World) -> None:
        set_collection(actor=world.alice, points=[world.p1.pk], state="opposed", now=world.now)
        page = world.client("alice").get("/collecte/?courbe=opposed")
        assert [row.id for row in page.context["rows"]] == [world.p1.pk]
        assert [one.label.replace("\xa0", " ") for one in page.context["filters"]] == ["Courbe : opposée"]


class TestThePoint:
    def test_says_what_an_earlier_time_had(self, world: World) -> None:
        asked = world.now - timedelta(days=90)
        set_collection(actor=world.alice, points=[world.p1.pk], state="requested", now=asked)
        leave(world.p1.pk, date(2026, 10, 1))
        end_collections_of_former_holders(now=world.now)
        make_holding(world.p1, world.acme, since=date(2026, 11, 2))
        page = text_of(world.client("alice").get(f"/collecte/{world.p1.pk}/"))
        assert (
            "aucune demande enregistrée depuis le 2 novembre 2026, premier jour de votre titularité présente"
            in page
        )
        assert "aucune demande enregistrée ici" not in page
        assert (
            "De toutes vos titularités : du 1ᵉʳ janvier 2024 au 30 septembre 2026, puis depuis le 2 novembre 2026."
            in page
        )
        assert "De toutes vos titularités" not in text_of(
            world.client("alice").get(f"/collecte/{world.p2.pk}/")
        )

    def test_asserts_nothing_of_a_curve_that_comes_without_having_been_asked_for_here(
        self, world: World
    ) -> None:
        for address, said in (
            ("/collecte/", "aucune demande enregistrée, ou terminée"),
            (f"/collecte/{world.p1.pk}/", "Aucune demande n’est enregistrée ici."),
        ):
            page = text_of(world.client("alice").get(address))
            assert said in page
            for claim in ("amais demandée", "que si vous le demandez", "pas demandée", "le compteur efface"):
                assert claim not in page

    def test_shows_its_history_and_what_can_follow(self, world: World) -> None:
        set_collection(
            actor=world.alice, points=[world.p1.pk], state="requested", now=world.now - timedelta(days=9)
        )
        set_collection(actor=world.alice, points=[world.p1.pk], state="ended", now=world.now)
        page = world.client("alice").get(f"/collecte/{world.p1.pk}/")
        assert [(past.state.text, past.by) for past in page.context["collections"]] == [
            ("Terminée", "Alice"),
            ("Active", "Alice"),
        ]
        assert [action.state for action in page.context["actions"]] == ["requested", "opposed"]

    @pytest.mark.parametrize(("who", "point"), [("bob", "p3"), ("alice", "p5"), ("charlie", "p1")])
    def test_is_absent_for_those_who_may_not_see_it(self, world: World, who: str, point: str) -> None:
        assert world.client(who).get(f"/collecte/{getattr(world, point).pk}/").status_code == 404


class TestTheSummary:
    def test_changes_nothing_until_it_is_confirmed(self, world: World) -> None:
        client = world.client("alice")
        asked = {"action": "requested", "point": [world.p1.pk, world.p2.pk]}
        summary = client.post(SUMMARY, asked)
        assert summary.status_code == 200
        assert "Activer la collecte sur 2 compteurs ?" in text_of(summary)
        assert not LoadCurveCollection.objects.exists()

        done = client.post(SUMMARY, asked | {"confirme": summary.context["seen"]}, follow=True)
        assert "La collecte est active sur 2 compteurs." in text_of(done)
        assert (state_of(world.p1), state_of(world.p2), state_of(world.p3)) == ("active", "active", None)

    def test_says_which_meters_wait_for_a_visit_and_which_keep_their_state(self, world: World) -> None:
        PointVersion.objects.filter(metering_point=world.p2.pk).update(meter_type="OTHER")
        set_collection(actor=world.alice, points=[world.p3.pk], state="requested", now=world.now)
        ids = [world.p1.pk, world.p2.pk, world.p3.pk]
        summary = world.client("alice").post(SUMMARY, {"action": "requested", "point": ids})
        foreseen = summary.context["foreseen"]
        assert (foreseen.at_once, foreseen.later, foreseen.kept) == (1, 1, 1)

    @pytest.mark.parametrize(
        ("action", "said"),
        [
            (
                "ended",
                "Dès que vous confirmez, votre demande de ne plus relever la courbe de charge est enregistrée.",
            ),
            ("opposed", "et le portail ne retient plus la courbe de charge qui arriverait"),
        ],
    )
    def test_says_what_the_portal_does_and_not_what_the_meter_does(
        self, world: World, action: str, said: str
    ) -> None:
        set_collection(actor=world.alice, points=[world.p1.pk], state="requested", now=world.now)
        page = text_of(world.client("alice").post(SUMMARY, {"action": action, "point": [world.p1.pk]}))
        assert said in page
        assert "immédiatement" not in page
        assert "efface" not in page

    def test_has_nothing_to_confirm_when_nothing_changes(self, world: World) -> None:
        summary = world.client("alice").post(SUMMARY, {"action": "ended", "point": [world.p1.pk]})
        assert "Rien à changer" in text_of(summary)
        assert 'name="confirme"' not in text_of(summary)

    def test_warns_what_an_opposition_ends(self, world: World) -> None:
        curve = make_service(world.third_party_1, kinds=[Kind.LOAD_CURVE])
        both = make_service(world.third_party_2, kinds=[Kind.LOAD_CURVE, Kind.DAILY_ENERGY])
        energy = make_service(world.third_party_3, kinds=[Kind.DAILY_ENERGY])
        ended = make_permission(curve, world.acme, points=[world.p1], now=world.now)
        for service in (both, energy):
            make_permission(service, world.acme, points=[world.p1], now=world.now)
        client = world.client("alice")
        asked = {"action": "opposed", "point": [world.p1.pk]}
        summary = client.post(SUMMARY, asked)
        said = [(one.company.legal_name, one.ends) for one in summary.context["consequences"]]
        assert said == [("Tiers 1", True), ("Tiers 2", False)]

        client.post(SUMMARY, asked | {"confirme": summary.context["seen"]})
        ended.refresh_from_db()
        assert ended.state == "invalidated"
        assert state_of(world.p1) == "opposed"

    def test_does_not_say_that_a_permission_ends_while_another_point_is_left_to_it(
        self, world: World
    ) -> None:
        curve = make_service(world.third_party_1, kinds=[Kind.LOAD_CURVE])
        make_permission(curve, world.acme, points=[world.p1, world.p2], now=world.now)
        client = world.client("alice")
        summary = client.post(SUMMARY, {"action": "opposed", "point": [world.p1.pk]})
        assert [one.ends for one in summary.context["consequences"]] == [False]
        summary = client.post(SUMMARY, {"action": "opposed", "point": [world.p1.pk, world.p2.pk]})
        assert [one.ends for one in summary.context["consequences"]] == [True]

    def test_acts_on_all_that_the_filters_let_through(
        self, world: World, many_points: Callable[[Organisation, int], None]
    ) -> None:
        many_points(world.acme, 300)
        client = world.client("alice")
        asked = {"action": "requested", "tous": "100", "q": "site", "commune": "Bron"}
        summary = client.post(SUMMARY, asked)
        assert summary.context["chosen"] == 100
        assert ("commune", "Bron") in summary.context["carried"]
        client.post(SUMMARY, asked | {"confirme": summary.context["seen"]})
        assert LoadCurveCollection.objects.filter(state="active").count() == 100

    def test_is_shown_again_when_what_was_chosen_has_changed(
        self, world: World, many_points: Callable[[Organisation, int], None]
    ) -> None:
        many_points(world.acme, 30)
        client = world.client("alice")
        asked = {"action": "requested", "tous": "30", "q": "site"}
        seen = client.post(SUMMARY, asked).context["seen"]
        leave("30005000000000", world.now.date())
        make_held_point(world.acme, label="Site de plus")  # as many, and not the same
        summary = client.post(SUMMARY, asked | {"confirme": seen})
        assert summary.context["chosen"] == 30
        assert not LoadCurveCollection.objects.exists()

    @pytest.mark.parametrize(
        "twice", [{"tous": "4", "point": ["30001480112233"]}, {"tous": "4", "commune": "Nulle-Part"}]
    )
    def test_refuses_what_would_be_read_as_more_than_was_meant(
        self, world: World, twice: dict[str, object]
    ) -> None:
        done = world.client("alice").post(SUMMARY, {"action": "requested"} | twice, follow=True)
        assert done.redirect_chain[-1][0] == "/collecte/"
        assert re.search(r"gardez l’un ou l’autre|L’un des filtres n’existe plus", text_of(done))
        assert not LoadCurveCollection.objects.exists()

    def test_takes_thousands_in_as_many_statements_as_a_few(
        self, world: World, many_points: Callable[[Organisation, int], None]
    ) -> None:
        many_points(world.acme, 3_000)
        client = world.client("alice")
        client.post(SUMMARY, {"action": "requested", "point": [world.p1.pk]})
        with CaptureQueriesContext(connection) as few:
            client.post(SUMMARY, {"action": "requested", "point": [world.p1.pk]})
        with CaptureQueriesContext(connection) as many:
            summary = client.post(SUMMARY, {"action": "requested", "tous": "3000", "q": "site"})
        assert summary.context["chosen"] == 3_000
        assert len(many) <= len(few) + 1  # the cities of the filter

    @pytest.mark.parametrize(
        ("who", "point"), [("bob", "p3"), ("alice", "p5"), ("charlie", "p1"), ("operateur", "p1")]
    )
    def test_does_not_know_points_that_one_may_not_see(self, world: World, who: str, point: str) -> None:
        own = {"bob": world.p1, "alice": world.p1, "charlie": world.p5, "operateur": world.p1}[who]
        asked = {"action": "opposed", "point": [own.pk, getattr(world, point).pk], "confirme": "2"}
        assert world.client(who).post(SUMMARY, asked).status_code == 404
        assert not LoadCurveCollection.objects.exists()

    def test_passes_over_points_that_the_company_has_left(self, world: World) -> None:
        move_in(metering_point=world.p1, holder=world.client_b, on=date(2026, 11, 1), now=world.now)
        asked = {"action": "requested", "point": [world.p1.pk, world.p2.pk]}
        assert world.client("alice").post(SUMMARY, asked).context["chosen"] == 1

    def test_sends_back_who_chose_nothing(self, world: World) -> None:
        done = world.client("alice").post(SUMMARY, {"action": "requested"}, follow=True)
        assert "Choisissez au moins un compteur" in text_of(done)

    def test_is_not_reached_by_an_address(self, world: World) -> None:
        assert world.client("alice").get(SUMMARY).headers["Location"] == "/collecte/"
