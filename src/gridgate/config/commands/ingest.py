"""`gridgate ingest`: measurements in.

The readers and their libraries are slow to import and only this command needs them: hence the imports inside.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gridgate.config.commands.data_option import DataOption
from gridgate.config.failing import REFUSED
from gridgate.config.ingesting.options import (
    DirectionOption,
    FormatOption,
    JobsOption,
    MapOption,
    PointOption,
    mapping_of,
    ready_environment,
    work_of,
)
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import counted, shown

if TYPE_CHECKING:
    from gridgate.dataplane.ingest.report import IngestReport
    from gridgate.dataplane.ingest.work import Work

SOME_SET_ASIDE: Final = 1
INTERRUPTED: Final = 130


def ingest(
    files: Annotated[list[Path], typer.Argument(help="Files of measurements, or zip archives of them.")],
    format: FormatOption = "auto",  # noqa: A002  # the word of the command line
    metering_point: PointOption = "",
    mapping: MapOption = None,
    direction: DirectionOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report the same, store nothing.")] = False,
    jobs: JobsOption = None,
    progress: Annotated[
        bool | None,
        typer.Option(
            help="Say how far it is: a bar on a terminal, a line every five seconds elsewhere. Default: on a terminal."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, and no progress.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Take measurements in.

    Exit code: 0 everything taken, 1 some values or files set aside, 2 nothing could be done, as when every
    file was refused whole, 130 interrupted.
    """
    _there(files)
    alone = (
        bool(metering_point) or len(files) == 1
    )  # said of several files, it would be the point of each of them
    meters = mapping_of(metering_point if alone else None, mapping, direction)
    work = work_of(ready_environment(), format_name=format, meters=meters, dry_run=dry_run)
    report, whole = _taken(files, work, jobs=jobs, progress=False if as_json else progress)
    if as_json:
        if whole:
            more = {"dry_run": True} if dry_run else {}
            sys.stdout.writelines(map(shown, report.as_json(**more)))
            typer.echo()
    elif report.files:
        _show(report)
        if dry_run:
            typer.echo("\nNothing was stored: dry run.")
    if not whole:
        raise typer.Exit(INTERRUPTED)
    if not report.complete:
        raise typer.Exit(REFUSED if report.refused else SOME_SET_ASIDE)


def _there(files: list[Path]) -> None:
    """Raises `GridgateError` when none of the files can be found: nothing can be done. One that can is taken."""
    absent = [file for file in files if not file.exists()]
    if len(absent) == len(files):
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise GridgateError(
            ErrorKind.NOT_FOUND, f"{absent[0]}{more}: there is no such file", remedy="Check the path."
        )


def _taken(
    files: list[Path], work: "Work", *, jobs: int | None, progress: bool | None
) -> tuple["IngestReport", bool]:
    """What became of the files, and whether of all of them: not when it was interrupted, which is told."""
    from gridgate.config.ingesting.progress import progress_shown
    from gridgate.dataplane.ingest.crew import Given, take_in, usual_jobs
    from gridgate.dataplane.ingest.report import IngestReport

    sizes = [_size(path) for path in files]
    report, done = IngestReport(folder=None if work.dry_run else work.measurements.parent), 0
    try:
        with progress_shown(sum(sizes), wanted=progress) as told:
            given = [Given.of(path) for path in files]
            for reports in take_in(given, work, jobs=jobs or usual_jobs(sizes), progress=told):
                report.add(reports)
                done += 1
    except KeyboardInterrupt:
        what = "read" if work.dry_run else "taken in"
        typer.echo(
            f"Interrupted: {done} of {counted(len(files), 'file')} had been {what}."
            " Run the same command again for the others: what is stored already is left unchanged.",
            err=True,
        )
    return report, done == len(files)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _show(report: "IngestReport") -> None:
    from rich.console import Console

    from gridgate.config.ingesting.summary import show

    show(report, Console(highlight=False, markup=False))  # names of files and members may look like it
