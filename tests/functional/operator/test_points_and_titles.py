"""The register of points: find one, see who holds it, end a title or begin one knowing what follows."""

from datetime import date, timedelta

import pytest

from gridgate.audit.models import AuditEvent
from gridgate.metering.models import PointVersion, TitleHolding
from gridgate.metering.operations.collections import set_collection
from gridgate.metering.operations.titles import close_holding
from gridgate.metering.versions import Versions, write
from gridgate.sharing.models import AccessLine, Permission
from tests.factories.metering import make_held_point, make_holding, make_point
from tests.factories.sharing import make_permission, make_service
from tests.functional.partage.test_who_reads_our_data import text_of
from tests.world import World

REGISTER = "/administration/points/"


def of(point) -> str:
    return f"{REGISTER}{point.pk}/"


def ids(page) -> list[str]:
    return [row["id"] for row in page.context["rows"]]


class TestTheRegister:
    def test_says_who_holds_each_point_today(self, world: World) -> None:
        nobody = make_point(label="Sans personne")
        close_holding(holding=world.p5.holdings.get(), valid_to=date(2026, 11, 25), now=world.now)
        rows = {row["id"]: row["holder"] for row in world.client("operateur").get(REGISTER).context["rows"]}
        assert rows[world.p1.pk] == "ACME Industries"
        assert rows[world.p5.pk] is None, "its title ended this morning"
        assert rows[nobody.pk] is None

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("q=gerland+usine", ["p1"]),
            ("q=30+001+480+112+233", ["p1"]),
            ("titulaire=client", ["p5"]),
            ("titulaire=123+456", ["p5"]),
            ("titulaire=acme&segment=C5", ["p4"]),
            ("tenu=sans", []),
            ("tenu=avec&q=rennes", ["p5"]),
            ("q=nulle+part", []),
        ],
    )
    def test_can_be_searched(self, world: World, query: str, found: list[str]) -> None:
        page = world.client("operateur").get(f"{REGISTER}?{query}")
        assert ids(page) == [getattr(world, name).pk for name in found]

    def test_is_found_from_the_operators_home(self, world: World) -> None:
        assert f'href="{REGISTER}"' in world.client("operateur").get("/administration/").content.decode()

    def test_speaks_english(self, world: World) -> None:
        text = text_of(world.client("operateur", language="en").get(REGISTER))
        assert "5 metering points, and who holds them today." in text


class TestOnePoint:
    def test_has_its_facts_its_titles_in_time_and_its_collection(self, world: World) -> None:
        set_collection(actor=world.alice, points=[world.p1.pk], state="requested", now=world.now)
        close_holding(holding=world.p1.holdings.get(), valid_to=date(2026, 12, 1), now=world.now)
        text = text_of(world.client("operateur").get(of(world.p1)))
        for said in (
            "Lyon Gerland, usine",
            "Segment C2",
            "100 kVA",
            "ACME Industries 111 222 337",
            "1ᵉʳ janv. 2024",
            "Jusqu’au 30 nov. 2026",
            "Changer la fin",
            "Active 25 nov. 2026 10:30 à présent Alice",
        ):
            assert said in text, said

    def test_says_that_nobody_holds_it(self, world: World) -> None:
        text = text_of(world.client("operateur").get(of(make_point())))
        assert "Personne n’est titulaire de ce point aujourd’hui" in text
        assert "Aucune demande n’est enregistrée ici." in text

    def test_is_not_found_for_no_point(self, world: World) -> None:
        for page in ("", "titulaire/", "titres/1/fin/"):
            assert world.client("operateur").get(f"{REGISTER}99999999999999/{page}").status_code == 404

    def test_another_points_title_is_not_found(self, world: World) -> None:
        other = world.p2.holdings.get()
        assert world.client("operateur").get(f"{of(world.p1)}titres/{other.pk}/fin/").status_code == 404


class TestEndingATitle:
    @pytest.fixture
    def shared(self, world: World) -> dict[str, Permission]:
        """What others read of p1: alone, with p2, and as one of all."""
        one, two, three = world.third_party_1, world.third_party_2, world.third_party_3
        return {
            "alone": make_permission(make_service(one, "Seul"), world.acme, points=[world.p1], now=world.now),
            "both": make_permission(
                make_service(two, "Deux"), world.acme, points=[world.p1, world.p2], now=world.now
            ),
            "all": make_permission(make_service(three, "Tout"), world.acme, now=world.now),
            "other": make_permission(
                make_service(one, "Ailleurs"), world.acme, points=[world.p3], now=world.now
            ),
        }

    def address(self, world: World) -> str:
        return f"{of(world.p1)}titres/{world.p1.holdings.get().pk}/fin/"

    def post(self, world: World, do: str, day: str):
        return world.client("operateur").post(self.address(world), {"do": do, "last_day": day}, follow=True)

    def test_says_first_what_becomes_of_each_permission_and_does_nothing(
        self, world: World, shared: dict[str, Permission]
    ) -> None:
        page = self.post(world, "check", "2026-11-24")
        text = text_of(page)
        for said in (
            "Mettre fin au titre d’ACME Industries le 24 novembre 2026 au soir",
            "Ce jour est passé : l’effet est immédiat",
            "Tiers 1 222 333 445 Seul prend fin : c’est son seul compteur",
            "Tiers 2 333 444 552 Deux perd ce compteur, garde 1 autre",
            "Tiers 3 444 555 668 Tout porte sur tous ses compteurs : se poursuit, sans celui-ci",
            "reçoivent un reçu signé",
        ):
            assert said in text, said
        assert "Ailleurs" not in text
        assert TitleHolding.objects.get(metering_point=world.p1).valid_to is None
        assert {permission.state for permission in Permission.objects.all()} == {"active"}

    def test_then_does_exactly_that(self, world: World, shared: dict[str, Permission]) -> None:
        page = self.post(world, "end", "2026-11-24")
        assert page.redirect_chain[-1][0] == of(world.p1)
        assert "Le titre d’ACME Industries prend fin le 24 novembre 2026 au soir" in text_of(page)
        assert TitleHolding.objects.get(metering_point=world.p1).valid_to == date(2026, 11, 25)
        for permission in shared.values():
            permission.refresh_from_db()
        assert {name: permission.state for name, permission in shared.items()} == {
            "alone": "invalidated",
            "both": "active",
            "all": "active",
            "other": "active",
        }
        kept = shared["both"].points.values_list("metering_point_id", flat=True)
        assert list(kept) == [world.p2.pk]

    def test_is_told_to_the_company(self, world: World) -> None:
        self.post(world, "end", "2026-11-30")
        event = AuditEvent.objects.get(action="holding.closed", organisation=world.acme.pk)
        assert (event.acting_for, event.subject_label) == (world.operator.pk, world.p1.pk)
        history = text_of(world.client("alice").get("/administration/historique/"))
        assert "Fin du titre sur le point 30 001 480 112 233 modifiée" in history
        assert "Olivier Réseau Démo, pour votre compte" in history

    def test_says_when_it_takes_effect_and_that_nothing_reads_the_point(self, world: World) -> None:
        text = text_of(self.post(world, "check", "2026-11-30"))
        assert "L’effet est à minuit ce soir-là" in text
        assert "Aucune autorisation en cours ne porte sur ce point" in text
        assert "reçu signé" not in text

    @pytest.mark.parametrize(
        ("day", "said"), [("2023-12-31", "Le titre commence le 1ᵉʳ janvier 2024"), ("", "obligatoire")]
    )
    def test_a_day_that_will_not_do_is_told(self, world: World, day: str, said: str) -> None:
        for do in ("check", "end"):
            page = self.post(world, do, day)
            assert page.status_code == 422
            assert said in text_of(page)
        assert TitleHolding.objects.get(metering_point=world.p1).valid_to is None

    def test_one_that_is_over_is_not_changed(self, world: World) -> None:
        close_holding(holding=world.p1.holdings.get(), valid_to=date(2026, 11, 1), now=world.now)
        assert "Ce titre a déjà pris fin" in text_of(self.post(world, "end", "2026-11-30"))
        assert TitleHolding.objects.get(metering_point=world.p1).valid_to == date(2026, 11, 1)

    @pytest.mark.parametrize("who", ["alice", "charlie", "tiers1"])
    def test_is_for_the_operator(self, world: World, who: str) -> None:
        posted = {"do": "end", "last_day": "2026-11-30"}
        assert world.client(who).post(self.address(world), posted).status_code == 403
        assert TitleHolding.objects.get(metering_point=world.p1).valid_to is None


class TestBeginningATitle:
    def post(self, world: World, point, do: str = "begin", **changed: str):
        posted = {"do": do, "siren": world.client_b.siren, "first_day": "2026-11-20"} | changed
        return world.client("operateur").post(f"{of(point)}titulaire/", posted, follow=True)

    def test_on_a_free_point(self, world: World) -> None:
        point = make_point()
        page = self.post(world, point, last_day="2026-12-31")
        assert "Client B est titulaire du point à partir du 20 novembre 2026" in text_of(page)
        title = TitleHolding.objects.get(metering_point=point)
        assert (title.holder, title.valid_from, title.valid_to) == (
            world.client_b,
            date(2026, 11, 20),
            date(2027, 1, 1),
        )
        assert AccessLine.objects.filter(metering_point=point, reader=world.client_b).exists()

    def test_says_first_who_leaves_what_it_loses_and_who_will_read(self, world: World) -> None:
        make_permission(
            make_service(world.third_party_1, "Seul"), world.acme, points=[world.p1], now=world.now
        )
        make_permission(make_service(world.third_party_2, "Tout"), world.client_b, now=world.now)
        text = text_of(self.post(world, world.p1, "check"))
        for said in (
            "Client B titulaire à partir du 20 novembre 2026",
            "Le titre d’ACME Industries prend fin le 19 novembre 2026 au soir",
            "Ce qui ne lit plus ce point au nom d’ACME Industries",
            "Seul prend fin : c’est son seul compteur",
            "Ce qui lira ce point au nom de Client B",
            "Tiers 2 333 444 552 Tout",
        ):
            assert said in text, said
        assert TitleHolding.objects.get(metering_point=world.p1).holder == world.acme

    def test_says_that_the_name_of_the_site_stays_where_another_holder_had_it(self, world: World) -> None:
        PointVersion.objects.filter(metering_point=world.p1).update(label="Usine d’ACME")
        said = "« Usine d’ACME », donné du temps du titulaire précédent, est montré à Client B aussi"
        assert said in text_of(self.post(world, world.p1, "check"))
        free = make_point(label="Agence")
        assert "Le nom du site reste" not in text_of(self.post(world, free, "check"))
        PointVersion.objects.filter(metering_point=world.p1).update(label="")
        assert "Le nom du site reste" not in text_of(self.post(world, world.p1, "check"))

    def test_says_nothing_of_a_name_of_its_own_time_to_a_company_that_comes_back(self, world: World) -> None:
        PointVersion.objects.filter(metering_point=world.p1).update(label="Usine d’ACME")
        self.post(world, world.p1, first_day="2026-03-01")
        back = self.post(world, world.p1, "check", siren=world.acme.siren)
        assert "ACME Industries titulaire à partir du 20 novembre 2026" in text_of(back)
        assert "Le nom du site reste" not in text_of(back)
        between = Versions(world.p1.pk, PointVersion.objects.filter(metering_point=world.p1))
        between.say(date(2026, 6, 1), {"label": "Entrepôt"})
        write([between])
        said = "« Entrepôt », donné du temps du titulaire précédent, est montré à ACME Industries aussi"
        assert said in text_of(self.post(world, world.p1, "check", siren=world.acme.siren))

    def test_a_move_closes_the_title_of_whoever_held_the_point(self, world: World) -> None:
        permission = make_permission(
            make_service(world.third_party_1, "Seul"), world.acme, points=[world.p1], now=world.now
        )
        self.post(world, world.p1)
        titles = TitleHolding.objects.filter(metering_point=world.p1).order_by("valid_from")
        assert [(one.holder, one.valid_from, one.valid_to) for one in titles] == [
            (world.acme, date(2024, 1, 1), date(2026, 11, 20)),
            (world.client_b, date(2026, 11, 20), None),
        ]
        permission.refresh_from_db()
        assert permission.state == "invalidated"
        told = AuditEvent.objects.filter(subject_kind="holding", acting_for=world.operator.pk)
        assert set(told.values_list("organisation", "action")) == {
            (world.acme.pk, "holding.closed"),
            (world.client_b.pk, "holding.opened"),
        }

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"siren": "732829320"}, "Aucune entreprise n’a ce SIREN ici"),
            ({"siren": "100000009"}, "Aucune entreprise n’a ce SIREN ici"),
            ({"siren": "12"}, "2 chiffres saisis sur 9"),
            (
                {"first_day": "2023-01-01"},
                "ACME Industries est titulaire du point depuis le 1ᵉʳ janvier 2024",
            ),
            ({"last_day": "2026-12-31"}, "ACME Industries est titulaire du point depuis le 1ᵉʳ janvier 2024"),
            ({"last_day": "2026-11-01"}, "Le dernier jour vient après le premier"),
            ({"first_day": ""}, "obligatoire"),
        ],
    )
    def test_what_will_not_do_is_told_and_nothing_done(
        self, world: World, changed: dict[str, str], said: str
    ) -> None:
        for do in ("check", "begin"):
            page = self.post(world, world.p1, do, **changed)
            assert page.status_code == 422
            assert said in text_of(page)
        assert TitleHolding.objects.filter(metering_point=world.p1).count() == 1

    def test_a_gap_between_two_titles_can_be_filled(self, world: World) -> None:
        point = make_held_point(world.acme)
        close_holding(holding=point.holdings.get(), valid_to=date(2026, 11, 1), now=world.now)
        make_holding(point, world.acme, since=date(2026, 11, 20))
        assert "titulaire du point depuis le 20" in text_of(
            self.post(world, point, first_day="2026-11-05", last_day="2026-11-20")
        )
        self.post(world, point, first_day="2026-11-05", last_day="2026-11-19")
        assert point.holdings.filter(holder=world.client_b).exists()

    @pytest.mark.parametrize("who", ["alice", "charlie", "tiers1"])
    def test_is_for_the_operator(self, world: World, who: str) -> None:
        posted = {"do": "begin", "siren": world.client_b.siren, "first_day": "2026-11-20"}
        assert world.client(who).post(f"{of(make_point())}titulaire/", posted).status_code == 403
        assert not TitleHolding.objects.filter(valid_from=world.now.date() - timedelta(days=5)).exists()
