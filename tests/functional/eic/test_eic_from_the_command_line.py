"""`gridgate eic import` and `gridgate eic check`, as an operator runs them."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.instance import run_gridgate

Run = Callable[..., CompletedProcess[str]]

PUBLISHED = (
    "EicCode;EicDisplayName;EicLongName;EicParent;EicResponsibleParty;EicStatus;MarketParticipantPostalCode;"
    "MarketParticipantIsoCountryCode;MarketParticipantVatCode;EicTypeFunctionList;type\n"
    "10XFR-RTE------Q;RTE;RTE Réseau de transport d’électricité;;;Active;92932;FR;;System Operator;X\n"
    "17Z123456789012T;Z12;Point 12;;10XFR-RTE------Q;Active;;FR;;;Z\n"
    "17Z2016091600611;Z20;Point 20;;10XFR-RTE------Q;Active;;FR;;;Z\n"
    "17X100A157F0022N;A157F;A157F;;;Active;;FR;;;X\n"
    "17T-FR-00000046X;L46;Ligne 46;;10XFR-RTE------Q;Inactive;;FR;;;T\n"
    "10XFR-RTE;COURT;Code court;;;Active;;FR;;;X\n"
)


@pytest.fixture(scope="module")
def run(empty_instance: Path) -> Run:
    """Runs `gridgate` on an empty instance of its own."""
    return lambda *arguments: run_gridgate(
        *map(str, arguments), data=empty_instance, check=False, COLUMNS="200", TERM="dumb"
    )


def test_the_published_file_is_reported_then_recorded_then_known(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "X_eicCodes.csv"
    file.write_text(PUBLISHED, encoding="utf-8-sig")

    dry = run("eic", "import", file, "--dry-run", "--json")
    assert dry.returncode == 1
    report = json.loads(dry.stdout)
    assert (report["read"], report["created"], report["rejected"], report["dry_run"]) == (6, 5, 1, True)
    assert [(one["line"], one["code"]) for one in report["problems"]] == [(7, "no_code")]
    assert report["problems"][0]["reason"] == "9 characters; an EIC has 16"
    warned = [one for one in report["notes"] if one["code"] == "check_character"]
    assert [one["value"] for one in warned] == [
        "17Z123456789012T",
        "17Z2016091600611",
        "17X100A157F0022N",
        "17T-FR-00000046X",
    ]
    assert warned[2]["reason"] == "the last character should be V"

    real = run("eic", "import", file)
    assert real.returncode == 1
    assert "6 lines, 5 recorded, 0 changed, 0 unchanged, 1 left out." in real.stderr
    assert "the last character should be V" in real.stderr

    again = json.loads(run("eic", "import", file, "--json").stdout)
    assert (again["unchanged"], again["created"], again["changed"]) == (5, 0, 0)


def test_the_columns_of_the_registers_own_export_are_read_too(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "registre.csv"
    header = "Code EIC;Nom d’affichage;Nom complet;Type;État;Origine;SIREN"
    file.write_text(
        f"{header}\n12XATEL-HANDEL-K;ATEL;Atel Handel;X;Désactivé;registre d’un autre bureau;\n",
        encoding="utf-8",
    )
    done = run("eic", "import", file)
    assert done.returncode == 0, done.stderr
    assert "1 line, 1 recorded" in done.stderr
    assert "To know" not in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"code;display_name\n", "the column is missing"),
        (b"", "the file is empty"),
        ("code;display_name;long_name\n10XFR-RTE------Q;RTE;\xc9lec\n".encode("latin-1"), "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_whole(
    run: Run, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "registre.csv"
    file.write_bytes(content)
    done = run("eic", "import", file)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    done = run("eic", "import", tmp_path / "absent.csv")
    assert done.returncode == 2
    assert "absent.csv cannot be read" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("10xfr-rte------q", 0, "10XFR-RTE------Q: type X, party, issued by office 10."),
        ("17X100A157F0022N", 1, "17X100A157F0022N: the last character should be V."),
        ("10XFR-RTE", 1, "10XFR-RTE: 9 characters; an EIC has 16."),
        ("17Z123456789012T", 1, "the check character would be a hyphen"),
    ],
)
def test_check_says_what_the_last_character_should_be(run: Run, code: str, status: int, said: str) -> None:
    done = run("eic", "check", code)
    assert done.returncode == status
    assert said in done.stderr
