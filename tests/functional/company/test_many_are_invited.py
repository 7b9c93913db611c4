"""Inviting people by a list: each line is judged before anybody is written to."""

import csv
import re
from datetime import date
from functools import partial
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from gridgate.accounts.models import SecurityPolicy
from gridgate.onboarding import people_file
from gridgate.onboarding.models import Invitation
from gridgate.onboarding.operations.invitations import Invitee, invite, invite_all
from gridgate.onboarding.operations.sending import InvitationOpen
from gridgate.onboarding.people_file import MOST
from gridgate.organisations.last_days import end_of
from gridgate.organisations.models import Membership
from gridgate.portal.screens.company import forms
from gridgate.tables.out import workbook
from gridgate.tables.text import unguarded
from tests.functional.company import conftest
from tests.functional.company.conftest import text_of

MANY, EXPORT = "/administration/inviter/plusieurs/", "/administration/utilisateurs/export.csv"
LIST = """Nom;Rôle;Adresse e-mail;Groupes;Rattachement;Badge
Fanny Petit;;Fanny@acme.example;Site de Lyon | siège;Externe;7
Gaston;roi;gaston@acme.example;;;
;;hugo;Nulle part;;

Bob;;bob@acme.example;;;
Fanny;;fanny@acme.example;;;
"""


def hidden(response, name: str) -> str:
    return unescape(conftest.hidden(response, name))


def boxed(response) -> str:
    """What stands in the box."""
    kept = re.search(r"<textarea[^>]*>(.*?)</textarea>", response.content.decode(), re.DOTALL)
    assert kept
    return kept[1].strip()


def hidden_lines(response) -> list[str]:
    return unescape(boxed(response)).splitlines()


def rows_of(text: str) -> list[list[str]]:
    """Without the guard against formulas, which a workbook needs none of, nor days, which one writes in its own way."""
    cells = csv.reader(text.removeprefix("\ufeff").splitlines(), delimiter=";")
    return [[unguarded(cell) for cell in row[:7]] for row in cells]


def send(client, text: str, **more):
    """The page that judges the list, and the answer to its button."""
    read = client.post(MANY, {"people": text})
    return read, client.post(
        MANY, {"people": hidden(read, "people"), "seen": hidden(read, "seen"), "do": "send", **more}
    )


def test_each_line_is_told_with_its_number_before_anybody_is_written_to(company):
    page = company.client("alice").post(MANY, {"people": LIST})
    said = text_of(page)
    for line in (
        "3 Gaston gaston@acme.example – – À corriger Le rôle « roi » n’existe pas.",
        "4 hugo – – À corriger « hugo » n’est pas une adresse e-mail.",
        "7 Fanny fanny@acme.example – – À corriger La même adresse est déjà à la ligne 2.",
        "2 Fanny Petit fanny@acme.example Utilisateur externe Site de Lyon, Siège À inviter",
        "6 Bob bob@acme.example – – Déjà là Déjà utilisateur de votre entreprise",
        "Ces colonnes ne sont pas lues : Badge.",
        "Envoyer 1 invitation",
    ):
        assert line in said
    assert "Gaston;roi;gaston@acme.example" in page.content.decode(), "what was typed is lost"
    assert not Invitation.objects.exists()


def test_a_list_of_those_who_are_here_has_nothing_to_send(company):
    page = company.client("alice").post(MANY, {"people": "Nom;Adresse e-mail\nBob;bob@acme.example"})
    assert "Rien à envoyer" in text_of(page)
    assert "n’est encore invité" not in text_of(page)


def test_those_that_can_be_are_invited_and_the_others_stay_to_be_mended(company):
    _read, answer = send(company.client("alice"), LIST)
    sent = Invitation.objects.get()
    assert (sent.email, sent.full_name, sent.role, sent.external, sent.invited_by) == (
        "fanny@acme.example",
        "Fanny Petit",
        "user",
        True,
        company.alice,
    )
    assert {group.name for group in sent.groups.all()} == {"Site de Lyon", "Siège"}
    page = answer.content.decode()
    assert "1 invitation est partie." in text_of(answer)
    assert "Il reste des lignes à corriger" in text_of(answer)
    assert "encore invité" not in text_of(answer)
    assert "Gaston;roi;gaston@acme.example" in page
    assert "Bob;;bob@acme.example" not in page, "who is there already has nothing to mend"
    for line in ("3 Gaston gaston@acme.example", "4 hugo", "Déjà invitée"):
        assert line in text_of(answer), "a line has another number than in the file"
    assert hidden_lines(answer)[2] == "Gaston;roi;gaston@acme.example;;;"


def test_an_address_that_is_not_there_is_missing(company):
    page = company.client("alice").post(MANY, {"people": "Adresse e-mail;Prénom et nom\n;Gaston Roi\n"})
    assert "2 Gaston Roi – – À corriger L’adresse e-mail manque." in text_of(page)


def test_a_file_as_spreadsheets_write_it(company):
    client = company.client("alice")
    content = "Prénom\tNom\tMail\r\nÉloïse\tBrun\teloise@acme.example\r\n"
    for encoding in ("utf-8-sig", "cp1252", "utf-16"):
        page = client.post(MANY, {"file": SimpleUploadedFile("gens.csv", content.encode(encoding))})
        assert "2 Éloïse Brun eloise@acme.example Utilisateur – À inviter" in text_of(page)
        assert "Éloïse\tBrun" in hidden(page, "people")
    page = client.post(MANY, {"file": SimpleUploadedFile("gens.xlsx", b"PK\3\4\0\0")})
    assert page.status_code == 422
    assert "Ce fichier n’est pas un tableau d’une seule feuille." in text_of(page)


def test_a_workbook_with_each_row_on_its_line(company):
    rows = [["", "", ""], ["Éloïse Brun", "eloise@acme.example", "=Lyon"]]
    with workbook(["Prénom et nom", "E-mail", "Groupes"], rows, sheet="Personnes") as file:
        sent = SimpleUploadedFile("gens.xlsx", file.read())
    page = company.client("alice").post(MANY, {"file": sent})
    assert "3 Éloïse Brun eloise@acme.example" in text_of(page)
    assert "Aucun groupe ne s’appelle « =Lyon »" in text_of(page).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Choisissez un fichier, ou collez une liste."),
        ("Adresse e-mail;Nom\n", "Cette liste ne nomme personne."),
        ("Nom;Prénom\nBrun;Éloïse\n", "La première ligne doit nommer les colonnes"),
        ("e-mail;mail;nom\na@b.example;c@d.example;E\n", "La première ligne doit nommer les colonnes"),
        ("a@b.example;A\n" * (MOST + 1), "La liste a plus de 100 personnes."),
        ('a@b.example;"' + "A" * 140_000, "À partir de la ligne 1, un guillemet n’est pas refermé."),
    ],
)
def test_what_is_no_list_says_so_and_keeps_what_was_typed(company, text, said):
    page = company.client("alice").post(MANY, {"people": text})
    assert page.status_code == 422
    assert said in text_of(page)
    if text:
        assert text.splitlines()[0].replace('"', "&quot;") in page.content.decode()


def test_what_is_too_long_is_not_sent_back(company, monkeypatch):
    """In one cell of a workbook, in more cells than there may be, in text, or pasted."""
    for module in (people_file, forms):
        monkeypatch.setattr(module, "LONGEST_LIST", 5_000)
    long = "x" * 6_000
    client = company.client("alice")
    for rows in (
        [["a@b.example", long]],
        [["a@b.example", "x" * 30]] * 300,
        [[""]] * 6_000 + [["a@b.example"]],
    ):
        with workbook(["E-mail", "Nom"], rows, sheet="Personnes") as file:
            page = client.post(MANY, {"file": SimpleUploadedFile("gens.xlsx", file.read())})
        assert page.status_code == 422
        assert "La liste est trop longue" in text_of(page)
        assert boxed(page) == ""
    for sent in ({"file": SimpleUploadedFile("gens.csv", long.encode())}, {"people": long}):
        page = client.post(MANY, sent)
        assert "La liste est trop longue" in text_of(page)
        assert boxed(page) == ""


def test_groups_are_looked_for_among_as_many_bars_as_a_name_has(company, monkeypatch):
    company.lyon.name = "Lyon | Est"
    company.lyon.save()
    asked = []
    spelled = people_file._spelled
    monkeypatch.setattr(people_file, "_spelled", lambda name: asked.append(name) or spelled(name))
    read = partial(people_file.read_people, actor=company.alice)
    (one,) = read("hugo@acme.example;Hugo;;;lyon|est | " + "|".join(["nulle part"] * 40)).lines
    assert {finding for finding, _ in one.findings} == {people_file.Finding.GROUP}
    assert max(name.count("|") for name in asked) == 1
    (one,) = read("hugo@acme.example;Hugo;;;" + "|" * 100_000).lines
    assert [finding for finding, _ in one.findings] == [people_file.Finding.GROUP]
    (one,) = read("hugo@acme.example;Hugo;;;siège|lyon|est").lines
    assert one.person
    assert set(one.person.groups) == {company.seat, company.lyon}


def test_what_changed_since_it_was_read_is_read_again(company):
    client = company.client("alice")
    read = client.post(MANY, {"people": "fanny@acme.example;Fanny\nhugo@acme.example;Hugo"})
    invite(organisation=company.acme, email="hugo@acme.example", full_name="Hugo", now=company.now)
    form = {"people": hidden(read, "people"), "seen": hidden(read, "seen"), "do": "send"}
    answer = client.post(MANY, form)
    assert answer.status_code == 409
    assert "Personne n’a été invité." in text_of(answer)
    assert Invitation.objects.count() == 1
    assert client.post(MANY, {**form, "seen": hidden(answer, "seen")})["Location"] == (
        "/administration/invitations/"
    )
    assert Invitation.objects.count() == 2


def test_administrators_are_for_administrators_and_ask_for_a_code(company):
    people = "hugo@acme.example;Hugo;Administrateur"
    assert "Seul un administrateur invite un administrateur." in text_of(
        company.client("maud").post(MANY, {"people": people})
    )
    SecurityPolicy.objects.filter(pk=1).update(step_up_acts=["rights"])
    _read, answer = send(company.client("alice"), people)
    assert answer["Location"].startswith("/confirmation/")
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_one_exports_one_imports(company, language):
    """Everybody is known again; and once they are gone, everybody is invited as they were."""
    client = company.client("alice")
    client.cookies["django_language"] = language
    company.lyon.name = "Lyon | Est"
    company.lyon.save()
    invite(
        organisation=company.acme,
        email="fanny@acme.example",
        full_name="=Fanny",
        language="en",
        external=True,
        until=end_of(date(2027, 3, 31)),
        groups=[company.lyon, company.seat],
        now=company.now,
    )
    content = b"".join(client.get(EXPORT).streaming_content).decode()
    book = SimpleUploadedFile("gens.xlsx", b"".join(client.get(f"{EXPORT}?fichier=xlsx").streaming_content))
    page = client.post(MANY, {"file": book}).content.decode()
    kept = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert kept
    assert rows_of(unescape(kept[1]).lstrip("\r\n")) == rows_of(content)
    again = client.post(MANY, {"people": content})
    assert again.status_code == 200
    assert 'name="seen"' not in again.content.decode(), "somebody would be invited"
    assert ("Ces colonnes" in text_of(again), "not read" in text_of(again)) == (False, False)

    people = Membership.objects.filter(organisation=company.acme, ended_at=None)
    before = {one.user.email: (one.role, one.external) for one in people.exclude(pk=company.alice.pk)}
    people.exclude(pk=company.alice.pk).update(ended_at=company.now)
    Invitation.objects.update(cancelled_at=company.now)
    send(client, content)
    sent = {one.email: one for one in Invitation.objects.filter(cancelled_at=None)}
    fanny = sent.pop("fanny@acme.example")
    assert {email: (one.role, one.external) for email, one in sent.items()} == before
    assert (fanny.full_name, fanny.language, fanny.external) == ("=Fanny", "en", True)
    assert fanny.last_day == date(2027, 3, 31)
    assert set(fanny.groups.all()) == {company.lyon, company.seat}


def test_the_export_is_what_the_list_shows(company):
    client = company.client("maud")
    content = b"".join(client.get(f"{EXPORT}?q=bob").streaming_content).decode("utf-8-sig").splitlines()
    assert content[0] == (
        "Adresse e-mail;Prénom et nom;Rôle;Rattachement;Groupes;Langue de l’invitation;"
        "Agit jusqu’au;État;Depuis;"
        "Dernière connexion"
    )
    assert [line.split(";")[:4] for line in content[1:]] == [
        ["bob@acme.example", "Bob", "Utilisateur", "interne"]
    ]


def test_none_is_invited_when_one_cannot_be(company):
    people = [Invitee(f"{name}@acme.example", name) for name in ("fanny", "hugo", "fanny")]
    with pytest.raises(InvitationOpen):
        invite_all(organisation=company.acme, people=people, actor=company.alice, now=company.now)
    assert not Invitation.objects.exists()
