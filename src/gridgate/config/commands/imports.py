"""`gridgate import points` and `gridgate import holders`: the registry, from CSV files and workbooks."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from gridgate.config.commands.data_option import DataOption
from gridgate.config.failing import REFUSED
from gridgate.config.loading import load_django
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import counted, shown, shown_lines
from gridgate.tables.known import HOLDERS, POINTS

if TYPE_CHECKING:
    from gridgate.metering.imports.findings import Finding, ImportReport

SHOWN = 20
"""How many lines at fault the summary shows; `--json` gives them all."""

REFUSALS_SHOWN = 4
"""Why a file is refused whole, in as many lines at most; `--json` gives all."""

app = typer.Typer(
    help="Metering points and their holders, from CSV files or workbooks (XLSX). "
    "Exit code: 0 all lines imported or unchanged, 1 some lines left out, 2 the file refused whole.",
    no_args_is_help=True,
)

FileArgument = Annotated[
    Path, typer.Argument(help="A workbook (XLSX), or text: UTF-8, “;” or “,” between cells.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Report the same, change nothing.")]
JsonOption = Annotated[bool, typer.Option("--json", help="The report as JSON on standard output.")]


@app.command("points")
def import_points(
    file: FileArgument,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Create metering points, and update those that differ.

    Columns, in any order: id, segment, directions, address, postcode, city, subscribed_power_kva,
    activated_on; optional: label, meter_type, valid_from (the day from which the line holds; else today).
    """
    _run("points", file, dry_run=dry_run, as_json=as_json)


@app.command("holders")
def import_holders(
    file: FileArgument,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Say which company holds which point, from which day to which day.

    Columns, in any order: metering_point_id, siren, legal_name, valid_from, valid_to (the first day no longer
    covered; empty while it lasts). Companies that are new here are created.
    """
    _run("holders", file, dry_run=dry_run, as_json=as_json)


def _run(kind: str, file: Path, *, dry_run: bool, as_json: bool) -> None:
    content = _read(file)
    load_django()
    from gridgate.metering.imports.journal import import_file

    console = Console(stderr=True, highlight=False)
    with Progress(
        TextColumn(shown(file.name), markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=as_json or not console.is_terminal,
    ) as bar:
        task = bar.add_task(file.name, total=None)
        report = import_file(
            kind=kind,
            name=file.name,
            content=content,
            now=datetime.now(UTC),
            dry_run=dry_run,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        said = json.dumps({"file": str(file)} | report.as_json(), ensure_ascii=False, indent=2)
        typer.echo(shown_lines(said))
    else:
        _show(file, report, console)
    if report.refused:
        raise typer.Exit(REFUSED)
    if report.rejected:
        raise typer.Exit(1)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise GridgateError(
            ErrorKind.NOT_FOUND, f"{file} cannot be read: {error.strerror}", remedy="Check the path."
        ) from None


def _show(file: Path, report: "ImportReport", console: Console) -> None:
    verbs = ("would be created", "would change") if report.dry_run else ("created", "changed")
    console.print(
        f"{escape(shown(str(file)))}: {counted(report.read, 'line')}, {report.created} {verbs[0]}, "
        f"{report.changed} {verbs[1]}, {report.unchanged} unchanged, {report.rejected} left out."
        + (" Nothing was changed: dry run." if report.dry_run else ""),
        soft_wrap=True,
    )
    if report.organisations:
        console.print(
            f"{counted(report.organisations, 'new company', 'new companies')}"
            + (" would be recorded." if report.dry_run else " recorded.")
        )
    if report.refused:
        table = {"points": POINTS, "holders": HOLDERS}[report.kind]
        for finding in report.problems[:REFUSALS_SHOWN]:
            column = f", column {table.called(finding.column, 'en')}" if finding.column else ""
            said = f"Line {finding.line}{column}: {finding.reason}. {finding.remedy}"
            console.print(escape(shown(said)), soft_wrap=True)
        return
    _show_findings("Left out", report.problems, console)
    _show_findings("To know", report.notes, console)


def _show_findings(title: str, findings: "list[Finding]", console: Console) -> None:
    if not findings:
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for heading in ("Line", "Column", "Value", "What", "Remedy"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "Line" else "left")
    for finding in findings[:SHOWN]:
        table.add_row(
            str(finding.line),
            *(
                escape(shown(text))
                for text in (finding.column, finding.value[:80], finding.reason, finding.remedy)
            ),
        )
    console.print(table)
    if len(findings) > SHOWN:
        kinds = Counter(finding.code.value for finding in findings[SHOWN:]).most_common()
        rest = ", ".join(f"{count} {code.replace('_', ' ')}" for code, count in kinds)
        console.print(
            f"… and {len(findings) - SHOWN} more ({rest}); all of them with --json.", soft_wrap=True
        )
