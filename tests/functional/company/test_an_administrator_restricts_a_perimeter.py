"""On which points a group has a service: searched, ticked, pasted, thousands of them."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from gridgate.audit.models import AuditEvent
from gridgate.core.time import civil_day_of
from gridgate.organisations.operations.services import give
from tests.factories.metering import make_held_point, make_holding, make_many_held, make_point
from tests.functional.company.conftest import hidden, read_and_confirmed, text_of
from tests.handles import handle


def at(group, code: str = "measurements") -> str:
    return f"/administration/groupes/{handle(group)}/perimetre/{code}/"


def perimeter(group, code: str = "measurements") -> set[str] | None:
    """None for every point."""
    given = group.entitlements.get(code=code)
    return set(given.perimeter.values_list("metering_point_id", flat=True)) if given.restricted else None


def state(page) -> dict[str, str]:
    return {name: hidden(page, name) for name in ("chosen", "shown", "view", "page")}


class TestThePage:
    def test_shows_the_companys_points_and_those_chosen(self, company):
        page = company.client("alice").get(at(company.lyon))
        said = text_of(page)
        assert "2 choisis sur 4" in said
        for name in ("Lyon Gerland, usine", "Nantes Beaulieu, bureaux"):
            assert name in said
        assert "Rennes" not in said
        assert set(hidden(page, "chosen").split()) == {company.p1.pk, company.p2.pk}

    def test_says_which_points_are_held_no_more(self, company):
        former = make_point(label="Bron, atelier")
        make_holding(former, company.acme, since=date(2024, 1, 1), until=date(2025, 6, 1))
        page = text_of(company.client("alice").get(at(company.lyon)))
        assert "Bron, atelier" in page
        assert "plus à vous depuis le 1ᵉʳ juin 2025" in page

    def test_says_what_giving_the_service_would_do_once_points_are_chosen(self, company):
        client = company.client("alice")
        page = client.get(at(company.lyon, "contracts"))
        assert "perd" not in text_of(page)
        form = state(page) | {"scope": "some", "paste": company.p4.pk, "do": "paste"}
        said = text_of(client.post(at(company.lyon, "contracts"), form))
        assert "Enregistrer donne ce service au groupe" in said
        assert "Agathe et 1 autre perdent « Consulter les contrats »." in said
        assert "Bob perd « Consulter les contrats » sur 3 points et sur ceux à venir." in said

    @pytest.mark.parametrize("code", ["invoices", "markets", "absent"])
    def test_is_for_services_by_point_that_the_company_is_offered(self, company, code):
        assert company.client("alice").get(at(company.lyon, code)).status_code == 404

    def test_is_for_administrators(self, company):
        assert company.client("maud").get(at(company.lyon)).status_code == 403
        assert (
            company.client("maud").post(at(company.lyon), {"scope": "all", "do": "save"}).status_code == 403
        )
        assert perimeter(company.lyon) == {company.p1.pk, company.p2.pk}

    def test_of_a_company_without_points_says_so(self, company):
        group = company.operator.groups.create(name="Conduite", created_at=company.now)
        page = text_of(company.client("operateur").get(at(group)))
        assert "Votre entreprise n’a aucun point" in page


class TestChoosing:
    def test_certain_points_then_all_of_them(self, company):
        client = company.client("alice")
        page = client.get(at(company.lyon))
        form = state(page) | {"scope": "some", "pick": [company.p4.pk], "do": "save"}
        said = text_of(client.post(at(company.lyon), form))
        assert "Visualiser les mesures Bob perd « Visualiser les mesures » sur 2 points." in said
        assert "Bob gagne « Visualiser les mesures » sur 1 point." in said
        assert perimeter(company.lyon) == {company.p1.pk, company.p2.pk}, "it is read first"
        answer = read_and_confirmed(client, at(company.lyon), form, follow=True)
        assert "Site de Lyon a « Visualiser les mesures » sur 1 point." in text_of(answer)
        assert perimeter(company.lyon) == {company.p4.pk}
        assert perimeter(company.lyon, "meters") == {company.p1.pk, company.p2.pk}
        answer = client.post(at(company.lyon), state(page) | {"scope": "all", "do": "save"}, follow=True)
        assert "sur tous les points, présents et à venir." in text_of(answer)
        assert perimeter(company.lyon) is None

    def test_for_all_the_services_by_point_of_the_group_at_once(self, company):
        client = company.client("alice")
        page = client.get(at(company.lyon))
        assert "Appliquer aussi ce choix de points aux 2 autres services par point du groupe" in text_of(page)
        give(group=company.lyon, code="invoices", now=company.now)
        form = {"scope": "some", "pick": [company.p3.pk], "everywhere": "1", "do": "save"}
        read_and_confirmed(client, at(company.lyon), state(page) | form)
        for code in ("measurements", "meters", "data_services"):
            assert perimeter(company.lyon, code) == {company.p3.pk}
        assert perimeter(company.lyon, "invoices") is None

    def test_its_dates_are_of_the_service_given_alone(self, company):
        """What is applied to the others is the choice of points: the page says it, and it is so."""
        client, first = company.client("alice"), civil_day_of(timezone.now(), timezone.get_default_timezone())
        company.lyon.entitlements.filter(code="meters").update(valid_until=datetime(2099, 1, 1, tzinfo=UTC))
        page = client.get(at(company.lyon, "contracts"))
        assert "Pour « Consulter les contrats » seul : les autres services" in text_of(page)
        form = {
            "scope": "some",
            "pick": [company.p3.pk],
            "everywhere": "1",
            "first": first.isoformat(),
            "do": "save",
        }
        read_and_confirmed(client, at(company.lyon, "contracts"), state(page) | form)
        dates = {
            one.code: (one.valid_from is not None, one.valid_until is not None)
            for one in company.lyon.entitlements.all()
        }
        assert perimeter(company.lyon, "meters") == perimeter(company.lyon, "contracts") == {company.p3.pk}
        assert dates["contracts"] == (True, False)
        assert dates["meters"] == (False, True)

    def test_what_is_ticked_stays_from_one_search_to_the_next(self, company):
        client = company.client("alice")
        page = client.get(at(company.lyon))
        form = state(page) | {"scope": "some", "pick": [company.p1.pk, company.p3.pk]}
        page = client.post(at(company.lyon), form | {"q": "nantes", "do": "search"})
        assert "2 choisis sur 4 · 1 trouvé pour « nantes »" in text_of(page)
        form = state(page) | {"scope": "some", "pick": [company.p4.pk], "q": "nantes", "do": "save"}
        read_and_confirmed(client, at(company.lyon), form)
        assert perimeter(company.lyon) == {company.p1.pk, company.p3.pk, company.p4.pk}

    def test_none_is_refused_and_says_what_to_do(self, company):
        client = company.client("alice")
        page = client.get(at(company.lyon))
        answer = client.post(at(company.lyon), state(page) | {"scope": "some", "do": "save"})
        assert answer.status_code == 422
        assert "Choisissez au moins un point, ou « Tous les points »." in text_of(answer)
        assert perimeter(company.lyon) == {company.p1.pk, company.p2.pk}

    def test_nothing_is_chosen_before_the_service_is_given(self, company):
        page = company.client("alice").get(at(company.lyon, "contracts"))
        assert " checked" not in page.content.decode()

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"scope": "all", "pick": ["30001480112255"]}, "gardez l’un ou l’autre"),
            ({"scope": "all", "paste": "30001480112255"}, "gardez l’un ou l’autre"),
            ({"scope": ["all", "some"], "pick": ["30001480112255"]}, "Choisissez « Tous les points »"),
            ({"scope": "tout"}, "Choisissez « Tous les points »"),
            ({}, "Choisissez « Tous les points »"),
        ],
    )
    def test_a_choice_that_says_two_things_or_none_is_refused(self, company, more, said):
        client = company.client("alice")
        for code in ("measurements", "contracts"):
            page = client.get(at(company.lyon, code))
            answer = client.post(at(company.lyon, code), state(page) | {"do": "save"} | more)
            assert answer.status_code == 422
            assert said in text_of(answer).replace("\u00a0", " ")
            assert not more.get("pick") or 'value="30001480112255"' in answer.content.decode()
        assert perimeter(company.lyon) == {company.p1.pk, company.p2.pk}
        assert not company.lyon.entitlements.filter(code="contracts").exists()

    def test_a_point_of_another_company_is_never_taken(self, company):
        client = company.client("alice")
        forged = {"chosen": f"{company.p5.pk} {company.p1.pk}", "shown": "", "scope": "some", "do": "save"}
        read_and_confirmed(client, at(company.lyon), forged)
        assert perimeter(company.lyon) == {company.p1.pk}

    def test_gives_the_service_on_these_points_only_from_the_start(self, company):
        client = company.client("alice")
        page = client.get(at(company.seat, "contracts"))
        form = state(page) | {"scope": "some", "pick": [company.p4.pk], "do": "save"}
        said = text_of(client.post(at(company.seat, "contracts"), form))
        assert "Agathe perd « Consulter les contrats » sur 3 points et sur ceux à venir." in said
        answer = read_and_confirmed(client, at(company.seat, "contracts"), form, follow=True)
        assert perimeter(company.seat, "contracts") == {company.p4.pk}
        assert "Bob et 1 autre perdent « Consulter les contrats »." in text_of(answer)

    def test_what_was_chosen_before_and_is_unknown_here_stays(self, company):
        announced = "30001480999999"
        give(group=company.lyon, code="measurements", points=[company.p1.pk, announced], now=company.now)
        client = company.client("alice")
        page = client.get(at(company.lyon))
        assert f"inconnu de votre entreprise à ce jour : {announced}" in text_of(page)
        form = state(page) | {"scope": "some", "pick": [company.p2.pk], "do": "save"}
        read_and_confirmed(client, at(company.lyon), form)
        assert perimeter(company.lyon) == {company.p2.pk, announced}


class TestPasting:
    def test_a_clean_list_is_chosen(self, company):
        client = company.client("alice")
        page = client.get(at(company.lyon))
        text = f"30 001 480 112 255\r\n{company.p4.pk} Nantes ; {company.p1.pk}\tLyon Gerland, 12 rue du Bac, usine\n"
        form = state(page) | {"scope": "some", "paste": text, "do": "paste"}
        page = client.post(at(company.lyon), form)
        assert "3 points de la liste sont choisis. Il reste à enregistrer." in text_of(page)
        form = state(page) | {"scope": "some", "pick": hidden(page, "chosen").split(), "do": "save"}
        read_and_confirmed(client, at(company.lyon), form)
        assert perimeter(company.lyon) == {company.p1.pk, company.p3.pk, company.p4.pk}

    def test_what_is_wrong_is_said_and_nothing_is_lost(self, company):
        client = company.client("alice")
        page = client.get(at(company.lyon))
        bad = f"3000148011223\n{company.p5.pk}\n99999999999999\nusine de Bron\n571313174200000003"
        form = state(page) | {"scope": "some", "pick": [company.p2.pk], "do": "save"}
        pasted = bad.replace("11223\n", "11223 Bron\n", 1) + f"\n{company.p4.pk}"
        answer = client.post(at(company.lyon), form | {"paste": pasted})
        assert answer.status_code == 422
        said = text_of(answer)
        for line in (
            "Rien n’est encore enregistré",
            "5 identifiants de la liste sont à corriger.",
            "L’autre est choisi.",
            "« 3000148011223 » 13 chiffres ; un PRM en a 14, un GSRN 18",
            f"« {company.p5.pk} » n’est pas un point de votre entreprise",
            "« 99999999999999 » n’est pas un point de votre entreprise",
            "« usine de Bron » n’est pas l’identifiant d’un point",
            "« 571313174200000003 » un chiffre est faux : la clé de contrôle ne correspond pas",
        ):
            assert line in said, line
        page = answer.content.decode()
        kept = page.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0]
        assert kept.split("\n") == bad.split("\n")
        assert set(hidden(answer, "chosen").split()) == {company.p2.pk, company.p4.pk}
        assert perimeter(company.lyon) == {company.p1.pk, company.p2.pk}

    def test_thousands_of_points_are_chosen_at_once(self, company):
        rows = make_many_held(
            company.acme,
            (
                {"id": str(30_010_000_000_000 + number), "label": f"Abonné {number}", "city": "Lyon"}
                for number in range(3000)
            ),
        )
        client = company.client("alice")
        page = client.get(at(company.lyon))
        listed = "\n".join(rows[:2500])
        page = client.post(at(company.lyon), state(page) | {"scope": "some", "paste": listed, "do": "paste"})
        assert "2 500 points de la liste sont choisis" in text_of(page)
        form = state(page) | {"scope": "some", "pick": hidden(page, "shown").split(), "do": "page:3"}
        page = client.post(at(company.lyon), form)
        assert "101–150 sur 3 004" in text_of(page)
        shown = [key for key in hidden(page, "shown").split() if key in hidden(page, "chosen").split()]
        client.post(at(company.lyon), state(page) | {"scope": "some", "pick": shown, "do": "save"})
        assert len(perimeter(company.lyon)) == 2502

    def test_the_change_is_recorded_with_what_was_and_what_became(self, company):
        client = company.client("alice")
        page = client.get(at(company.lyon))
        form = state(page) | {"scope": "some", "pick": [company.p4.pk], "do": "save"}
        read_and_confirmed(client, at(company.lyon), form)
        event = AuditEvent.objects.latest("pk")
        assert event.action == "group.perimeter_changed"
        assert event.before == {"service": "measurements", "points": [company.p1.pk, company.p2.pk]}
        assert event.after == {"service": "measurements", "points": [company.p4.pk]}


def test_a_member_sees_what_the_new_perimeter_lets_them_at_their_next_page(company):
    bob = company.client("bob")
    assert "Nantes Beaulieu" not in text_of(bob.get("/compteurs/"))
    client = company.client("alice")
    page = client.get(at(company.lyon, "meters"))
    form = state(page) | {"scope": "some", "pick": [company.p4.pk], "do": "save"}
    read_and_confirmed(client, at(company.lyon, "meters"), form)
    seen = text_of(bob.get("/compteurs/"))
    assert "Nantes Beaulieu" in seen
    assert "Lyon Gerland" not in seen
    assert make_held_point(company.acme, label="Nouveau site")
    assert "Nouveau site" not in text_of(bob.get("/compteurs/"))
