"""`gridgate ingest`: measurements in."""

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from gridgate.config.commands.data_option import DataOption
from gridgate.config.environment import read_environment
from gridgate.core.identifiers import parse_metering_point_id
from gridgate.dataplane.ingest.detect import AUTO
from gridgate.dataplane.ingest.directory import RegistryDirectory
from gridgate.dataplane.ingest.mapping import MeterMapping, read_mapping_file
from gridgate.dataplane.ingest.pipeline import Ingest, ingest_files
from gridgate.dataplane.ingest.readers import readers
from gridgate.dataplane.ingest.report import FileReport, IngestReport
from gridgate.dataplane.store import open_store

SOME_REFUSED: Final = 1
_REASONS_SHOWN: Final = 12


def ingest(
    files: Annotated[list[Path], typer.Argument(help="Files of measurements, or zip archives of them.")],
    format: Annotated[  # noqa: A002  # the word of the command line
        str,
        typer.Option(help=f"{AUTO} recognises it by its content; else one of {', '.join(readers())}."),
    ] = AUTO,
    metering_point: Annotated[
        str, typer.Option(help="The metering point that the one foreign meter of a file is.")
    ] = "",
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--map", help="CSV of foreign_id,metering_point_id, for files of several foreign meters."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    data: DataOption = None,
) -> None:
    """Take measurements in. Ends with 0 when all was taken, 1 when some was not, 2 when none could be."""
    environment = read_environment()
    meters = MeterMapping(
        single=parse_metering_point_id(metering_point) if metering_point else "",
        table=read_mapping_file(mapping) if mapping is not None else {},
    )
    directory = RegistryDirectory(environment.registry)
    directory.known([])  # says so when there is no instance, before a store is made in its place
    store = open_store(environment.measurements, zone=environment.zone)
    try:
        work = Ingest(
            store=store,
            directory=directory,
            zone=environment.zone,
            recorded_at=int(time.time() * 1000),
            mapping=meters,
            format=format,
        )
        with _progress() as progress:
            task = progress.add_task("", total=sum(_size(path) for path in files))
            report = ingest_files(files, ingest=work, progress=lambda count: progress.advance(task, count))
    finally:
        store.close()
    if as_json:
        json.dump(report.as_json(), sys.stdout, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        _show(report)
    if not report.complete:
        raise typer.Exit(SOME_REFUSED)


def _progress() -> Progress:
    """A bar on standard error, when that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("Reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _show(report: IngestReport) -> None:
    console = Console(highlight=False)
    table = Table("File", "Format", box=None, header_style="bold", pad_edge=False)
    for name in ("Read", "Stored", "Unchanged", "Quarantined"):
        table.add_column(name, justify="right")
    for file in report.files:
        counts = (file.read, file.stored, file.unchanged, len(file.quarantined))
        table.add_row(file.path, file.format, *(f"{count:,}".replace(",", " ") for count in counts))
    console.print(table)
    for file in report.files:
        _explain(file, console)


def _explain(file: FileReport, console: Console) -> None:
    """Each reason once, with the first place it was met and how often."""
    if file.complete:
        return
    console.print(
        f"\n[bold]{file.path}[/bold]" + (": nothing was taken" if file.refused else ""), soft_wrap=True
    )
    times = Counter(item.reason for item in file.quarantined)
    first = {item.reason: item for item in reversed(file.quarantined)}
    for reason, count in times.most_common(_REASONS_SHOWN):
        value = f" ({first[reason].value})" if first[reason].value else ""
        more = f", and {count - 1} more" if count > 1 else ""
        console.print(f"  {first[reason].where}{more}{value}: {reason}", soft_wrap=True, markup=False)
    if len(times) > _REASONS_SHOWN:
        console.print(f"  and {len(times) - _REASONS_SHOWN} other reasons: see --json", soft_wrap=True)
