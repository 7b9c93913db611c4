"""`gridgate eic import` and `gridgate eic check`: codes of other offices."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gridgate.config.commands.data_option import DataOption
from gridgate.config.failing import REFUSED
from gridgate.config.loading import load_django
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import counted, shown, shown_lines
from gridgate.tables.known import EIC_CODES

if TYPE_CHECKING:
    from gridgate.eic.operations.importing import EicImportReport
    from gridgate.metering.imports.rows import Sheet

SHOWN = 20
"""How many lines at fault the summary shows; `--json` gives them all."""

app = typer.Typer(help="Energy identification codes: other offices' registers, and check characters.")


@app.command("import")
def import_register(
    file: Annotated[
        Path, typer.Argument(help="A workbook (XLSX), or text: UTF-8, “;” or “,” between cells.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report the same, change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON on standard output.")] = False,
    data: DataOption = None,
) -> None:
    """Record the codes of another office's register, and bring those that differ up to date.

    Columns, in any order: code, display_name, long_name; optional: parent, responsible_party, status (active or
    inactive), siren (the company here that has the code). The files that ENTSO-E publishes are read as they are.
    Exit code: 0 all lines recorded or unchanged, 1 some lines left out, 2 the file refused whole.
    """
    content = _read(file)
    load_django()
    from gridgate.eic.operations.importing import import_eic_codes
    from gridgate.metering.imports.rows import read_sheet

    sheet = read_sheet(content, table=EIC_CODES)
    lines = ((row.line, row.cells) for row in sheet.rows)
    report = import_eic_codes(lines, name=file.name, dry_run=dry_run, now=datetime.now(UTC))
    report.read = sheet.read
    refused = any(finding.level.value == "refused" for finding in sheet.findings)
    if as_json:
        said = json.dumps({"file": str(file)} | _as_json(report, sheet), ensure_ascii=False, indent=2)
        typer.echo(shown_lines(said))
    else:
        _show(file, report, sheet)
    if refused:
        raise typer.Exit(REFUSED)
    if report.rejected:
        raise typer.Exit(1)


@app.command("check")
def check_code(
    code: Annotated[str, typer.Argument(help="The code, spaces or not.")],
    data: DataOption = None,
) -> None:
    """Say whether a code follows the rule, and what its last character should be. Exit code: 0 sound, 1 not."""
    from gridgate.core.identifiers import EIC_TYPES
    from gridgate.eic.codes import examine, why

    examined = examine(code)
    if not examined.valid:
        typer.echo(shown(f"{examined.code}: {why(examined)}."), err=True)
        raise typer.Exit(1)
    office, letter = examined.code[:2], examined.code[2]
    typer.echo(f"{examined.code}: type {letter}, {EIC_TYPES[letter]}, issued by office {office}.", err=True)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise GridgateError(
            ErrorKind.NOT_FOUND, f"{file} cannot be read: {error.strerror}", remedy="Check the path."
        ) from None


def _as_json(report: "EicImportReport", sheet: "Sheet") -> dict[str, Any]:
    problems = [one.as_json() for one in sheet.findings if one.level.value != "note"]
    notes = [one.as_json() for one in sheet.findings if one.level.value == "note"]
    return {
        "dry_run": report.dry_run,
        "read": report.read,
        "created": report.created,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        "problems": sorted(problems + [one.as_json() for one in report.problems], key=_line),
        "notes": sorted(notes + [one.as_json() for one in report.notes], key=_line),
    }


def _line(finding: dict[str, Any]) -> int:
    line: int = finding["line"]
    return line


def _show(file: Path, report: "EicImportReport", sheet: "Sheet") -> None:
    console = Console(stderr=True, highlight=False)
    verbs = ("would be recorded", "would change") if report.dry_run else ("recorded", "changed")
    console.print(
        f"{escape(shown(str(file)))}: {counted(report.read, 'line')}, {report.created} {verbs[0]}, "
        f"{report.changed} {verbs[1]}, {report.unchanged} unchanged, {report.rejected} left out."
        + (" Nothing was changed: dry run." if report.dry_run else ""),
        soft_wrap=True,
    )
    said = _as_json(report, sheet)
    for title, findings in (("Left out", said["problems"]), ("To know", said["notes"])):
        _show_findings(title, findings, console)


def _show_findings(title: str, findings: list[dict[str, Any]], console: Console) -> None:
    if not findings:
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for heading in ("Line", "Column", "Value", "What", "Remedy"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "Line" else "left")
    for finding in findings[:SHOWN]:
        texts = (
            EIC_CODES.called(finding["column"], "en"),
            finding["value"],
            finding["reason"],
            finding["remedy"],
        )
        table.add_row(str(finding["line"]), *(escape(shown(text)) for text in texts))
    console.print(table)
    if len(findings) > SHOWN:
        kinds = Counter(finding["code"] for finding in findings[SHOWN:]).most_common()
        rest = ", ".join(f"{count} {code.replace('_', ' ')}" for code, count in kinds)
        console.print(
            f"… and {len(findings) - SHOWN} more ({rest}); all of them with --json.", soft_wrap=True
        )
