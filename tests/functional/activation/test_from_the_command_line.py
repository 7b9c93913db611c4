"""What the operator does on a machine: a new instance's terms, the next ones, a declaration that is refused."""

import sqlite3
from pathlib import Path

import pytest

from tests.instance import run_gridgate


@pytest.fixture(scope="module")
def instance(empty_instance: Path) -> Path:
    company = ("--siren", "111222337", "--legal-name", "ACME Industries")
    run_gridgate("application", "add", "Supervision", *company, data=empty_instance)
    return empty_instance


def versions(data: Path) -> dict[str, tuple[str, str]]:
    connection = sqlite3.connect(data / "registry.sqlite3")
    try:
        rows = connection.execute("select version, text_fr, text_en from onboarding_generalterms")
        return {version: (french, english) for version, french, english in rows}
    finally:
        connection.close()


def test_a_new_instance_has_terms_that_are_the_operators_to_replace(instance: Path, tmp_path: Path) -> None:
    french, english = versions(instance)["1"]
    assert "Le gestionnaire de réseau le remplace par le sien" in french
    assert "The network operator replaces it with its own" in english
    file = tmp_path / "fr.txt"
    file.write_text("## Objet\n\nNos conditions.\n", encoding="utf-8")
    done = run_gridgate("terms", "publish", str(file), "--version", "2027-01", data=instance)
    assert "version 2027-01 of the general terms is in force" in done.stderr
    assert versions(instance)["2027-01"] == ("## Objet\n\nNos conditions.", "")
    again = run_gridgate("terms", "publish", str(file), "--version", "2027-01", data=instance, check=False)
    assert again.returncode == 2
    assert "already published. Published terms never change: give the new text a new version." in again.stderr


@pytest.mark.parametrize("content", [None, b"", b"\xe9t\xe9"])
def test_a_text_that_will_not_do_is_told(instance: Path, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "fr.txt"
    if content is not None:
        file.write_bytes(content)
    before = versions(instance)
    done = run_gridgate("terms", "publish", str(file), "--version", "3", data=instance, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert ("the French text is missing" if content == b"" else "cannot be read") in done.stderr
    assert versions(instance) == before


def test_a_declaration_tells_both_of_what_is_missing_and_the_remedy(instance: Path) -> None:
    arguments = ("declare", "claire@acme.example", "--siren", "111222337", "--name", "Premier administrateur")
    done = run_gridgate("first-administrator", *arguments, data=instance, check=False)
    assert done.returncode == 2
    said = " ".join(done.stderr.split())
    assert "ACME Industries has no contract in force today and no active EIC code of type X." in said
    assert "Record its contract, and issue it a code of type X" in said
