"""The operator imports points and holders on screen: check, read, decide."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from gridgate.metering.imports.findings import Code
from gridgate.metering.models import MeteringPoint, RegisterImport, TitleHolding
from gridgate.portal.screens.administration.findings import FRENCH
from gridgate.portal.screens.administration.samples import SAMPLES
from tests.world import World

UPLOAD = "/administration/import/"
HEADER = "id;segment;directions;address;postcode;city;subscribed_power_kva;activated_on\r\n"
GOOD = "30009990000017;C4;W+I;3 rue du Bac;69007;Lyon;36,5;01/03/2020\r\n"
BAD = "3000999000001;C4;W;3 rue du Bac;69007;Lyon;36;2020-03-01\r\n"


def send(client, content: str | bytes, kind: str = "points"):
    body = content if isinstance(content, bytes) else content.encode()
    return client.post(UPLOAD, {"kind": kind, "file": SimpleUploadedFile("parc.csv", body)}, follow=True)


def text_of(response) -> str:
    return response.content.decode().replace("\xa0", " ").replace("\u202f", " ")


class TestImportOnScreen:
    def test_checks_first_then_imports(self, world: World) -> None:
        client = world.client("operateur")
        report = send(client, HEADER + GOOD + BAD)
        text = text_of(report)
        assert "Rien n’est encore importé" in text
        assert "Il a 13 chiffres, un identifiant en a 14 ici" in text
        assert "Importer 1 ligne" in text
        assert not MeteringPoint.objects.filter(pk="30009990000017").exists()

        done = client.post(report.request["PATH_INFO"], {"decision": "import"}, follow=True)
        assert "1 ligne est importée." in text_of(done)
        assert MeteringPoint.objects.get(pk="30009990000017").versions.get().directions == 3
        made = RegisterImport.objects.get()
        assert (made.state, made.content, made.made_by) == ("done", None, world.operateur.user)

    def test_speaks_english(self, world: World) -> None:
        report = send(world.client("operateur", language="en"), HEADER + BAD)
        assert "It has 13 digits, an identifier here has 14" in text_of(report)
        assert "Why 1 line is left out" in text_of(report)

    def test_imports_holders_and_says_who_leaves(self, world: World) -> None:
        client = world.client("operateur")
        content = (
            f"metering_point_id;siren;legal_name;valid_from;valid_to\n{world.p1.pk};123456782;;2026-11-01;\n"
        )
        report = send(client, content, kind="holders")
        assert (
            "le titre d’ACME Industries, ouvert depuis le 1ᵉʳ janv. 2024, prend fin le 1ᵉʳ nov. 2026"
            in text_of(report)
        )
        client.post(report.request["PATH_INFO"], {"decision": "import"})
        assert TitleHolding.objects.get(metering_point=world.p1, valid_to=None).holder == world.client_b

    def test_forgets_a_file_on_demand(self, world: World) -> None:
        client = world.client("operateur")
        report = send(client, HEADER + GOOD)
        done = client.post(report.request["PATH_INFO"], {"decision": "discard"}, follow=True)
        assert "Le fichier est oublié" in text_of(done)
        assert client.get(report.request["PATH_INFO"]).status_code == 404
        assert not MeteringPoint.objects.filter(pk="30009990000017").exists()

    def test_shows_what_was_imported_again_without_offering_it(self, world: World) -> None:
        client = world.client("operateur")
        report = send(client, HEADER + GOOD)
        for _again in range(2):
            client.post(report.request["PATH_INFO"], {"decision": "import"})
        page = text_of(client.get(report.request["PATH_INFO"]))
        assert 'name="decision"' not in page
        assert "Créées" in page

    def test_says_that_a_colleague_imported_it_meanwhile(self, world: World) -> None:
        report = send(world.client("operateur"), HEADER + GOOD).request["PATH_INFO"]
        other = world.client("operateur")
        other.post(report, {"decision": "import"})
        done = text_of(world.client("operateur").post(report, {"decision": "import"}, follow=True))
        assert f"{world.operateur.user} avait déjà importé ce fichier" in done
        assert "est importée" not in done

    def test_counts_what_was_so_already_by_another_file(self, world: World) -> None:
        client = world.client("operateur")
        second = GOOD.replace("30009990000017", "30009990000024")
        both = send(client, HEADER + GOOD + second).request["PATH_INFO"]
        client.post(send(client, HEADER + GOOD).request["PATH_INFO"], {"decision": "import"})
        done = client.post(both, {"decision": "import"}, follow=True)
        assert "1 ligne est importée. 1 était déjà ainsi au registre." in text_of(done)

    def test_has_nothing_to_decide_of_a_file_that_cannot_be_imported(self, world: World) -> None:
        send(world.client("operateur"), "")

        page = text_of(world.client("operateur").get("/administration/import/"))

        assert "Rien à importer" in page
        assert "À décider" not in page

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (
                (HEADER + GOOD.replace("Lyon", "Vénissieux")).encode("latin-1"),
                "L’octet 0xE9 n’est pas de l’UTF-8",
            ),
            (HEADER.replace("segment;", "") + GOOD, "La colonne manque"),
            (HEADER + GOOD.replace("Lyon", "Ly\0on"), "C’est un fichier binaire, pas un tableau"),
            ("", "Le fichier est vide"),
        ],
    )
    def test_refuses_a_file_that_cannot_be_read(self, world: World, content: str | bytes, said: str) -> None:
        report = send(world.client("operateur"), content)
        assert "Ce fichier ne peut pas être importé" in text_of(report)
        assert said in text_of(report)
        assert 'value="import"' not in text_of(report)

    @pytest.mark.parametrize(
        ("kind", "header", "language", "column"),
        [
            (
                "points",
                HEADER.replace("subscribed_power_kva;", ""),
                "fr",
                "Puissance souscrite (kVA) (subscribed_power_kva)",
            ),
            ("points", "Segment;Sens;Point de comptage", "fr", "Adresse (address)"),
            ("points", "id;" + HEADER, "en", "Metering point (id)"),
            (
                "holders",
                "metering_point_id;siren;legal_name;valid_from",
                "fr",
                "Plus titulaire depuis (valid_to)",
            ),
        ],
    )
    def test_names_a_column_in_the_words_of_lists(
        self, world: World, kind: str, header: str, language: str, column: str
    ) -> None:
        report = send(world.client("operateur", language=language), header, kind=kind)
        first, *others = report.context["problems"]
        assert first.column == column
        assert all(column in one.remedy for one in (first, *others) if "columns are" in one.remedy)

    @pytest.mark.parametrize(
        ("language", "said"), [("fr", "1 chiffre ; un SIREN en a 9"), ("en", "1 digit; a SIREN has 9")]
    )
    def test_counts_one_as_one(self, world: World, language: str, said: str) -> None:
        content = f"metering_point_id;siren;legal_name;valid_from;valid_to\n{world.p1.pk};1;;2026-11-01;\n"
        report = send(world.client("operateur", language=language), content, kind="holders")
        assert said in text_of(report)

    def test_reads_holders_under_the_words_of_lists(self, world: World) -> None:
        content = (
            "Point de comptage;SIREN;Entreprise;Titulaire depuis;Plus titulaire depuis\n"
            f"{world.p1.pk};123456782;;2026-11-01;\n"
        )
        report = send(world.client("operateur"), content, kind="holders")
        assert report.context["made"].created == 1

    def test_asks_for_the_file_and_its_kind(self, world: World) -> None:
        page = world.client("operateur").post(UPLOAD, {})
        assert set(page.context["form"].errors) == {"kind", "file"}

    def test_gives_the_whole_report_as_a_list(self, world: World) -> None:
        client = world.client("operateur")
        report = send(client, HEADER + "".join(BAD for _ in range(20)))
        assert len(report.context["problems"]) == 12
        lines = (
            b"".join(client.get(report.request["PATH_INFO"] + "rapport.csv").streaming_content)
            .decode()
            .splitlines()
        )
        assert len(lines) == 21
        assert "id;3000999000001;non;" in lines[1]

    @pytest.mark.parametrize("kind", ["points", "holders"])
    def test_offers_samples_that_import(self, world: World, kind: str) -> None:
        client = world.client("operateur")
        sample = client.get(f"/administration/import/modele-{kind}.csv")
        assert sample.content == SAMPLES[kind]
        if kind == "holders":
            send_points = send(client, SAMPLES["points"])
            client.post(send_points.request["PATH_INFO"], {"decision": "import"})
        report = send(client, sample.content, kind=kind)
        assert not [one for one in report.context["problems"].object_list if one.column != "valid_from"]
        assert client.get("/administration/import/modele-users.csv").status_code == 404

    def test_words_every_finding_in_french_with_the_same_details(self) -> None:
        from gridgate.metering.imports.findings import _WORDS

        assert set(FRENCH) == set(Code) == set(_WORDS)
        for code, texts in FRENCH.items():
            for french, english in zip(texts, _WORDS[code], strict=True):
                fields = [
                    {re.split("[:}]", part)[0] for part in text.split("{")[1:]} for text in (french, english)
                ]
                assert fields[0] == fields[1], code


class TestTheOperatorOnly:
    @pytest.mark.parametrize("who", ["alice", "acme_user", "charlie", "tiers1"])
    def test_opens_the_back_office(self, world: World, who: str) -> None:
        made = send(world.client("operateur"), HEADER + GOOD)
        client = world.client(who)
        path = made.request["PATH_INFO"]
        for address in (UPLOAD, path, path + "rapport.csv"):
            assert client.get(address).status_code == 403
        # Who administers a company's users is led to them; the registers stay the operator's.
        home = client.get("/administration/")
        assert home.status_code == 403 or home["Location"] == "/administration/utilisateurs/"
        assert client.post(path, {"decision": "import"}).status_code == 403
        assert client.post("/administration/collectes/", {"point": [world.p1.pk]}).status_code == 403
        assert send(client, HEADER + GOOD).status_code == 403
        assert RegisterImport.objects.get().state == "checked"

    def test_nobody_signed_in_is_sent_to_sign_in(self, world: World) -> None:
        assert world.visitor().get("/administration/").status_code == 302
