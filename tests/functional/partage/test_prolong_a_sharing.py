"""*Prolonger*: the same permission until a later day; its page asks for nothing but that day."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gridgate.core.quantities import Kind
from gridgate.sharing.models import Permission
from gridgate.sharing.operations.ending import revoke_permission
from gridgate.sharing.operations.granting import subscribe
from gridgate.sharing.operations.pausing import suspend
from tests.factories.metering import make_held_point
from tests.factories.sharing import make_service
from tests.functional.partage.test_who_reads_our_data import text_of, tile_of


def address(permission):
    return f"/partage/autorisations/{permission.pk}/prolonger/"


def end_of(permission):
    return Permission.objects.get(pk=permission.pk).valid_until


def test_the_way_to_it_is_on_the_tile_and_beside_each_service(sharing):
    Permission.objects.filter(pk=sharing.one.pk).update(valid_until=sharing.now + timedelta(days=23))
    client = sharing.client("alice")
    assert address(sharing.one) in tile_of(client.get("/partage/"), "Tiers 1")
    for page in ("/partage/222333445/", "/services/suivi/", "/services/suivi/souscrire/"):
        assert address(sharing.one) in client.get(page).content.decode()


def test_its_page_says_what_stays_and_asks_for_a_day_alone(sharing):
    page = sharing.client("alice").get(address(sharing.one))
    for said in (
        "Prolonger « Suivi » avec Tiers 1",
        "Seule la fin change",
        "Compteurs 2",
        "Courbe de charge",
        "24 novembre 2027",
        "Choisissez un jour du 25 novembre 2027 au 25 novembre 2029.",
    ):
        assert said in text_of(page)
    form = re.search(r'<form class="card flow".*?</form>', page.content.decode(), flags=re.S)[0]
    fields = set(re.findall(r'<(?:input|select|textarea)[^>]* name="(\w+)"', form))
    assert fields == {"until", "csrfmiddlewaretoken", "acting_for"}


def test_the_day_moves_and_the_points_stay_those(sharing):
    make_held_point(sharing.acme)
    response = sharing.client("alice").post(
        address(sharing.one),
        {"until": "2028-06-30", "scope": "all", "point": [sharing.p4.pk], "kinds": Kind.REGISTER_READING.bit},
        follow=True,
    )
    assert "Le partage avec Tiers 1 se poursuit jusqu’au 30 juin 2028." in text_of(response)
    assert "Prolongé par Alice" in text_of(response)
    permission = Permission.objects.get(service=sharing.suivi)
    assert permission.pk == sharing.one.pk
    assert permission.valid_until == datetime(2028, 6, 30, 22, tzinfo=UTC)
    assert not permission.all_points
    assert {line.metering_point_id for line in permission.points.all()} == {sharing.p1.pk, sharing.p2.pk}
    assert permission.kinds == sharing.suivi.kinds


@pytest.mark.parametrize("until", ["", "demain", "2026-11-24", "2027-11-24", "2029-11-26", "9999-12-31"])
def test_a_day_that_cannot_be_is_told_and_stays_in_the_form(sharing, until):
    response = sharing.client("alice").post(address(sharing.one), {"until": until})
    assert response.status_code == 422
    assert "Rien n’est encore prolongé" in text_of(response)
    assert f'value="{until}"' in response.content.decode() or not until
    assert end_of(sharing.one) == sharing.one.valid_until


def test_the_last_day_that_may_be_is_taken(sharing):
    sharing.client("alice").post(address(sharing.one), {"until": "2029-11-25"})
    assert end_of(sharing.one) == datetime(2029, 11, 25, 23, tzinfo=UTC)


def test_another_companys_permission_is_as_absent(sharing):
    for client, at in (
        (sharing.client("charlie"), address(sharing.one)),
        (sharing.client("tiers1"), address(sharing.one)),
        (sharing.client("alice"), f"/partage/autorisations/{uuid4()}/prolonger/"),
    ):
        assert client.get(at).status_code == 404
        assert client.post(at, {"until": "2028-06-30"}).status_code == 404
    assert end_of(sharing.one) == sharing.one.valid_until


def test_a_restricted_member_is_told_whom_to_ask_beyond_their_perimeter(sharing):
    client = sharing.client("bob")
    page = client.get(address(sharing.two))
    assert "Ce partage porte aussi sur des compteurs hors de votre périmètre" in text_of(page)
    assert "2, dont 1 que vous voyez" in text_of(page)
    assert 'name="until"' not in page.content.decode()
    assert client.post(address(sharing.two), {"until": "2028-06-30"}).status_code == 422
    assert end_of(sharing.two) == sharing.two.valid_until
    assert client.post(address(sharing.one), {"until": "2028-06-30"}).status_code == 302


def test_one_that_lies_outside_the_perimeter_is_as_absent(sharing):
    elsewhere = subscribe(actor=sharing.alice, service=sharing.suivi, points=[sharing.p4.pk], now=sharing.now)
    assert sharing.client("bob").get(address(elsewhere)).status_code == 404
    assert sharing.client("bob").post(address(elsewhere), {"until": "2028-06-30"}).status_code == 404


def test_one_that_has_ended_says_so_and_takes_no_day(sharing):
    revoke_permission(actor=sharing.alice, permission_id=sharing.one.pk, now=sharing.now)
    client = sharing.client("alice")
    assert "Cette autorisation a déjà pris fin" in text_of(client.get(address(sharing.one)))
    assert client.post(address(sharing.one), {"until": "2028-06-30"}).status_code == 422
    assert end_of(sharing.one) == sharing.one.valid_until


def test_one_that_cannot_last_longer_says_why_and_has_no_link(sharing):
    suspend(actor=sharing.operateur, permission_id=sharing.one.pk, reason="", now=sharing.now)
    endless = make_service(sharing.third_party_3, "Sans terme", duration_months=0)
    lasting = subscribe(actor=sharing.alice, service=endless, points=[sharing.p1.pk], now=sharing.now)
    client = sharing.client("alice")
    assert "Cette autorisation est suspendue" in text_of(client.get(address(sharing.one)))
    assert "Cette autorisation n’a pas de terme" in text_of(client.get(address(lasting)))
    for siren in ("222333445", "444555668"):
        assert "/prolonger/" not in client.get(f"/partage/{siren}/").content.decode()


def test_english_is_complete(sharing):
    page = text_of(sharing.client("alice", language="en").get(address(sharing.one)))
    assert "Extend “Suivi (en)” with Tiers 1" in page
    assert "Prolonger" not in page
