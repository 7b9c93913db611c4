"""What commands print of files and people: shown on the terminal, never obeyed by it, and no markup."""

import io
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from gridgate.config import cli, failing
from gridgate.config.commands import eic, imports, kyc
from gridgate.config.ingesting.summary import show
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import Kind
from gridgate.dataplane.ingest.report import FileReport, IngestReport
from gridgate.dataplane.store.quarantine import Cause, Quarantined, Subject
from gridgate.kyc.form_file import Fault, InvalidForm
from gridgate.metering.imports.findings import Code, Finding

FORGED = "[red]a[/]\x1b[2K\x1b]0;t\x07\x9b1m\u202e\rb\ud800"
SHOWN = r"[red]a[/]\u001b[2K\u001b]0;t\u0007\u009b1m\u202e\u000db\ud800"


def printed_by(monkeypatch: pytest.MonkeyPatch, module: object) -> io.StringIO:
    """What goes to consoles that the module makes."""
    said = io.StringIO()
    monkeypatch.setattr(
        module,
        "Console",
        lambda **options: Console(**{**options, "stderr": False, "file": said, "width": 400}),
    )
    return said


def test_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise GridgateError(ErrorKind.INVALID, f"no {FORGED}", where="x[/red]")

    said = printed_by(monkeypatch, failing)
    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit):
        cli.main()
    assert said.getvalue() == f"x[/red]: no {SHOWN}\n"


def test_findings_of_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    said = printed_by(monkeypatch, imports)
    finding = Finding(Code.MISSING_COLUMN, 1, FORGED, FORGED, details={"columns": FORGED})
    imports._show_findings("Left out", [finding], imports.Console())
    assert said.getvalue().count(SHOWN) >= 3
    assert "\x1b" not in said.getvalue()


def test_findings_of_an_eic_file(monkeypatch: pytest.MonkeyPatch) -> None:
    said = printed_by(monkeypatch, eic)
    one = {"line": 1, "column": FORGED, "value": FORGED, "reason": FORGED, "remedy": FORGED}
    eic._show_findings("Left out", [one], eic.Console())
    assert said.getvalue().count(SHOWN) == 4


@pytest.mark.parametrize(
    ("terminal", "name"),
    [
        (True, "/srv/d…/R63_P_20260601.csv"),
        (False, f"/srv/{'deliveries/' * 9}R63_P_20260601.csv"),
    ],
)
def test_files_taken_in_stand_on_one_line_each(terminal: bool, name: str) -> None:
    said = io.StringIO()
    console = Console(file=said, width=80, force_terminal=terminal, no_color=True, highlight=False)
    path = f"/srv/{'deliveries/' * 9}R63_P_20260601.csv"
    show(IngestReport([FileReport(path, "enedis-r6x-csv", stored=48)]), console)

    lines = said.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[1].split() == [name, "enedis-r6x-csv", "48", "48", "0", "0"]
    assert not terminal or len(lines[1]) <= 80


def test_values_set_aside_for_one_cause_are_one_line() -> None:
    """Each reason names its own stamp."""
    about = Subject("22516914714270", Kind.LOAD_CURVE, day=date(2026, 3, 29))
    aside = [
        Quarantined(f"line {n}", f"02:{n} does not exist", "5", Cause.NO_SUCH_TIME, about) for n in range(45)
    ]
    aside += [Quarantined(f"line 5{n}", f"no {n}", "5") for n in range(2)]
    said = io.StringIO()
    show(IngestReport([FileReport("a.csv", "csv", quarantined=aside)]), Console(file=said, width=200))
    assert said.getvalue().splitlines()[-3:] == [
        "  line 0 (5) and 44 more: 02:0 does not exist (of 22516914714270, 2026-03-29)",
        "  line 50 (5): no 0",
        "  line 51 (5): no 1",
    ]


def test_an_eic_code() -> None:
    done = CliRunner().invoke(eic.app, ["check", "10X\x1b[2K\x9b"])
    assert done.exit_code == 1
    assert not {"\x1b", "\x9b"} & set(done.output)


def test_faults_of_a_questionnaire(monkeypatch: pytest.MonkeyPatch) -> None:
    said = printed_by(monkeypatch, kyc)
    kyc._tell(Path("form.json"), InvalidForm([Fault("x", FORGED)]))
    assert SHOWN in said.getvalue()
