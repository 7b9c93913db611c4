"""What a third party asks: nothing is read before the answer, and both answers weigh the same."""

import re
from datetime import date
from uuid import uuid4

import pytest

from gridgate.organisations.operations.services import give as give_entitlement
from gridgate.sharing.models import AccessLine, Permission, PermissionRequest
from gridgate.sharing.operations.granting import subscribe
from gridgate.sharing.operations.requesting import accept_request, refuse_request, request_permission
from tests.factories.metering import make_held_point
from tests.factories.organisations import SINCE
from tests.factories.sharing import make_service
from tests.functional.confirming import button_of, give, hidden_in
from tests.functional.partage.test_who_reads_our_data import text_of


@pytest.fixture
def ask(world):
    """Tiers 1 asks ACME for a service on these points (none: on all)."""

    def asking(*points, **more):
        return request_permission(
            requester=world.tiers1,
            service=make_service(world.third_party_1, "Devis"),
            holder=world.acme,
            points=[point.pk for point in points] or None,
            valid_until=date(2027, 5, 31),
            now=world.now,
            **more,
        )

    return asking


def accept(client, request, **data):
    return give(client, address(request), data, ("answer", "accept"))


def address(request):
    return f"/partage/demandes/{request.pk}/"


def state_of(request):
    return PermissionRequest.objects.get(pk=request.pk).state


def test_a_request_waits_on_the_sharing_page_and_in_the_menu(world, ask):
    request = ask(world.p1, world.p2)
    page = world.client("alice").get("/partage/")
    assert "Tiers 1 demande à lire 2 de vos compteurs" in text_of(page)
    assert address(request) in page.content.decode()
    assert "1 demande en attente" in text_of(page)


def test_it_says_who_what_why_and_until_when(world, ask):
    request = ask(world.p1, world.p2, message="Pour votre toiture.", history_from=date(2026, 1, 1))
    page = text_of(world.client("alice").get(address(request)))
    for said in (
        "Vous répondez pour ACME Industries , SIREN 111 222 337",
        "Tiers 1 demande à lire les mesures de 2 compteurs",
        "« Pour votre toiture. »",
        "Courbe de charge",
        "votre consentement",
        "Lyon Gerland, usine",
        "depuis le 1ᵉʳ janvier 2026",
        "31 mai 2027",
    ):
        assert said in page


def test_both_answers_have_the_same_size(world, ask):
    page = world.client("alice").get(address(ask(world.p1))).content.decode()
    assert re.findall(r'<button class="(btn big \w+)" name="answer" value="(\w+)">', page) == [
        ("btn big ink", "refuse"),
        ("btn big primary", "accept"),
    ]


def test_accepting_shares_the_points_left_ticked(world, ask):
    request = ask(world.p1, world.p2)
    response = accept(world.client("alice"), request, point=[world.p1.pk])
    assert response["Location"] == "/partage/222333445/"
    permission = Permission.objects.get()
    assert [point.metering_point_id for point in permission.points.all()] == [world.p1.pk]
    assert AccessLine.objects.filter(permission=permission).count() == 1


def test_accepting_all_of_a_request_on_all_points_covers_later_ones_too(world, ask):
    request = ask()
    page = text_of(world.client("alice").get(address(request)))
    assert "Tiers 1 demande à lire les mesures de tous vos compteurs" in page
    assert "Tous vos compteurs, présents et à venir" in page
    accept(world.client("alice"), request, scope="all")
    assert Permission.objects.get().all_points


def test_a_request_on_all_points_can_be_given_some(world, ask):
    accept(world.client("alice"), ask(), scope="some", point=[world.p3.pk])
    permission = Permission.objects.get()
    assert not permission.all_points
    assert permission.points.get().metering_point_id == world.p3.pk


def test_accepting_nothing_is_told_and_gives_nothing(world, ask):
    request = ask(world.p1)
    response = world.client("alice").post(address(request), {"answer": "accept"})
    assert response.status_code == 422
    assert "Choisissez au moins un compteur." in text_of(response)
    assert not Permission.objects.exists()
    assert state_of(request) == "requested"


def test_only_points_that_were_asked_for_are_given(world, ask):
    request = ask(world.p1)
    response = accept(world.client("alice"), request, point=[world.p1.pk, world.p3.pk])
    assert response.status_code == 422
    assert f"« {world.p3.pk} » n’est pas l’un des compteurs proposés." in text_of(response)
    assert not Permission.objects.exists()
    assert state_of(request) == "requested"


def test_refusing_gives_nothing(world, ask):
    request = ask(world.p1)
    response = world.client("alice").post(address(request), {"answer": "refuse"}, follow=True)
    assert "Demande refusée : elle n’ouvre aucun accès à Tiers 1." in text_of(response)
    assert state_of(request) == "refused"
    assert not Permission.objects.exists()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            lambda world, request: refuse_request(actor=world.alice, request_id=request.pk, now=world.now),
            "refusée",
        ),
        (
            lambda world, request: accept_request(
                actor=world.alice, request_id=request.pk, points=None, now=world.now
            ),
            "acceptée",
        ),
        (
            lambda world, request: PermissionRequest.objects.filter(pk=request.pk).update(state="timed_out"),
            "close sans réponse",
        ),
    ],
)
def test_one_that_is_answered_says_so_and_takes_no_other_answer(world, ask, answer, said):
    request = ask(world.p1)
    answer(world, request)
    before = state_of(request)
    client = world.client("alice")
    assert f"Tiers 1 : demande {said}" in text_of(client.get(address(request)))
    client.post(address(request), {"answer": "refuse"})
    assert state_of(request) == before


def test_a_restricted_member_answers_within_their_perimeter_only(world, ask):
    within, beyond = ask(world.p1), ask(world.p1, world.p3)
    client = world.client("bob")
    client.post(address(within), {"answer": "refuse"})
    assert state_of(within) == "refused"
    page = client.get(address(beyond))
    assert "Un administrateur doit répondre" in text_of(page)
    assert 'name="answer"' not in page.content.decode()
    for said in ("refuse", "accept"):
        client.post(address(beyond), {"answer": said, "point": [world.p1.pk]})
    assert state_of(beyond) == "requested"


def test_another_companys_request_is_as_absent(world, ask):
    request = ask(world.p1)
    assert world.client("charlie").get(address(request)).status_code == 404
    assert world.client("alice").get(f"/partage/demandes/{uuid4()}/").status_code == 404


def ticked_in(page):
    return set(re.findall(r'name="point" value="(\w+)" checked', page.content.decode()))


def said_on(page):
    """What the button says as the page opens, by which of its texts the style sheet shows when."""
    return dict(re.findall(r'<span class="([\w-]+)">(.*?)</span>', button_of(page, "accept")))


class TestWhatIsGivenIsWhatWasAskedOrLess:
    def test_exactly_what_is_asked_is_chosen_at_first(self, world, ask):
        page = world.client("alice").get(address(ask(world.p1, world.p3)))
        assert ticked_in(page) == {world.p1.pk, world.p3.pk}
        assert said_on(page) == {
            "as-said": "Autoriser",
            "as-asked": "Autoriser pour 2 compteurs",
            "as-changed": "Vérifier avant d’autoriser",
        }
        everything = world.client("alice").get(address(ask()))
        assert 'value="all" checked' in everything.content.decode()
        assert ticked_in(everything) == set()
        assert said_on(everything)["as-asked"] == "Autoriser pour tous vos compteurs, présents et à venir"

    def test_the_page_as_it_opens_gives_that_in_one_press(self, world, ask):
        for request, points in ((ask(world.p1, world.p3), [world.p1.pk, world.p3.pk]), (ask(), [])):
            client = world.client("alice")
            page = client.get(address(request))
            data = hidden_in(page) | {"answer": "accept", "point": points}
            response = client.post(address(request), data | ({} if points else {"scope": "all"}))
            assert response.status_code == 302
            permission = Permission.objects.get(request=request)
            assert {point.metering_point_id for point in permission.points.all()} == set(points)
            assert permission.all_points == (not points)

    def test_less_is_said_again_before_it_is_given(self, world, ask):
        request = ask(world.p1, world.p3)
        client = world.client("alice")
        data = hidden_in(client.get(address(request))) | {"answer": "accept", "point": [world.p3.pk]}
        page = client.post(address(request), data)
        assert page.status_code == 200
        assert button_of(page, "accept") == "Autoriser pour 1 compteur"
        assert "Vous répondez pour ACME Industries , SIREN 111 222 337" in text_of(page)
        assert "Base légale votre consentement" in text_of(page)
        assert "Lyon Gerland, bureaux" in text_of(page)
        assert not Permission.objects.exists()
        client.post(address(request), hidden_in(page) | {"answer": "accept"})
        assert Permission.objects.get().points.get().metering_point_id == world.p3.pk

    @pytest.mark.parametrize(
        "data",
        [
            {"scope": "all", "point": ["30001480112233"]},
            {"scope": ["all", "some"]},
            {"scope": "some"},
        ],
    )
    def test_a_choice_that_says_two_things_or_none_is_refused(self, world, ask, data):
        request = ask()
        response = world.client("alice").post(address(request), {"answer": "accept"} | data)
        assert response.status_code == 422
        assert "Rien n’est encore accordé" in text_of(response)
        assert not data.get("point") or ticked_in(response) == set(data["point"])
        assert not Permission.objects.exists()

    def test_all_now_and_later_is_not_given_to_who_asked_for_some(self, world, ask):
        request = ask(world.p1)
        response = world.client("alice").post(address(request), {"answer": "accept", "scope": "all"})
        assert response.status_code == 422
        assert not Permission.objects.exists()

    def test_both_answers_at_once_are_none(self, world, ask):
        request = ask(world.p1)
        data = hidden_in(world.client("alice").get(address(request)))
        world.client("alice").post(
            address(request), data | {"answer": ["accept", "refuse"], "point": [world.p1.pk]}
        )
        assert state_of(request) == "requested"
        assert not Permission.objects.exists()

    def test_what_one_button_said_gives_no_other_request(self, world, ask):
        first, second = ask(world.p1), ask(world.p1)
        data = hidden_in(world.client("alice").get(address(first)))
        page = world.client("alice").post(
            address(second), data | {"answer": "accept", "point": [world.p1.pk]}
        )
        assert page.status_code == 200
        assert not Permission.objects.exists()


class TestWhoSeesAPartOfWhatIsAsked:
    """« 5 compteurs » above one's own one is not the truth: how many one sees is said, and nothing of the others."""

    def test_is_told_how_many_they_see(self, world, ask):
        request = ask(world.p1, world.p3, world.p4)
        for at in (address(request), "/partage/"):
            page = text_of(world.client("bob").get(at))
            assert "3 compteurs" in page
            assert "dont 1 que vous voyez" in page
            assert "Lyon Gerland, bureaux" not in page
        assert "dont" not in text_of(world.client("alice").get("/partage/")).split("demande à lire")[1][:60]

    def test_all_is_not_said_of_a_part(self, world, ask):
        request = ask()
        page = text_of(world.client("bob").get(address(request)))
        assert "tous les compteurs de votre entreprise, dont 2 que vous voyez" in page
        assert "tous vos compteurs" not in page.casefold()
        page = text_of(world.client("bob").get("/partage/"))
        assert "Tiers 1 demande à lire tous les compteurs de votre entreprise, dont 2 que vous voyez" in page

    def test_reads_nothing_is_said_of_what_they_see(self, world, ask):
        other = make_service(world.third_party_1)
        subscribe(actor=world.alice, service=other, points=[world.p3.pk], now=world.now)
        assert "rien, des compteurs que vous voyez" in text_of(
            world.client("bob").get(address(ask(world.p1)))
        )


class TestTheCurveOfAPoint:
    """A week's load curve is drawn for who has the measurements of that point, and not for who may only share it."""

    @pytest.fixture
    def drawn(self, monkeypatch):
        from gridgate.core.errors import ErrorKind, GridgateError

        class Client:
            looked_at: set[str] = set()

            def latest(self, points):
                self.looked_at = set(points)
                raise GridgateError(ErrorKind.UNAVAILABLE, "no store")

        client = Client()
        monkeypatch.setattr("gridgate.portal.measurements.client", lambda: client)
        return client

    def test_is_looked_for_among_those_whose_measurements_one_sees(self, world, ask, drawn):
        give_service(
            group=world.acme.groups.get(name="Site de Lyon"), code="measurements", points=[world.p2.pk]
        )
        world.client("bob").get(address(ask(world.p1, world.p2)))
        assert drawn.looked_at == {world.p2.pk}
        world.client("alice").get(address(ask(world.p1, world.p2)))
        assert drawn.looked_at == {world.p1.pk, world.p2.pk}

    def test_is_not_drawn_for_who_has_no_measurements(self, world, ask, drawn):
        take_service(world, "measurements")
        page = world.client("bob").get(address(ask(world.p1)))
        assert page.status_code == 200
        assert drawn.looked_at == set()


def give_service(*, group, code, points):
    give_entitlement(group=group, code=code, points=points, now=SINCE)


def take_service(world, code):
    """The member keeps the rest, and the service stays reserved to another group."""
    world.acme.groups.get(name="Site de Lyon").entitlements.filter(code=code).delete()


class TestManyPoints:
    """More than a screen can list: all at once, by search, or from a pasted list."""

    @pytest.fixture
    def many(self, world):
        return [make_held_point(world.acme, label=f"Site {number:03d}") for number in range(40)]

    def test_all_those_asked_for_is_one_press(self, world, ask, many):
        request = ask(*many)
        page = text_of(world.client("alice").get(address(request)))
        assert "Tous ceux qui sont demandés" in page
        accept(world.client("alice"), request, scope="all")
        assert Permission.objects.get().points.count() == 40

    def test_what_is_ticked_stays_from_one_search_to_the_next(self, world, ask, many):
        request = ask(*many)
        data = {"scope": "some", "point": [many[3].pk], "q": "Site 01", "do": "search"}
        response = world.client("alice").post(address(request), data)
        page = response.content.decode()
        assert "10 compteurs pour « Site 01 »" in text_of(response)
        assert f'value="{many[3].pk}" checked' in page
        assert f'value="{many[12].pk}"' in page
        assert state_of(request) == "requested"

    def test_a_pasted_list_is_taken_whole(self, world, ask, many):
        request = ask(*many)
        listed = f"{many[0].pk}\n{many[1].pk}; {many[2].pk}"
        accept(world.client("alice"), request, scope="some", paste=listed)
        assert Permission.objects.get().points.count() == 3

    def test_a_pasted_stranger_is_named_and_nothing_is_given(self, world, ask, many):
        request = ask(*many)
        listed = f"{many[0].pk} {world.p5.pk} 12"
        response = world.client("alice").post(
            address(request), {"answer": "accept", "scope": "some", "paste": listed}
        )
        assert f"« {world.p5.pk} » n’est pas l’un des compteurs proposés. 1 autre non plus." in text_of(
            response
        )
        assert listed in response.content.decode()
        assert not Permission.objects.exists()
