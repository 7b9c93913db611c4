"""`gridgate user add`: a password typed twice, an account kept, and one language."""

import warnings
from getpass import GetPassWarning

import pytest
from django.utils import translation
from typer.testing import CliRunner

from gridgate.config.cli import app
from gridgate.config.commands import people
from gridgate.config.loading import load_django
from gridgate.core.errors import GridgateError
from tests.world import PASSWORD

NEW = "nadia@acme.example"


@pytest.fixture
def gridgate(world, monkeypatch):
    """The command runs in the registry of the test, not in an instance's."""
    monkeypatch.setattr("gridgate.config.commands.people.load_django", lambda: None)
    return lambda *arguments, typed="": CliRunner().invoke(
        app, ["user", "add", *arguments, "--siren", world.acme.siren], input=typed
    )


def test_a_password_is_asked_twice(world, gridgate):
    done = gridgate(NEW, typed=f"{PASSWORD}\nanother\n{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert "do not match" in done.output
    assert f"{NEW}: administrator of ACME Industries." in done.output
    browser = world.visitor()
    assert browser.post("/connexion/", {"login": NEW, "password": PASSWORD})["Location"] == "/"


def test_whoever_has_an_account_keeps_its_password_and_none_is_asked(world, gridgate):
    done = gridgate("charlie@client-b.example")
    assert done.exit_code == 0, done.output
    assert "They had an account: its name, password and language stay." in done.output
    assert "assword" not in done.output.partition("They had")[0]


def test_who_is_a_member_already_is_told_so_before_a_password_is_asked(world, gridgate):
    done = gridgate("alice@acme.example", typed="")
    assert isinstance(done.exception, GridgateError)
    assert str(done.exception).startswith("alice@acme.example is already a member of ACME Industries")
    assert "last day" in done.exception.remedy
    assert "assword" not in done.output


def test_without_a_terminal_it_is_said_how_a_password_is_given(world, gridgate, monkeypatch):
    def getpass(prompt, stream=None):
        warnings.warn("Can not control echo on the terminal.", GetPassWarning, stacklevel=2)

    monkeypatch.setattr("click.termui.hidden_prompt_func", getpass)
    with pytest.raises(GridgateError, match="no terminal") as refused:
        people._password()
    assert "--password" in refused.value.remedy
    assert "GRIDGATE_NEW_PASSWORD" in refused.value.remedy


def test_commands_speak_english_whatever_the_portal_speaks(tmp_path, monkeypatch):
    monkeypatch.setenv("GRIDGATE_DATA", str(tmp_path))
    with translation.override("fr"):
        load_django(must_exist=False)
        assert translation.get_language() == "en"


def test_a_last_day_is_given_to_a_user_and_to_no_administrator(world, gridgate):
    for wrong in (["--until", "31/03/2027"], ["--until", "2026-11-25"]):
        assert isinstance(gridgate(NEW, "--role", "user", *wrong).exception, GridgateError)
    refused = gridgate(NEW, "--until", "2027-03-31")
    assert str(refused.exception).startswith("an administrator acts for the company without an end date")
    assert "assword" not in refused.output
    done = gridgate("charlie@client-b.example", "--role", "user", "--until", "2027-03-31")
    assert "Last day: 2027-03-31." in done.output
    member = world.acme.memberships.get(user=world.charlie.user)
    assert member.until.isoformat() == "2027-03-31T22:00:00+00:00"
