"""*Journal des accès*: who read what and when, and what was refused; filters, pages, export."""

import csv
import json
import os
import re
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from gridgate.applications.models import Application
from gridgate.audit.models import AccessLogSegment, LogPoint, LogStretch
from gridgate.audit.operations.erasing import erase_before
from gridgate.core.quantities import Kind
from gridgate.dataplane.accesslog.segments import FOLDED
from gridgate.portal.screens.journal.seal import last_seal
from tests.factories.audit import SEGMENTS, make_reads
from tests.factories.sharing import make_permission, make_service
from tests.functional.partage.test_who_reads_our_data import text_of
from tests.handles import handle


@pytest.fixture
def log(world):
    """Tiers 1 reads p1 by its permission and is refused p4; Tiers 2 read p2 40 days ago; Alice looks at p1."""
    permission = make_permission(
        make_service(world.third_party_1), world.acme, points=[world.p1], now=world.now
    )
    hour = timedelta(hours=1)
    make_reads(
        world.third_party_1, world.p1, world.acme, at=world.now - 3 * hour, times=2, permission=permission
    )
    make_reads(
        world.third_party_1,
        world.p4,
        world.acme,
        at=world.now - 2 * hour,
        outcome="no_permission",
        kind=Kind.MAXIMUM_POWER,
    )
    make_reads(world.third_party_2, world.p2, world.acme, at=world.now - timedelta(days=40))
    make_reads(world.acme, world.p1, world.acme, at=world.now - hour, channel="screen")
    make_reads(world.third_party_1, world.p5, world.client_b, at=world.now - hour)
    return world


def rows_of(response):
    return response.content.decode().count('<th role="rowheader"')


class TestTheJournal:
    def test_shows_the_last_30_days_latest_first(self, log):
        page = log.client("alice").get("/journal/")
        text = text_of(page)
        assert rows_of(page) == 3
        assert (
            text.index("25 nov. 08:30:00") < text.index("25 nov. 07:30:01") < text.index("25 nov. 07:30:00")
        )
        assert "Tiers 2" not in text.split("Filtrer")[1]

    def test_says_who_what_which_period_on_what_ground_and_by_which_way(self, log):
        text = text_of(log.client("alice").get("/journal/"))
        for said in (
            "Courbe de charge 336 valeurs",
            "Lyon Gerland, usine 30 001 480 112 233",
            "18 nov. 2026 07:30 – 25 nov. 2026 07:30",
            "Suivi de consommation API, format Enedis",
        ):
            assert said in text
        own = text_of(log.client("alice").get("/journal/?lectures=vous&detail=oui"))
        assert "Titulaire Écran" in own

    def test_shows_refused_attempts_with_their_reason(self, log):
        text = text_of(log.client("alice").get("/journal/?reponse=refused"))
        assert "Refusé Aucune autorisation" in text
        assert rows_of(log.client("alice").get("/journal/?reponse=refused")) == 1

    def test_each_company_sees_its_own_and_a_restricted_member_their_perimeter(self, log):
        assert rows_of(log.client("charlie").get("/journal/?du=&au=")) == 1
        assert rows_of(log.client("alice").get("/journal/?du=&au=")) == 4
        bob = log.client("bob").get("/journal/?du=&au=")
        assert rows_of(bob) == 3
        assert "Nantes" not in text_of(bob)

    def test_a_point_out_of_reach_is_found_by_nobody_else(self, log):
        for name, point in (("alice", log.p5), ("bob", log.p4)):
            assert rows_of(log.client(name).get(f"/journal/?compteur={point.pk}&du=&au=")) == 0

    @pytest.mark.parametrize(
        ("query", "rows"),
        [
            ("qui={tiers1}", 3),
            ("qui={tiers1}&reponse=granted", 2),
            ("compteur=30 001 480 112 233", 2),
            ("compteur=30 001 480 112 233&lectures=vous", 1),
            ("donnees=maximum_power", 1),
            ("canal=screen", 0),
            ("canal=screen&lectures=vous", 1),
            ("canal=export&lectures=vous", 0),
            ("reponse=no_permission", 1),
            ("du=2026-11-25&au=2026-11-25", 3),
            ("du=2026-11-01&au=2026-11-24", 0),
            ("du=&au=2026-11-01", 1),
            ("du=&au=", 4),
        ],
    )
    def test_each_filter_narrows(self, log, query, rows):
        address = "/journal/?" + query.format(tiers1=handle(log.third_party_1))
        assert rows_of(log.client("alice").get(address)) == rows

    def test_filters_in_force_can_be_taken_off_one_by_one(self, log):
        page = log.client("alice").get("/journal/?canal=api:enedis&donnees=maximum_power")
        assert 'href="?donnees=maximum_power"' in page.content.decode()
        assert 'href="?canal=api%3Aenedis"' in page.content.decode()
        assert "1 sur 3" in text_of(page)

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("compteur=1234", "Un PRM a 14 chiffres, 4 saisis."),
            ("compteur=7", "Un PRM a 14 chiffres, 1 saisi."),
            ("du=2026-11-20&au=2026-11-10", "La fin est avant le début."),
            ("qui=abc&canal=%00&donnees=x&page=zzz&du=demain", "Filtrer"),
            ("qui=99999999999999999999999999", "Filtrer"),
            (f"qui={'9' * 5000}", "Filtrer"),
        ],
    )
    def test_a_wrong_filter_is_told_beside_its_field_and_breaks_nothing(self, log, query, said):
        page = log.client("alice").get(f"/journal/?{query}")
        assert page.status_code == 200
        assert said in text_of(page)

    def test_nothing_found_offers_to_widen(self, log):
        assert "Aucun accès ne correspond" in text_of(
            log.client("alice").get("/journal/?donnees=register_reading")
        )
        page = text_of(log.client("alice").get("/journal/?du=2025-01-01&au=2025-01-02"))
        assert "Aucune lecture par une autre entreprise au journal pour cette période" in page

    def test_shows_the_fingerprint_of_the_last_line(self, log):
        AccessLogSegment.objects.update(head="5f2bc90f4a032cb2" + "0" * 48, lines=1204)
        page = text_of(log.client("alice").get("/journal/"))
        assert "la dernière : 5f2b c90f 4a03 2cb2 , ligne 1 204." in page

    def test_says_up_to_when_it_is_sealed_by_the_last_signature(self, log, settings, tmp_path):
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"data": tmp_path})
        assert "Journal scellé jusqu’au" not in text_of(log.client("alice").get("/journal/"))
        lines = [
            json.dumps(
                {
                    "payload": {
                        "number": number,
                        "at": f"2026-11-{number + 20}T01:00:00Z",
                        "more": "x" * 40_000,
                    }
                }
            )
            for number in (1, 2, 3)
        ]
        half_written = '{"payload":{"num'
        folder = settings.ENVIRONMENT.access_log
        folder.mkdir()
        (folder / "checkpoints.jsonl").write_text(f"{lines[0]}\n")
        page = text_of(log.client("alice").get("/journal/"))
        assert "Scellement nº 1, signé" in page
        assert "enchaîné au précédent" not in page
        (folder / "checkpoints.jsonl").write_text("\n".join([*lines, half_written]))
        page = text_of(log.client("alice").get("/journal/"))
        digest = sha256(lines[2].encode()).hexdigest()
        assert "Journal scellé jusqu’au 23 novembre 2026 à 02:00" in page
        assert f"Scellement nº 3, signé, empreinte {digest[:4]} {digest[4:8]}" in page
        assert "enchaîné au précédent" in page

    @pytest.mark.parametrize("content", ["", "pas du JSON\n", "{}\n", "[1]\n"])
    def test_a_seal_that_cannot_be_read_is_not_claimed(self, tmp_path, content):
        (tmp_path / "checkpoints.jsonl").write_text(content)
        assert last_seal(tmp_path) is None

    def test_english_is_complete(self, log):
        page = text_of(log.client("alice", language="en").get("/journal/"))
        assert "Refused No permission" in page
        assert "Load curve 336 values" in page
        assert "Reads by others 3 Your reads of your own meters 1" in page
        assert "Lectures" not in page
        own = text_of(log.client("alice", language="en").get("/journal/?lectures=vous"))
        assert (
            "Load curve 336 values Lyon Gerland, usine 30 001 480 112 233 1 : see them one by one Screen"
            in own
        )

    @pytest.mark.parametrize("asked", ["", "?reponse=refused", "?donnees=load_curve&canal=api:enedis"])
    def test_adds_up_what_a_restricted_member_sees_once(self, log, asked):
        """Point by point, that is most of what the page costs them."""
        bob = log.client("bob")
        with CaptureQueriesContext(connection) as statements:
            bob.get(f"/journal/{asked}")
        summed = [one["sql"] for one in statements if 'SUM("audit_logpointday"' in one["sql"]]
        assert len(summed) == 1

    def test_asks_the_registry_as_often_for_twice_as_much(self, log):
        client = log.client("alice")

        def statements():
            with CaptureQueriesContext(connection) as captured:
                client.get("/journal/")
            return len(captured)

        statements()  # the first page of a session also lists the session
        before = statements()
        for point in (log.p1, log.p2, log.p3):
            permission = make_permission(
                make_service(log.third_party_3), log.acme, points=[point], now=log.now
            )
            make_reads(
                log.third_party_3,
                point,
                log.acme,
                at=log.now - timedelta(hours=9),
                times=5,
                permission=permission,
            )
        assert statements() == before


class TestOwnReads:
    """What the company's own people look at is in the log too; it is not what the journal is opened for."""

    @pytest.fixture
    def looked(self, log):
        """A page that shows three points was opened four times."""
        for point in (log.p1, log.p2, log.p3):
            make_reads(log.acme, point, log.acme, at=log.now - timedelta(hours=2), times=4, channel="screen")
        return log

    def test_are_apart_with_their_count_and_put_together_by_day(self, looked):
        page = looked.client("alice").get("/journal/?lectures=vous")
        text = text_of(page)
        assert "Lectures des autres 3 Vos consultations de vos propres compteurs 13" in text
        assert "13 sur 13" in text
        assert (
            "SIREN 111 222 337 · Vos consultations de vos propres compteurs · " in text
        )  # on paper, where there are no tabs
        assert rows_of(page) == 1
        assert "25 nov. 2026 08:30 – 09:30" in text
        assert "Courbe de charge 4 368 valeurs 3 13 : les voir une à une Écran" in text

    def test_stand_one_by_one_behind_their_line(self, looked):
        page = looked.client("alice").get("/journal/?lectures=vous").content.decode()
        address = re.search(r'href="(\?lectures=vous&amp;detail=oui[^"]*)"', page)[1].replace("&amp;", "&")
        detail = looked.client("alice").get(f"/journal/{address}&par_page=50")
        assert rows_of(detail) == 13

    def test_programs_are_called_by_their_name(self, log):
        Application.objects.create(
            client_id="tiers1", name="Bilan ACME", organisation=log.acme, created_at=log.now
        )
        make_reads(log.acme, log.p1, log.acme, at=log.now - timedelta(hours=1))
        assert "Bilan ACME Courbe de charge" in text_of(log.client("alice").get("/journal/?lectures=vous"))

    def test_are_what_one_asks_for_by_the_own_company(self, log):
        page = log.client("alice").get(f"/journal/?qui={handle(log.acme)}")
        assert rows_of(page) == 1
        assert "Votre entreprise" in text_of(page)

    def test_are_never_the_unusual_day(self, log):
        for days_ago, times in ((3, 2), (2, 300)):
            at = log.now - timedelta(days=days_ago)
            make_reads(log.acme, log.p1, log.acme, at=at, times=times, channel="screen")
            make_reads(log.third_party_1, log.p1, log.acme, at=at, times=2)
        for address in ("/journal/", "/journal/?lectures=vous"):
            assert "c-bar hot" not in log.client("alice").get(address).content.decode()

    def test_ask_the_registry_as_often_for_twice_as_much(self, looked):
        client = looked.client("alice")
        client.get("/journal/")
        make_reads(looked.acme, looked.p1, looked.acme, at=looked.now - timedelta(days=4), channel="screen")

        def statements():
            with CaptureQueriesContext(connection) as captured:
                client.get("/journal/?lectures=vous")
            return len(captured)

        before = statements()
        for days_ago in (1, 2, 3):
            make_reads(
                looked.acme,
                looked.p4,
                looked.acme,
                at=looked.now - timedelta(days=days_ago),
                channel="screen",
            )
        assert statements() == before


def test_says_from_when_the_journal_is_kept(log):
    erase_before(day=date(2023, 1, 1), now=log.now, lines_of=lambda _: [])
    said = "Le journal commence le 1ᵉʳ janvier 2023"
    assert said not in text_of(log.client("alice").get("/journal/"))
    assert said in text_of(log.client("alice").get("/journal/?du=&au="))


class TestPages:
    def test_follow_the_address(self, log):
        make_reads(log.third_party_2, log.p3, log.acme, at=log.now - timedelta(hours=6), times=60)
        client = log.client("alice")
        assert rows_of(client.get("/journal/")) == 12
        assert rows_of(client.get("/journal/?par_page=50")) == 50
        last = client.get("/journal/?par_page=50&page=2")
        assert rows_of(last) == 13
        assert "51–63 sur 63" in text_of(last)
        for strange in ("7", "\u00b2", "\u0661\u0662", "9" * 5000):
            assert rows_of(client.get("/journal/", {"par_page": strange})) == 12


class TestWhatCannotBeRead:
    @pytest.fixture
    def harmed(self, log):
        """The file that holds the two reads by Tiers 1."""
        stretch = LogStretch.objects.filter(holder=log.acme.pk).order_by("pk").first()
        SEGMENTS[stretch.segment.name] = b""
        return log

    def test_is_told_with_whom_to_tell_and_stays_counted(self, harmed):
        page = harmed.client("alice").get("/journal/")
        said = text_of(page)
        assert "2 accès comptés ne sont pas affichés sur cette page" in said
        assert "Un fichier du journal ne peut pas être lu en ce moment" in said
        assert "2 lectures, 1 refus" in said
        assert (rows_of(page), "3 sur 3" in said) == (1, True)
        assert 'href="/aide/#contact"' in page.content.decode()
        english = text_of(harmed.client("alice", language="en").get("/journal/"))
        assert "2 accesses that are counted are not shown on this page" in english
        alone = text_of(harmed.client("alice").get("/journal/?reponse=granted"))
        assert "2 accès comptés ne sont pas affichés" in alone
        assert "Aucun accès ne correspond" not in alone

    def test_is_not_told_of_what_one_does_not_see(self, harmed):
        for nobody in ("charlie", "tiers1"):
            assert "Un fichier du journal" not in text_of(harmed.client(nobody).get("/journal/"))
        assert "Un fichier du journal" not in text_of(harmed.client("alice").get("/journal/?reponse=refused"))

    @pytest.mark.parametrize(
        ("language", "said"), [("fr", "2 accès manquent ici"), ("en", "2 accesses are lacking here")]
    )
    def test_is_the_last_line_of_the_export(self, harmed, language, said):
        response = harmed.client("alice", language=language).get("/journal/export.csv")
        lines = b"".join(response.streaming_content).decode().splitlines()
        assert len(lines) == 1 + 1 + 1
        assert said in lines[-1]
        assert len({line.count(";") for line in lines}) == 1


class TestCountsThatAreIncomplete:
    ADDRESSES = ("/", "/partage/", "/partage/222333445/", "/journal/")

    def test_are_told_while_all_is_counted_anew(self, log):
        alice = log.client("alice")
        for page in map(alice.get, self.ADDRESSES):
            assert "en train d’être recomptées" not in text_of(page)
        AccessLogSegment.objects.update(recount_to=F("size") + 1)
        for page in map(alice.get, self.ADDRESSES):
            assert "Les lectures sont en train d’être recomptées" in text_of(page)
        english = text_of(log.client("alice", language="en").get("/journal/"))
        assert "Reads are being counted anew" in english

    def test_are_told_with_the_instant_up_to_which_all_is_counted(self, log, settings, tmp_path):
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"data": tmp_path})
        settings.ENVIRONMENT.access_log.mkdir()
        folded = settings.ENVIRONMENT.access_log / FOLDED
        folded.touch()
        alice = log.client("alice")
        for minutes, told in ((4, False), (6, True)):
            at = (log.now - timedelta(minutes=minutes)).timestamp()
            os.utime(folded, (at, at))
            for page in map(alice.get, self.ADDRESSES):
                said = "Toutes les lectures sont comptées jusqu’au 25 novembre 2026 à 10:24"
                assert (said in text_of(page)) is told


class TestTheExport:
    def read(self, response):
        content = b"".join(response.streaming_content).decode()
        assert content.startswith("\ufeff")
        return list(csv.DictReader(content.removeprefix("\ufeff").splitlines(), delimiter=";"))

    def test_has_every_entry_with_offsets_and_a_named_time_zone(self, log):
        response = log.client("alice").get("/journal/export.csv?du=&au=")
        assert response.streaming
        rows = self.read(response)
        assert len(rows) == 4
        assert rows[0]["Quand (Europe/Paris)"] == "2026-11-25T08:30:00+01:00"
        assert rows[0]["Réponse"] == "refusé"
        assert rows[0]["Motif de refus"] == "Aucune autorisation"
        assert rows[1]["Compteur"] == log.p1.pk
        assert rows[-1]["Quand (Europe/Paris)"] == "2026-10-16T11:30:00+02:00"

    def test_says_which_of_two_like_hours_it_was(self, world):
        for hour in (0, 1):
            make_reads(
                world.third_party_1, world.p1, world.acme, at=datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
            )
        rows = self.read(world.client("alice").get("/journal/export.csv?du=&au="))
        assert [row["Quand (Europe/Paris)"] for row in rows] == [
            "2026-10-25T02:30:00+01:00",
            "2026-10-25T02:30:00+02:00",
        ]

    def test_follows_the_filters_and_the_perimeter(self, log):
        rows = self.read(log.client("alice").get("/journal/export.csv?reponse=refused"))
        assert [row["Compteur"] for row in rows] == [log.p4.pk]
        rows = self.read(log.client("bob").get("/journal/export.csv?du=&au="))
        assert {row["Compteur"] for row in rows} == {log.p1.pk, log.p2.pk}

    def test_holds_the_side_that_is_shown(self, log):
        alice = log.client("alice")
        others = self.read(alice.get("/journal/export.csv?du=&au="))
        assert [row["Lu par"] for row in others] == ["une autre entreprise"] * 4
        for asked in ("lectures=vous", "qui=" + handle(log.acme)):
            own = self.read(alice.get(f"/journal/export.csv?du=&au=&{asked}"))
            assert [(row["Quand (Europe/Paris)"], row["Lu par"]) for row in own] == [
                ("2026-11-25T09:30:00+01:00", "votre entreprise")
            ]
            assert f'href="/journal/export.csv?{asked}"' in alice.get(f"/journal/?{asked}").content.decode()

    @pytest.mark.parametrize(
        "asked", ["compteur=zzz", "du=2026-11-20&au=2026-11-01", "du=hier&lectures=vous"]
    )
    def test_of_filters_that_mean_nothing_is_the_page_that_says_so(self, log, asked):
        alice = log.client("alice")
        response = alice.get(f"/journal/export.csv?{asked}&fichier=xlsx")
        assert (response.status_code, response["Location"]) == (302, f"/journal/?{asked}")
        assert 'aria-invalid="true"' in alice.get(response["Location"]).content.decode()

    def test_is_in_the_readers_language(self, log):
        alice = log.client("alice", language="en")
        (own,) = self.read(alice.get("/journal/export.csv?lectures=vous"))
        rows = self.read(alice.get("/journal/export.csv"))
        assert rows[0]["Answer"] == "refused"
        assert [own[name] for name in ("Read by", "Data", "Direction", "Ground", "Means")] == [
            "your company",
            "Load curve",
            "withdrawal",
            "Holder",
            "Screen",
        ]
        permission = LogPoint.objects.exclude(permission="").values_list("permission", flat=True)[0]
        assert [rows[1][name] for name in ("Application", "Ground", "Reference of the permission")] == [
            "a program since withdrawn",
            "Suivi de consommation (en)",
            permission,
        ]

    def test_does_not_hold_the_log_in_memory(self, log):
        make_reads(log.third_party_1, log.p1, log.acme, at=log.now - timedelta(hours=6), times=4500)
        response = log.client("alice").get("/journal/export.csv")
        assert sum(1 for _ in response.streaming_content) == 4500 + 3 + 1
