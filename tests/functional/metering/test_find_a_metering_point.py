"""A company's user looks for meters: Vos compteurs, and the page of one of them."""

import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.metering import as_held
from gridgate.metering.imports.points import import_points
from gridgate.metering.models import MeteringPoint, PointVersion
from gridgate.metering.operations.collections import set_collection
from gridgate.metering.operations.titles import close_holding, move_in
from gridgate.metering.queries.points import names_of_points, points_readable_by
from gridgate.organisations.models import Organisation
from gridgate.organisations.operations.services import give
from gridgate.portal.screens.metering_points.rows import freshness
from gridgate.tables.workbook import read_sheets
from tests.factories.metering import leave, make_holding, make_point
from tests.factories.organisations import SINCE
from tests.factories.sharing import make_permission, make_service
from tests.measured import YESTERDAY, Measured
from tests.world import World


def names(response) -> list[str]:
    return [row.name for row in response.context["rows"]]


def test_the_last_day_of_data_is_told_as_a_day() -> None:
    said = freshness(date(2012, 3, 17), date(2026, 11, 25)).text
    assert said.replace("\xa0", " ") == "Jusqu’au 17 mars 2012"
    assert freshness(date(2026, 11, 23), date(2026, 11, 25)).text == "À jour"


class TestVosCompteurs:
    def test_lists_the_points_of_the_company(self, world: World) -> None:
        page = world.client("alice").get("/compteurs/")
        assert page.status_code == 200
        assert names(page) == [
            "Lyon Gerland, atelier sud",
            "Lyon Gerland, bureaux",
            "Lyon Gerland, usine",
            "Nantes Beaulieu, bureaux",
        ]
        assert "4 points de comptage" in page.content.decode()

    def test_shows_a_restricted_member_the_perimeter_only(self, world: World) -> None:
        page = world.client("bob").get("/compteurs/")
        assert names(page) == ["Lyon Gerland, atelier sud", "Lyon Gerland, usine"]
        assert "votre périmètre" in page.content.decode()

    def test_says_of_each_point_what_its_other_rights_let_one_know(
        self, world: World, measured: Measured
    ) -> None:
        group = world.acme.groups.get(name="Site de Lyon")
        give(group=group, code="meters", now=SINCE)
        service = make_service(world.third_party_1)
        make_permission(service, world.acme, points=[world.p1, world.p3], now=world.now)
        make_permission(make_service(world.third_party_2), world.acme, now=world.now)
        rows = {row.id: row for row in world.client("bob").get("/compteurs/").context["rows"]}
        assert {point: row.readers for point, row in rows.items()} == {
            world.p1.pk: 2,
            world.p2.pk: 1,
            world.p3.pk: None,
            world.p4.pk: None,
        }
        assert {point: row.data and row.data.text for point, row in rows.items()} == {
            world.p1.pk: "À jour",
            world.p2.pk: "À jour",
            world.p3.pk: None,
            world.p4.pk: None,
        }
        page = world.client("bob").get(f"/compteurs/{world.p3.pk}/").content.decode()
        assert "24 nov. 2026" not in page
        assert "« Visualiser les mesures »" in page.replace("\u00a0", " ")

    def test_speaks_english(self, world: World) -> None:
        page = world.client("alice", language="en").get("/compteurs/").content.decode()
        assert "Your meters" in page
        assert "Segment" in page
        assert "Choisir" not in page

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("q=usine", ["Lyon Gerland, usine"]),
            ("q=30 001 480 112 244", ["Lyon Gerland, atelier sud"]),
            ("q=30.001.480-112244", ["Lyon Gerland, atelier sud"]),
            ("segment=C2", ["Lyon Gerland, usine"]),
            ("segment=C2&q=nantes", []),
            ("kva_max=99", []),
            ("kva_min=1e999999999&kva_max=1e-999999999", None),
            ("kva_min=abc&segment=ZZ&page=900&sens=both", None),
            ("titre=past", []),
            ("tri=-nom&par_page=12", ["Nantes Beaulieu, bureaux", "Lyon Gerland, usine"]),
        ],
    )
    def test_follows_the_address(self, world: World, query: str, expected: list[str] | None) -> None:
        found = names(world.client("alice").get(f"/compteurs/?{query}"))
        assert found[:2] == expected if expected is not None else len(found) == 4

    def test_shows_the_filters_in_force_and_how_to_remove_each(self, world: World) -> None:
        page = world.client("alice").get("/compteurs/?q=lyon&segment=C4&tri=nom")
        assert [(one.label, one.without) for one in page.context["filters"]] == [
            ("lyon", "?segment=C4&tri=nom"),
            ("C4", "?q=lyon&tri=nom"),
        ]

    def test_repeats_a_search_that_finds_nothing(self, world: World) -> None:
        page = world.client("alice").get("/compteurs/?q=Lile").content.decode()
        assert "Rien pour « Lile »" in page.replace("\xa0", " ")

    def test_says_what_will_be_here_to_a_company_without_points(self, world: World) -> None:
        assert "Aucun compteur pour l’instant" in world.client("tiers1").get("/compteurs/").content.decode()

    def test_flags_a_point_that_the_company_has_left(self, world: World) -> None:
        move_in(metering_point=world.p1, holder=world.client_b, on=date(2026, 11, 1), now=world.now)
        page = world.client("alice").get("/compteurs/?titre=past")
        assert names(page) == ["Lyon Gerland, usine"]
        assert "Plus à vous depuis le" in page.content.decode()

    def test_counts_readers_for_those_entitled_only(self, world: World) -> None:
        service = make_service(world.third_party_1)
        make_permission(service, world.acme, points=[world.p1], now=world.now)
        page = world.client("alice").get("/compteurs/")
        assert {row.id: row.readers for row in page.context["rows"]}[world.p1.pk] == 1
        page = world.client("acme_user").get("/compteurs/")
        assert {row.readers for row in page.context["rows"]} == {None}
        assert "Lecteurs" not in page.content.decode()

    def test_asks_as_much_for_thousands_of_points_as_for_four(
        self, world: World, many_points: Callable[[Organisation, int], None]
    ) -> None:
        client = world.client("alice")
        client.get("/compteurs/")
        with CaptureQueriesContext(connection) as few:
            client.get("/compteurs/")
        many_points(world.acme, 5_000)
        with CaptureQueriesContext(connection) as many:
            page = client.get("/compteurs/?q=site&par_page=200&tri=-puissance&commune=Bron")
        assert page.context["page_obj"].paginator.count == 1_666
        assert len(page.context["rows"]) == 200
        assert len(many) <= len(few)

    def test_offers_to_choose_everything_that_was_found(
        self, world: World, many_points: Callable[[Organisation, int], None]
    ) -> None:
        many_points(world.acme, 30)
        client = world.client("alice")
        assert "Choisir les 30" in client.get("/compteurs/?q=site").content.decode()
        page = client.get("/compteurs/?q=site&tous=1").content.decode()
        assert '<input type="hidden" name="tous" value="30">' in page
        assert '<input type="hidden" name="q" value="site">' in page

    def test_does_not_let_a_name_write_markup(self, world: World) -> None:
        world.p1.label = "<script>alert(1)</script>"
        world.p1.save()
        assert "<script>alert" not in world.client("alice").get("/compteurs/").content.decode()


def test_a_code_is_found_by_its_groups(world: World) -> None:
    make_holding(make_point("17Z000000000001G", label="Poste source"), world.acme)
    alice = world.client("alice")
    for text in ("17Z 0000 0000 0001 G", "17z-0000 0000", "17Z000000000001G"):
        assert names(alice.get("/compteurs/", {"q": text})) == ["Poste source"], text


class TestTheList:
    def test_downloads_as_csv_with_its_filters(self, world: World) -> None:
        set_collection(actor=world.alice, points=[world.p4.pk], state="requested", now=world.now)
        answer = world.client("alice").get("/compteurs/export.csv?q=nantes")
        lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
        assert answer["Content-Disposition"] == 'attachment; filename="compteurs-2026-11-25.csv"'
        assert lines[0].startswith("Point de comptage;Nom du site;Segment;Sens;Adresse")
        assert lines[1:] == [
            "30002590223312;Nantes Beaulieu, bureaux;C5;soutirage;1 rue de l’Essai;69007;Lyon;100;communicant;"
            "2018-03-01;Active;2026-11-25;2024-01-01;;"
        ]

    def test_downloads_only_what_was_ticked_and_may_be_read(self, world: World) -> None:
        answer = world.client("bob").post(
            "/compteurs/export.csv", {"point": [world.p1.pk, world.p4.pk, world.p5.pk]}
        )
        text = b"".join(answer.streaming_content).decode()
        assert world.p1.pk in text
        assert world.p4.pk not in text
        assert world.p5.pk not in text

    def test_counts_what_is_held_and_tells_a_number_once(self, world: World) -> None:
        leave(world.p3.pk, date(2026, 10, 1))
        PointVersion.objects.filter(metering_point=world.p2).update(
            label="", address="", postcode="", city="", search_text=""
        )
        page = re.sub(r"[\xa0\u202f]", " ", world.client("alice").get("/compteurs/").content.decode())
        lead = re.search(r'class="lead"[^>]*>(.*?)</p>', page)
        assert lead is not None
        assert lead[1].startswith("3 points de comptage")
        row = next(part for part in page.split("<tr") if f">{world.p2.pk}</a>" in part)
        assert '<small class="nowrap">' not in row

    def test_has_every_time_of_its_own_and_no_other(self, world: World) -> None:
        close_holding(holding=world.p3.holdings.get(), valid_to=date(2026, 3, 1), now=world.now)
        make_holding(world.p3, world.client_b, since=date(2026, 3, 1), until=date(2026, 9, 1))
        make_holding(world.p3, world.acme, since=date(2026, 9, 1), until=date(2026, 10, 1))
        make_holding(world.p3, world.acme, since=date(2027, 1, 1))
        told = {}
        for who in ("alice", "charlie"):
            answer = world.client(who).post("/compteurs/export.csv", {"point": [world.p3.pk, world.p1.pk]})
            head, *lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
            assert head.split(";")[-3:] == ["Titulaire depuis", "Plus titulaire depuis", "Autres titularités"]
            told[who] = {line.split(";")[0]: line.split(";")[-3:] for line in lines}
        assert told["alice"] == {
            world.p1.pk: ["2024-01-01", "", ""],
            world.p3.pk: ["2026-09-01", "2026-10-01", "2024-01-01 – 2026-02-28, 2027-01-01 –"],
        }
        assert told["charlie"] == {world.p3.pk: ["2026-03-01", "2026-09-01", ""]}

    @pytest.mark.parametrize(
        ("form", "language", "power"), [("csv", "fr", "36,5"), ("csv", "en", "36.5"), ("xlsx", "en", "36.5")]
    )
    def test_is_imported_unchanged_in_both_languages(
        self, world: World, form: str, language: str, power: str
    ) -> None:
        MeteringPoint.objects.get(pk=world.p1.pk).versions.update(
            label="=1+1", address="'-5 rue", directions=3, meter_type="PMEI", subscribed_power_kva="36.50"
        )
        left = make_point("30009999999999")
        make_holding(left, world.acme, since=date(2026, 1, 1), until=date(2026, 9, 1))
        PointVersion.objects.filter(metering_point=left).update(valid_from=date(2026, 10, 1))
        as_held.project([left.pk])
        client = world.client("alice")
        client.cookies["django_language"] = language
        ticked = MeteringPoint.objects.values_list("pk", flat=True)
        answer = client.post(f"/compteurs/export.csv?fichier={form}", {"point": list(ticked)})
        content = b"".join(answer.streaming_content)

        report = import_points(content, now=world.now, dry_run=True)

        assert answer["Content-Disposition"].endswith(f'.{form}"')
        assert report.unchanged == report.read > 1
        assert report.findings == []
        if form == "csv":
            lines = content.decode("utf-8-sig").splitlines()
            assert lines[0].split(";")[7] in ("Puissance souscrite (kVA)", "Subscribed power (kVA)")
            powers = {line.split(";")[0]: line.split(";")[7] for line in lines[1:]}
            assert (powers[world.p1.pk], powers[world.p2.pk]) == (power, "100")
        else:
            (sheet,) = read_sheets(io.BytesIO(content))
            assert (sheet.name, sheet.rows[0][1][:2]) == ("Meters", ["Metering point", "Site name"])


class TestTheMeteringPoint:
    def test_shows_its_facts_and_title(self, world: World) -> None:
        page = world.client("alice").get(f"/compteurs/{world.p1.pk}/")
        text = page.content.decode().replace("\xa0", " ").replace("\u202f", " ")
        assert page.status_code == 200
        for said in ("Lyon Gerland, usine", "100 kVA", "depuis le 1ᵉʳ janvier 2024", "1ᵉʳ mars 2018"):
            assert said in text

    @pytest.mark.parametrize(
        ("who", "point"),
        [("bob", "p3"), ("alice", "p5"), ("charlie", "p1"), ("tiers1", "p1"), ("operateur", "p1")],
    )
    def test_is_absent_for_those_who_may_not_see_it(self, world: World, who: str, point: str) -> None:
        assert world.client(who).get(f"/compteurs/{getattr(world, point).pk}/").status_code == 404

    def test_names_who_reads_it(self, world: World) -> None:
        make_permission(make_service(world.third_party_1), world.acme, points=[world.p1], now=world.now)
        make_permission(make_service(world.third_party_2), world.acme, points=[world.p2], now=world.now)
        page = world.client("alice").get(f"/compteurs/{world.p1.pk}/")
        assert [reader.company.legal_name for reader in page.context["readers"]] == ["Tiers 1"]
        assert f"/partage/{world.third_party_1.siren}/" in page.content.decode()

    def test_says_since_when_they_read_it_no_earlier_than_the_title(self, world: World) -> None:
        make_permission(make_service(world.third_party_1), world.acme, now=world.now)
        late = make_point()
        make_holding(late, world.acme, since=date(2026, 11, 20))
        (reader,) = world.client("alice").get(f"/compteurs/{late.pk}/").context["readers"]
        assert reader.since == datetime(2026, 11, 19, 23, tzinfo=UTC)

    def test_counts_no_site_of_an_address_that_is_not_told(self, world: World) -> None:
        coming = make_point(label="Chez un autre")
        make_holding(coming, world.acme, since=date(2026, 12, 5))
        before = world.client("alice").get("/compteurs/").context["totals"]
        assert (before.points, before.sites) == (5, 1)

    def test_does_not_name_readers_to_those_who_are_not_entitled(self, world: World) -> None:
        make_permission(make_service(world.third_party_1), world.acme, points=[world.p1], now=world.now)
        page = world.client("acme_user").get(f"/compteurs/{world.p1.pk}/").content.decode()
        assert "Tiers 1" not in page
        assert "Gestion des services de données" in page

    def test_says_each_time_that_a_company_held_it(self, world: World) -> None:
        close_holding(holding=world.p3.holdings.get(), valid_to=date(2026, 3, 1), now=world.now)
        make_holding(world.p3, world.acme, since=date(2026, 9, 1))
        page = world.client("alice").get(f"/compteurs/{world.p3.pk}/").content.decode().replace("\xa0", " ")
        assert "du 1ᵉʳ janvier 2024 au 28 février 2026, puis depuis le 1ᵉʳ septembre 2026" in page
        leave(world.p3.pk, date(2026, 11, 1))
        make_holding(world.p3, world.acme, since=date(2027, 1, 1))
        page = world.client("alice").get(f"/compteurs/{world.p3.pk}/").content.decode().replace("\xa0", " ")
        assert (
            "Vous l’avez été du 1ᵉʳ janvier 2024 au 28 février 2026, puis du 1ᵉʳ septembre 2026 au 31 octobre 2026"
            in page
        )
        assert "Vous le serez de nouveau à partir du 1ᵉʳ janvier 2027." in page

    def test_says_what_came_in_each_time(self, world: World, measured: Measured) -> None:
        close_holding(holding=world.p3.holdings.get(), valid_to=date(2026, 3, 1), now=world.now)
        past = world.client("alice").get(f"/compteurs/{world.p3.pk}/")
        assert [(one.first, one.last) for one in past.context["held"]] == [
            (date(2024, 1, 1), date(2026, 2, 28))
        ]
        assert "Une ligne pour chacune" not in past.content.decode()
        make_holding(world.p3, world.acme, since=date(2026, 9, 1))
        again = world.client("alice").get(f"/compteurs/{world.p3.pk}/")
        assert [(one.first, one.last) for one in again.context["held"]] == [
            (date(2024, 1, 1), date(2026, 2, 28)),
            (date(2026, 9, 1), YESTERDAY),
        ]
        assert "Une ligne pour chacune de vos titularités." in again.content.decode()

    def test_has_one_name_on_every_page(self, world: World, measured: Measured) -> None:
        point = make_point(city="Bron")
        make_holding(point, world.acme)
        alice = world.client("alice")
        name = "1 rue de l’Essai"
        for address in (f"/compteurs/{point.pk}/", f"/mesures/{point.pk}/", f"/collecte/{point.pk}/"):
            heading = re.search(r"<h1>([^<]*)", alice.get(address).content.decode())
            assert heading is not None
            assert heading[1].endswith(name), address
        assert f">{name}</a>" in alice.get(f"/mesures/{world.p1.pk}/").content.decode()
        readable = points_readable_by(actor=world.alice, service="meters", today=world.now.date())
        assert names_of_points(readable)[point.pk] == name

    def test_tells_a_former_holder_of_its_own_time_only(self, world: World) -> None:
        set_collection(
            actor=world.alice, points=[world.p1.pk], state="requested", now=world.now.replace(month=3)
        )
        close_holding(
            holding=world.p1.holdings.get(), valid_to=date(2026, 10, 1), now=world.now.replace(month=10)
        )
        move_in(metering_point=world.p1, holder=world.client_b, on=date(2026, 10, 1), now=world.now)
        set_collection(actor=world.charlie, points=[world.p1.pk], state="opposed", now=world.now)
        make_permission(make_service(world.third_party_1), world.client_b, points=[world.p1], now=world.now)

        before = world.client("alice").get(f"/compteurs/{world.p1.pk}/")
        assert "Vous n’êtes plus titulaire" in before.content.decode()
        said = before.content.decode().replace("\xa0", " ")
        assert "du 1ᵉʳ janvier 2024 au 30 septembre 2026, ce jour compris" in said
        assert "du 1ᵉʳ janvier 2024 au 30 septembre 2026<" in said
        english = world.client("alice", language="en").get(f"/compteurs/{world.p1.pk}/").content.decode()
        assert "from 1 January 2024 to 30 September 2026<" in english.replace("\xa0", " ")
        assert [past.state.text for past in before.context["collections"]] == ["Active"]
        assert before.context["readers"] == []

        after = world.client("charlie").get(f"/compteurs/{world.p1.pk}/")
        assert after.context["collections"][0].state.text == "Opposée"
        assert "Alice" not in after.content.decode()
