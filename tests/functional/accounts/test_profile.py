"""What a person says of themselves, and the clock that their pages are on."""

import re
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from gridgate.accounts.models import SecurityPolicy
from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations.models import User
from tests.factories.audit import make_reads
from tests.factories.sharing import make_permission, make_service
from tests.world import NOW

AUCKLAND = "Pacific/Auckland"
"""13 hours before UTC in November, 12 before Paris."""


def text_of(response):
    assert response.status_code == 200
    page = re.sub(r"<(svg|select)\b.*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\u202f", " ").replace("\u00a0", " ")


def content_of(response):
    """The page without its header: what it tells."""
    assert response.status_code == 200
    page = response.content.decode()
    page = re.sub(r'name="(csrfmiddlewaretoken|keep)" value="[^"]*"', "", page)
    return page[page.index("<main") : page.index("</main>")]


def live_in(world, name, zone):
    User.objects.filter(pk=getattr(world, name).user_id).update(time_zone=zone)


@pytest.fixture
def alice_in_auckland(world):
    live_in(world, "alice", AUCKLAND)
    return world


class TestProfile:
    def test_keeps_name_language_and_time_zone(self, world):
        client = world.client("alice")
        sent = {"full_name": " Alice B. ", "language": "en", "time_zone": AUCKLAND}
        assert "Your account is up to date." in text_of(client.post("/compte/", sent, follow=True))
        user = User.objects.get(pk=world.alice.user_id)
        assert (user.full_name, user.language, user.time_zone) == ("Alice B.", "en", AUCKLAND)
        assert (
            f'<option value="{AUCKLAND}" selected>Auckland</option>'
            in client.get("/compte/").content.decode()
        )

    def test_goes_back_to_the_networks_clock(self, alice_in_auckland):
        client = alice_in_auckland.client("alice")
        client.post("/compte/", {"full_name": "Alice", "language": "fr", "time_zone": ""})
        assert User.objects.get(pk=alice_in_auckland.alice.user_id).time_zone == ""

    @pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd", "paris", "x" * 100])
    def test_refuses_a_zone_that_there_is_not_and_keeps_the_rest_typed(self, world, zone):
        sent = {"full_name": "Alice B.", "language": "en", "time_zone": zone}
        response = world.client("alice").post("/compte/", sent)
        page = response.content.decode()
        assert "Choisissez un fuseau de la liste." in text_of(response)
        assert 'value="Alice B."' in page
        assert User.objects.get(pk=world.alice.user_id).full_name == "Alice"
        assert 'aria-label="Votre compte, Alice"' in page

    def test_offers_the_networks_own_clock_first(self, world):
        page = world.client("alice").get("/compte/").content.decode()
        options = re.findall(r'<option value="([^"]*)"[^>]*>([^<]+)', page[page.index('name="time_zone"') :])
        assert options[0][0] == ""
        assert "Celui du réseau" in options[0][1]
        assert "Paris" in options[0][1]

    def test_changing_the_language_by_its_button_keeps_the_zone(self, alice_in_auckland):
        alice_in_auckland.client("alice").post("/langue/", {"language": "en", "next": "/"})
        user = User.objects.get(pk=alice_in_auckland.alice.user_id)
        assert (user.language, user.time_zone) == ("en", AUCKLAND)

    def test_is_there_for_people_of_no_company(self, world):
        from gridgate.organisations.operations.members import create_user

        user = create_user(email="vera@example.org", full_name="Vera", password=None, now=world.now)
        client = world.visitor()
        client.force_login(user)
        client.post("/compte/", {"full_name": "Vera", "language": "fr", "time_zone": "Indian/Reunion"})
        user.refresh_from_db()
        assert user.time_zone == "Indian/Reunion"
        assert "Votre compte n’agit pour aucune entreprise" in text_of(client.get("/compte/"))


class TestClockOfEvents:
    def test_is_the_persons_own(self, alice_in_auckland, measured):
        world = alice_in_auckland
        make_reads(world.third_party_1, world.p1, world.acme, at=NOW.replace(hour=6, minute=0))
        assert "Courbe de charge, 1 compteur 19:00" in text_of(world.client("alice").get("/"))
        live_in(world, "alice", "")
        assert "Courbe de charge, 1 compteur 07:00" in text_of(world.client("alice").get("/"))

    def test_is_one_persons_and_nobody_elses(self, alice_in_auckland, measured):
        world = alice_in_auckland
        world.client("alice").get("/")
        assert timezone.get_current_timezone_name() == timezone.get_default_timezone_name()
        make_reads(world.third_party_1, world.p1, world.acme, at=NOW.replace(hour=6, minute=0))
        assert "07:00" in text_of(world.client("bob").get("/"))

    def test_of_the_last_read_is_told_where_sharing_is_managed(self, alice_in_auckland, measured):
        world = alice_in_auckland
        given = make_permission(
            make_service(world.third_party_1), world.acme, points=[world.p1], now=world.now
        )
        make_reads(
            world.third_party_1, world.p1, world.acme, at=NOW.replace(hour=6, minute=0), permission=given
        )
        text = text_of(world.client("alice").get("/partage/222333445/"))
        assert "aujourd’hui à 19:00" in text

    def test_shows_in_the_header_when_it_is_not_the_networks(self, alice_in_auckland, measured):
        world = alice_in_auckland
        assert "Heures de cette page : Auckland (UTC+13)" in text_of(world.client("alice").get("/"))
        assert "Times on this page: Auckland (UTC+13)" in text_of(
            world.client("alice", language="en").get("/")
        )
        header = text_of(world.client("acme_user").get("/"))
        assert "Heures de cette page" not in header
        assert "Heures du réseau : Paris (UTC+1)" in header

    def test_of_a_zone_that_the_system_no_longer_knows_is_the_networks(self, world, measured):
        live_in(world, "alice", "Europe/Atlantis")
        assert "Heures du réseau : Paris (UTC+1)" in text_of(world.client("alice").get("/"))


class TestClockOfTheNetwork:
    @pytest.mark.parametrize(
        "path",
        [
            "/mesures/{p1}/?vue=jour&le=2026-11-10",
            "/mesures/{p1}/?vue=semaine",
            "/mesures/{p1}/?grandeur=maximum&vue=mois",
            "/mesures/{p1}/valeurs/?vue=jour&le=2026-11-10",
            "/journal/",
        ],
    )
    def test_gives_a_reader_in_auckland_the_same_curve_table_and_log(self, world, measured, path):
        make_reads(world.third_party_1, world.p1, world.acme, at=NOW.replace(hour=22) - timedelta(days=1))
        address = path.format(p1=world.p1.pk)
        in_paris = world.client("alice").get(address)
        live_in(world, "alice", AUCKLAND)
        in_auckland = world.client("alice").get(address)
        assert content_of(in_auckland) == content_of(in_paris)
        assert "Heures de cette page : celles du réseau, Paris (UTC+1)" in text_of(in_auckland)

    def test_writes_a_day_of_values_from_its_midnight(self, alice_in_auckland, measured):
        world = alice_in_auckland
        page = world.client("alice").get(f"/mesures/{world.p1.pk}/valeurs/?vue=jour&le=2026-11-10")
        first = re.search(r'<time[^>]*datetime="([^"]+)"', content_of(page))
        assert datetime.fromisoformat(first[1]) == datetime.fromisoformat("2026-11-10T00:00+01:00")
        assert first[1] == "2026-11-10T00:00:00+01:00"

    def test_gives_the_same_file_of_values(self, world, measured):
        address = f"/mesures/{world.p1.pk}/export.csv?vue=jour&le=2026-11-10"
        in_paris = b"".join(world.client("alice").get(address))
        live_in(world, "alice", AUCKLAND)
        assert b"".join(world.client("alice").get(address)) == in_paris

    def test_says_since_and_until_which_day_for_everyone(self, alice_in_auckland, measured):
        """23:00 UTC is midnight in Paris and noon in Auckland; the sharing begins on one day."""
        world = alice_in_auckland
        given = make_permission(
            make_service(world.third_party_1), world.acme, points=[world.p1], now=world.now
        )
        type(given).objects.filter(pk=given.pk).update(
            valid_from=datetime.fromisoformat("2026-11-09T23:30+01:00"),
            valid_until=datetime.fromisoformat("2027-01-01T00:00+01:00"),
        )
        text = text_of(world.client("alice").get("/partage/222333445/"))
        assert "9 novembre 2026" in text
        assert "10 novembre 2026" not in text
        assert "31 décembre 2026" in text

    def test_writes_receipts_and_e_mails_whoever_decides(self, alice_in_auckland, measured):
        world = alice_in_auckland
        SecurityPolicy.objects.update_or_create(pk=1, defaults={"step_up_acts": []})
        make_permission(make_service(world.third_party_1), world.acme, points=[world.p1], now=world.now)
        client = world.client("alice")
        receipt = client.post("/partage/222333445/resilier/", follow=True)
        assert "à 10:30:" in text_of(receipt)
        assert "(heure de Paris)" in text_of(receipt)
        tasks.write_letters(now=timezone.now())
        bodies = OutgoingEmail.objects.values_list("body", flat=True)
        assert len(bodies) > 1
        assert all("10:30:" in body for body in bodies)
