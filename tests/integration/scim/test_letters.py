"""Whoever a directory lets act for a company is told by e-mail: nobody asked them before."""

from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations.operations.members import create_user


def letters(email):
    return list(OutgoingEmail.objects.filter(recipient=email).order_by("pk"))


def test_the_same_letter_with_an_account_and_without(world, directory):
    create_user(email="known@acme.example", full_name="Camille", password=None, language="fr", now=world.now)
    written = []
    for email in ("known@acme.example", "new@acme.example"):
        directory.add(email, displayName="Nouvelle recrue")
        (letter,) = letters(email)
        written.append((letter.subject, letter.body, letter.secret))
    assert written[0] == written[1]
    subject, body, secret = written[0]
    assert subject == "Vous agissez pour ACME Industries sur le portail Réseau Démo"
    for said in ("/connexion/", "/mot-de-passe/", "rien n’y change"):
        assert said in body
    assert not secret  # opens nothing by itself


def test_is_in_the_language_of_the_account(world, directory):
    directory.add("new@acme.example", preferredLanguage="en-GB")
    (letter,) = letters("new@acme.example")
    assert letter.subject.startswith("You act for ACME Industries")
    assert "No password yet" in letter.body


def test_is_written_once_for_each_time_they_come(world, directory):
    made = directory.add("new@acme.example")
    path = f"/Users/{made['id']}"
    directory.patch(path, {"op": "replace", "path": "displayName", "value": "Camille"})
    assert len(letters("new@acme.example")) == 1
    for active in (False, True):
        directory.patch(path, {"op": "replace", "path": "active", "value": active})
    assert len(letters("new@acme.example")) == 2


def test_names_the_providers_button(world, directory, settings):
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"oidc_issuer": "https://id.example", "oidc_name": "Compte ACME"}
    )
    directory.add("new@acme.example")
    assert "« Compte ACME »" in letters("new@acme.example")[0].body.replace("\u00a0", " ")
