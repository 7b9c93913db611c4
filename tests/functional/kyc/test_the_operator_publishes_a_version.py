"""Versions of the questionnaire, by the operator's screen and by command."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from typer.testing import CliRunner

from gridgate.kyc.form import BUILT_IN
from gridgate.kyc.models import KycForm
from gridgate.organisations.models import Membership
from gridgate.portal.screens.kyc.version_faults import FRENCH
from tests.factories.kyc import make_accepted, make_draft
from tests.factories.organisations import make_member
from tests.functional.kyc.pages import text_of
from tests.world import World

HOME = "/administration/questionnaire/"
WORDS = {"fr": "Nom de l’entreprise", "en": "Name of the company"}
GOOD = json.dumps(
    {
        "months_valid": 12,
        "sections": [{"title": WORDS, "fields": [{"name": "legal_name", "kind": "text", "label": WORDS}]}],
    }
)


def upload(client, content: str | bytes, version: str = "2"):
    body = content if isinstance(content, bytes) else content.encode()
    return client.post(HOME, {"version": version, "file": SimpleUploadedFile("v2.json", body)})


def hidden(response) -> dict[str, str]:
    """The fields of the form that publishes."""
    found = re.findall(
        r'<input type="hidden" name="(version|document)" value="([^"]*)"', response.content.decode()
    )
    return {name: unescape(value) for name, value in found}


class TestOnScreen:
    def test_lists_the_versions_with_what_stands_on_them(self, published: World) -> None:
        make_draft(published.charlie, now=published.now)
        make_accepted(published.alice, published.operateur, now=published.now)
        text = text_of(published.client("operateur").get(HOME))
        assert re.search(r"1 Actuelle 25 nov. 2026 24 mois 1 1 Fichier JSON 1", text)

    def test_checks_then_shows_then_publishes(self, published: World) -> None:
        running = make_draft(published.alice, now=published.now)
        client = published.client("operateur")
        shown = upload(client, GOOD)
        text = text_of(shown)
        assert "1 section, 1 champ. Un questionnaire accepté est valable 12 mois." in text
        assert 'name="q-legal_name"' in shown.content.decode()
        assert not KycForm.objects.filter(version="2").exists()
        done = client.post(f"{HOME}publier/", hidden(shown), follow=True)
        assert "La version 2 est publiée." in text_of(done)
        assert KycForm.objects.get(version="2").months_valid == 12
        running.refresh_from_db()
        assert running.form.version == "1"
        began = published.client("charlie").post("/questionnaire/commencer/", follow=True)
        assert "Section 1 sur 1" in text_of(began)

    def test_tells_every_fault_with_its_place(self, published: World) -> None:
        bad = json.loads(GOOD)
        bad["sections"][0]["fields"] += [
            {"name": "owners", "kind": "txt", "label": WORDS},
            {"name": "legal_name", "kind": "text", "label": {"fr": "A"}, "longset": 3},
        ]
        text = text_of(upload(published.client("operateur"), json.dumps(bad)))
        assert "v2.json ne peut pas être publié : 3 fautes" in text
        assert "section 1, owners Txt n’est pas une sorte de champ ici" in text
        assert "section 1, legal_name, label, en La clé manque." in text
        assert "section 1, legal_name, longset Cette clé n’existe pas ici." in text
        english = text_of(upload(published.client("operateur", language="en"), json.dumps(bad)))
        assert "section 1, legal_name, longset No such key here." in english

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("", "ligne 1 Ce n’est pas du JSON, à partir de la colonne 1."),
            ('{\n "sections": [,', "ligne 2 Ce n’est pas du JSON, à partir de la colonne 15."),
            (b'{"\xe9"', "ligne 1 Ce n’est pas de l’UTF-8."),
            ("x" * 300_000, "Le fichier pèse plus de 256 Ko."),
        ],
    )
    def test_says_on_which_line_it_is_no_json(self, published: World, content, said: str) -> None:
        assert said in text_of(upload(published.client("operateur"), content))
        assert KycForm.objects.count() == 1

    @pytest.mark.parametrize(
        ("version", "said"),
        [
            ("1", "Cette version est publiée, et ne change plus."),
            ("a/b", "De 1 à 20 lettres"),
            ("", "Donnez un nom."),
        ],
    )
    def test_refuses_a_name_beside_its_field(self, published: World, version: str, said: str) -> None:
        assert said in text_of(upload(published.client("operateur"), GOOD, version))

    def test_checks_again_what_comes_back_from_the_page(self, published: World) -> None:
        client = published.client("operateur")
        for form, said in (
            ({"version": "2", "document": "{}"}, "Le document a changé entre-temps."),
            ({"version": "1", "document": GOOD}, "Cette version est publiée"),
            ({"document": GOOD}, "De 1 à 20 lettres"),
        ):
            assert said in text_of(client.post(f"{HOME}publier/", form, follow=True))
        assert KycForm.objects.count() == 1

    def test_shows_a_version_as_companies_see_it_and_gives_its_file(self, published: World) -> None:
        client = published.client("operateur")
        page = client.get(f"{HOME}versions/1/")
        assert "Bénéficiaires effectifs" in text_of(page)
        assert '<fieldset class="flow" disabled>' in page.content.decode()
        assert "Beneficial owners" in text_of(
            published.client("operateur", language="en").get(f"{HOME}versions/1/")
        )
        file = client.get(f"{HOME}versions/1/fichier.json")
        assert file["Content-Disposition"] == 'attachment; filename="questionnaire-1.json"'
        assert json.loads(file.content) == json.loads(BUILT_IN.read_text(encoding="utf-8"))
        assert client.get(f"{HOME}versions/absente/").status_code == 404

    def test_is_published_by_administrators_only(self, published: World) -> None:
        make_member(published.operator, "Odile", role=Membership.Role.USER, email="odile@reseau-demo.example")
        client = published.visitor()
        odile = Membership.objects.get(user__full_name="Odile")
        client.force_login(odile.user)
        assert "Publier une version" not in text_of(client.get(HOME))
        assert client.post(f"{HOME}publier/", {"version": "2", "document": GOOD}).status_code == 403
        assert client.get(f"{HOME}versions/1/").status_code == 200

    @pytest.mark.parametrize("who", ["alice", "charlie", "tiers1"])
    def test_is_for_the_operators_staff(self, published: World, who: str) -> None:
        client = published.client(who)
        for address in (HOME, f"{HOME}versions/1/", f"{HOME}versions/1/fichier.json"):
            assert client.get(address).status_code == 403
        assert client.post(f"{HOME}publier/", {"version": "2", "document": GOOD}).status_code == 403

    def test_every_fault_has_its_french(self) -> None:
        import gridgate.kyc.form_file as schema

        source = Path(schema.__file__).read_text(encoding="utf-8")
        codes = set(re.findall(r'Fault\(\s*"(\w+)"', source)) | set(schema._MESSAGES)
        assert codes == set(FRENCH)


@pytest.mark.django_db
class TestByCommand:
    def run(self, *arguments: str):
        from gridgate.config.cli import app

        return CliRunner().invoke(app, ["kyc", *arguments])

    @pytest.fixture(autouse=True)
    def _loaded(self, monkeypatch):
        """The commands load Django on the instance of the settings; here it is loaded already."""
        from gridgate.config.commands import kyc

        monkeypatch.setattr(kyc, "load_django", lambda: None)

    def test_publishes_a_file(self, published: World, tmp_path: Path) -> None:
        file = tmp_path / "v2.json"
        file.write_text(GOOD, encoding="utf-8")
        done = self.run("publish", str(file), "--version", "2")
        assert done.exit_code == 0, done.output
        assert "Version 2 is published: 1 section, valid 12 months." in done.output
        assert KycForm.objects.get(version="2").sections == json.loads(GOOD)["sections"]

    def test_tells_what_is_wrong_in_it(self, published: World, tmp_path: Path) -> None:
        file = tmp_path / "v2.json"
        file.write_text(GOOD.replace('"text"', '"txt"'), encoding="utf-8")
        done = self.run("publish", str(file), "--version", "2")
        assert done.exit_code == 2
        assert "section 1, legal_name: txt is no kind of field here" in done.output
        assert "docs/1-running/kyc.md" in done.output
        checked = self.run("check", str(file))
        assert checked.exit_code == 1
        assert "txt is no kind of field here" in checked.output
        assert KycForm.objects.count() == 1

    def test_checks_without_publishing(self, published: World) -> None:
        done = self.run("check", str(BUILT_IN))
        assert done.exit_code == 0
        assert "8 sections, 44 fields, nothing to mend." in done.output

    def test_prints_a_version_to_begin_with(self, published: World) -> None:
        built_in = json.loads(BUILT_IN.read_text(encoding="utf-8"))
        assert json.loads(self.run("show").stdout) == built_in
        assert json.loads(self.run("show", "--version", "1").stdout) == built_in


def test_an_instance_begins_with_version_1(empty_instance: Path) -> None:
    import sqlite3

    registry = sqlite3.connect(empty_instance / "registry.sqlite3")
    try:
        assert registry.execute("SELECT version FROM kyc_kycform").fetchall() == [("1",)]
    finally:
        registry.close()
