"""*Les services de données*: the catalogue, what one has, subscribing, and the way to the end."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.sharing import LegalBasis
from gridgate.sharing.models import Permission
from gridgate.sharing.operations.granting import subscribe
from tests.factories.metering import make_held_point
from tests.factories.organisations import restrict
from tests.factories.sharing import make_service
from tests.functional.confirming import button_of, give, hidden_in
from tests.functional.partage.test_who_reads_our_data import text_of


@pytest.fixture
def offer(world):
    return make_service(
        world.third_party_1,
        "Suivi",
        code="suivi",
        kinds=[Kind.LOAD_CURVE, Kind.MAXIMUM_POWER],
        directions=list(FlowDirection),
        history_months=24,
        duration_months=12,
    )


ADDRESS = "/services/suivi/souscrire/"
PRESS = ("do", "subscribe")


def subscribe_to(client, **data):
    return give(client, ADDRESS, {"scope": "all", "until": ""} | data, PRESS)


class TestTheCatalogue:
    def test_what_one_has_and_what_is_offered_stand_apart(self, world, offer):
        mine = make_service(world.third_party_2, "Pilotage", code="pilotage")
        subscribe(actor=world.alice, service=mine, points=None, now=world.now)
        page = world.client("alice").get("/services/")
        had, offered = page.content.decode().split('id="offered"')
        assert "Pilotage" in had
        assert "Suivi" not in had
        assert "/services/suivi/souscrire/" in offered
        assert "/services/pilotage/souscrire/" not in offered

    def test_what_the_law_asks_is_there_with_its_reason_and_no_end(self, world):
        make_service(
            world.operator, "Relève", code="releve", legal_basis=LegalBasis.PUBLIC_TASK, offered=False
        )
        page = world.client("alice").get("/services/")
        assert "Relève" in text_of(page)
        assert "Code de l’énergie, article L. 322‑8" in text_of(page)
        assert "Non résiliable" in text_of(page)

    def test_a_service_can_be_searched_for(self, world, offer):
        for number in range(8):
            make_service(world.third_party_2, f"Autre {number}")
        page = text_of(world.client("alice").get("/services/?q=suivi"))
        assert "Autre 1" not in page
        assert "Suivi" in page
        assert "Aucun service pour « rien »" in text_of(world.client("alice").get("/services/?q=rien"))

    def test_the_page_asks_the_registry_as_often_for_twice_as_much(self, world, offer):
        client = world.client("alice")

        def statements():
            with CaptureQueriesContext(connection) as captured:
                client.get("/services/")
            return len(captured)

        for number in range(2):
            service = make_service(world.third_party_2, f"Mien {number}")
            subscribe(actor=world.alice, service=service, points=[world.p1.pk], now=world.now)
        statements()  # the first page of a session also lists the session
        before = statements()
        for number in range(4):
            service = make_service(world.third_party_3, f"Aussi {number}")
            subscribe(actor=world.alice, service=service, points=[world.p2.pk], now=world.now)
            make_service(world.third_party_3, f"Offert {number}")
        assert statements() == before


class TestOneService:
    def test_says_exactly_what_is_read_by_whom_why_and_on_which_ground(self, world, offer):
        page = text_of(world.client("alice").get("/services/suivi/"))
        for said in (
            "Courbe de charge",
            "Puissance maximale",
            "soutirage et injection",
            "24 mois avant la souscription",
            "Tiers 1, SIREN 222 333 445",
            "Suivre la consommation",
            "votre consentement",
            offer.contact_email,
            "12 mois",
            "Ici, à tout moment, sans motif.",
        ):
            assert said in page

    def test_one_that_is_had_leads_to_its_end_and_to_more(self, world, offer):
        permission = subscribe(actor=world.alice, service=offer, points=None, now=world.now)
        page = world.client("alice").get("/services/suivi/").content.decode()
        assert f"/partage/autorisations/{permission.pk}/resilier/" in page
        assert f"/partage/autorisations/{permission.pk}/prolonger/" in page
        assert "Étendre à d’autres compteurs" in page

    def test_one_that_the_member_cannot_end_says_who_can(self, world, offer):
        subscribe(actor=world.alice, service=offer, points=[world.p1.pk, world.p3.pk], now=world.now)
        page = text_of(world.client("bob").get("/services/suivi/"))
        assert "un administrateur de votre entreprise peut l’arrêter" in page
        assert "Ici, à tout moment" not in page
        assert "un administrateur" not in text_of(world.client("alice").get("/services/suivi/"))

    def test_one_that_is_not_offered_is_not_found(self, world):
        make_service(world.third_party_1, code="retire", offered=False)
        client = world.client("alice")
        for address in ("/services/retire/", "/services/retire/souscrire/", "/services/nulle-part/"):
            assert client.get(address).status_code == 404


class TestSubscribing:
    def test_to_all_points_now_and_later(self, world, offer):
        response = subscribe_to(world.client("alice"))
        assert response["Location"] == "/partage/222333445/"
        permission = Permission.objects.get()
        assert permission.all_points
        assert permission.valid_until == datetime(2027, 11, 24, 23, tzinfo=UTC)

    def test_to_some_points_until_a_day_that_counts(self, world, offer):
        client = world.client("alice")
        subscribe_to(client, scope="some", point=[world.p1.pk, world.p4.pk], until="2027-03-31")
        permission = Permission.objects.get()
        assert {point.metering_point_id for point in permission.points.all()} == {world.p1.pk, world.p4.pk}
        assert permission.valid_until == datetime(
            2027, 3, 31, 22, tzinfo=UTC
        )  # the last day included, summer time

    @pytest.mark.parametrize("until", ["2026-11-24", "2029-11-26", "demain"])
    def test_an_end_that_cannot_be_is_told_beside_its_field(self, world, offer, until):
        response = subscribe_to(world.client("alice"), until=until)
        assert response.status_code == 422
        assert "Rien n’est encore souscrit" in text_of(response)
        assert 'aria-invalid="true"' in response.content.decode()
        assert not Permission.objects.exists()

    def test_no_point_is_told(self, world, offer):
        response = subscribe_to(world.client("alice"), scope="some")
        assert response.status_code == 422
        assert "Choisissez au moins un compteur." in text_of(response)

    def test_another_companys_point_is_not_one_to_choose(self, world, offer):
        response = subscribe_to(world.client("alice"), scope="some", point=[world.p5.pk])
        assert response.status_code == 422
        assert not Permission.objects.exists()

    def test_twice_is_told_and_later_extends(self, world, offer):
        client = world.client("alice")
        subscribe_to(client)
        again = subscribe_to(client)
        assert again.status_code == 422
        assert "Ce partage existe déjà" in text_of(again)
        page = text_of(client.get("/services/suivi/souscrire/"))
        assert "Vous avez déjà ce service" in page
        assert "Compteurs : 4, tous, présents et à venir ; fin : 24 novembre 2027." in page
        assert subscribe_to(client, until="2028-11-24").status_code == 302
        assert Permission.objects.get().valid_until == datetime(2028, 11, 24, 23, tzinfo=UTC)

    def test_a_restricted_member_subscribes_within_their_perimeter(self, world, offer):
        client = world.client("bob")
        page = client.get(ADDRESS)
        assert "Lyon Gerland, bureaux" not in text_of(page)
        assert 'value="all"' not in page.content.decode()
        subscribe_to(client, scope="", point=[world.p1.pk])
        permission = Permission.objects.get()
        assert not permission.all_points
        assert [point.metering_point_id for point in permission.points.all()] == [world.p1.pk]

    def test_all_of_a_large_perimeter_is_those_points_and_not_later_ones(self, world, offer):
        more = [make_held_point(world.acme).pk for _ in range(40)]
        restrict(world.bob, [world.p1.pk, world.p2.pk, *more])
        page = text_of(world.client("bob").get("/services/suivi/souscrire/"))
        assert "Tous ceux de votre périmètre" in page
        subscribe_to(world.client("bob"), scope="all")
        permission = Permission.objects.get()
        assert not permission.all_points
        assert permission.points.count() == 42

    def test_a_very_long_search_finds_nothing(self, world, offer):
        """A database refuses to look for one of more than 50,000 bytes; a form may bring it, an address may not."""
        for _ in range(30):
            make_held_point(world.acme)
        client, text = world.client("alice"), "[" * 60_000
        form = {"do": "search", "q": text, "scope": "some", "until": ""}
        assert client.post(ADDRESS, form).status_code == 200
        for path in (
            "/services/",
            "/partage/recus/",
            "/administration/groupes/",
            "/administration/services/",
        ):
            assert client.get(path, {"q": text}).status_code == 200
        assert world.client("tiers1").get("/partage/recues/", {"q": text}).status_code == 200
        assert (
            world.client("operateur").get("/administration/services-de-donnees/", {"q": text}).status_code
            == 200
        )

    def test_a_press_on_search_subscribes_to_nothing(self, world, offer):
        for _ in range(40):
            make_held_point(world.acme)
        client = world.client("alice")
        response = client.post(
            "/services/suivi/souscrire/", {"do": "search", "q": "usine", "scope": "some", "until": ""}
        )
        assert response.status_code == 200
        assert f'value="{world.p1.pk}"' in response.content.decode()
        assert not Permission.objects.exists()


class TestNothingIsGivenThatWasNotChosen:
    """On souscrire: what is not chosen is not given, what says two things is refused, what is given is said first."""

    def test_nothing_is_chosen_beforehand(self, world, offer):
        for name in ("alice", "bob"):
            page = world.client(name).get(ADDRESS).content.decode()
            assert " checked" not in page
        for _ in range(40):
            make_held_point(world.acme)
        assert " checked" not in world.client("alice").get(ADDRESS).content.decode()

    def test_the_form_as_it_opens_gives_nothing(self, world, offer):
        response = world.client("alice").post(ADDRESS, {"do": "subscribe", "until": ""})
        assert response.status_code == 422
        assert "Choisissez au moins un compteur." in text_of(response)
        assert not Permission.objects.exists()

    def test_a_tick_alone_is_that_meter_alone(self, world, offer):
        subscribe_to(world.client("alice"), scope="", point=[world.p3.pk])
        make_held_point(world.acme)
        permission = Permission.objects.get()
        assert not permission.all_points
        assert [point.metering_point_id for point in permission.points.all()] == [world.p3.pk]

    @pytest.mark.parametrize(
        "data",
        [
            {"scope": "all", "point": ["30001480112233"]},
            {"scope": "all", "paste": "30001480112233"},
            {"scope": ["all", "some"], "point": ["30001480112233"]},
            {"scope": ["all", "some"]},
            {"scope": "tout", "point": ["30001480112233"]},
            {"scope": "some"},
        ],
    )
    def test_a_choice_that_says_two_things_or_none_is_refused(self, world, offer, data):
        response = world.client("alice").post(ADDRESS, {"do": "subscribe", "until": "2027-03-31"} | data)
        assert response.status_code == 422
        assert "Rien n’est encore souscrit" in text_of(response)
        page = response.content.decode()
        assert 'value="2027-03-31"' in page
        assert not data.get("point") or 'value="30001480112233" checked' in page
        assert not Permission.objects.exists()

    @pytest.mark.parametrize("name", ["alice", "bob"])
    def test_a_point_that_is_not_offered_refuses_the_whole(self, world, offer, name):
        stranger = world.p5.pk if name == "alice" else world.p3.pk
        response = world.client(name).post(
            ADDRESS, {"do": "subscribe", "scope": "some", "point": [world.p1.pk, stranger], "until": ""}
        )
        assert response.status_code == 422
        assert f"« {stranger} » n’est pas l’un des compteurs proposés." in text_of(response)
        assert f'value="{world.p1.pk}" checked' in response.content.decode()
        assert not Permission.objects.exists()

    def test_all_is_not_a_choice_of_who_sees_a_part(self, world, offer):
        response = world.client("bob").post(ADDRESS, {"do": "subscribe", "scope": "all", "until": ""})
        assert response.status_code == 422
        assert not Permission.objects.exists()

    def test_what_is_given_is_said_before_and_on_the_button(self, world, offer):
        data = {
            "do": "subscribe",
            "scope": "some",
            "point": [world.p1.pk, world.p4.pk],
            "until": "2027-03-31",
        }
        page = world.client("alice").post(ADDRESS, data)
        assert page.status_code == 200
        assert not Permission.objects.exists()
        assert button_of(page, "subscribe") == "Autoriser pour 2 compteurs"
        for said in ("Lyon Gerland, usine", "Nantes Beaulieu, bureaux", "31 mars 2027", "et aucun autre"):
            assert said in text_of(page)
        assert "Lyon Gerland, bureaux" not in text_of(page)

    def test_all_now_and_later_is_said_as_such(self, world, offer):
        page = world.client("alice").post(ADDRESS, {"do": "subscribe", "scope": "all", "until": ""})
        assert button_of(page, "subscribe") == "Autoriser pour tous vos compteurs, présents et à venir"
        assert "4 compteurs aujourd’hui, et chacun de ceux que vous aurez ensuite." in text_of(page)

    def test_an_end_left_empty_is_said_as_the_day_that_is_given(self, world, offer):
        client = world.client("alice")
        assert "Laissé vide : jusqu’au 24 novembre 2027." in text_of(client.get(ADDRESS))
        page = client.post(ADDRESS, {"do": "subscribe", "scope": "all", "until": ""})
        assert "Jusqu’au 24 novembre 2027" in text_of(page)
        client.post(ADDRESS, hidden_in(page) | {"do": "subscribe"})
        assert Permission.objects.get().valid_until == datetime(2027, 11, 24, 23, tzinfo=UTC)

    def test_without_an_end_of_its_own_it_lasts_as_long_as_the_title(self, world):
        make_service(world.third_party_1, code="durable", duration_months=0)
        client, address = world.client("alice"), "/services/durable/souscrire/"
        assert "Laissé vide : tant que vous êtes titulaire." in text_of(client.get(address))
        page = client.post(address, {"do": "subscribe", "scope": "all", "until": ""})
        assert "Jusqu’au tant que vous êtes titulaire" in text_of(page)

    @pytest.mark.parametrize(
        "change", [{"point": ["30001480112255"]}, {"scope": ["all"], "point": []}, {"until": ["2029-11-25"]}]
    )
    def test_what_was_read_is_what_is_given(self, world, offer, change):
        client = world.client("alice")
        data = {"do": "subscribe", "scope": "some", "point": [world.p1.pk], "until": "2027-03-31"}
        said = hidden_in(client.post(ADDRESS, data))
        page = client.post(ADDRESS, said | {"do": "subscribe"} | change)
        assert page.status_code == 409
        assert "Le choix n’est plus celui que vous aviez lu." in text_of(page)
        assert not Permission.objects.exists()

    def test_one_can_go_back_and_finds_the_choice_again(self, world, offer):
        client = world.client("alice")
        data = {"do": "subscribe", "scope": "some", "point": [world.p4.pk], "until": "2027-03-31"}
        page = client.post(ADDRESS, hidden_in(client.post(ADDRESS, data)) | {"do": "edit"})
        assert f'value="{world.p4.pk}" checked' in page.content.decode()
        assert 'value="2027-03-31"' in page.content.decode()
        assert not Permission.objects.exists()


def test_english_is_complete(world, offer):
    for address in ("/services/", "/services/suivi/", "/services/suivi/souscrire/"):
        page = text_of(world.client("alice", language="en").get(address))
        assert "Suivi (en)" in page
        assert "Souscrire" not in page
