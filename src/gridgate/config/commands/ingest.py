"""`gridgate ingest`: measurements in.

The readers and their libraries are slow to import and only this command needs them: hence the imports inside.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from gridgate.config.commands.data_option import DataOption
from gridgate.config.environment import read_environment
from gridgate.config.failing import REFUSED
from gridgate.config.files import folder_fault, measurements_fault, registry_file_fault, require
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import parse_metering_point_id
from gridgate.core.quantities import FlowDirection
from gridgate.core.text import counted, shown
from gridgate.core.time import civil_day_of

if TYPE_CHECKING:
    from rich.progress import Progress

    from gridgate.dataplane.ingest.mapping import MeterMapping
    from gridgate.dataplane.ingest.report import FileReport, IngestReport
    from gridgate.dataplane.store.port import Quarantined

FORMATS: Final = (
    "csv",
    "enedis-customer-csv",
    "enedis-customer-sheet",
    "enedis-r151",
    "enedis-r171",
    "enedis-r4x",
    "enedis-r50",
    "enedis-r6x-csv",
    "enedis-r6x-json",
    "espi",
    "parquet",
)
"""For the help; a test compares them with the readers that there are."""
SOME_SET_ASIDE: Final = 1
_REASONS_SHOWN: Final = 12
_REASON_SHOWN: Final = 600
"""Characters: a reason takes five lines at most."""
_VALUE_SHOWN: Final = 80
_HEADINGS: Final = ("File", "Format", "Read", "Stored", "Unchanged", "Quarantined")
_SHORTEST_NAME: Final = 12


def ingest(
    files: Annotated[list[Path], typer.Argument(help="Files of measurements, or zip archives of them.")],
    format: Annotated[  # noqa: A002  # the word of the command line
        str, typer.Option(help=f"auto tells it by its content; else one of {', '.join(FORMATS)}.")
    ] = "auto",
    metering_point: Annotated[
        str, typer.Option(help="The metering point that the one foreign meter of a file is.")
    ] = "",
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--map",
            help="CSV or XLSX of foreign_id,metering_point_id, for files of several foreign meters.",
        ),
    ] = None,
    direction: Annotated[
        FlowDirection | None,
        typer.Option(help="Which way energy flows, where a file does not say."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report the same, store nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    data: DataOption = None,
) -> None:
    """Take measurements in.

    Exit code: 0 everything taken, 1 some values or files set aside, 2 nothing could be done: every file
    refused whole, for one.
    """
    _there(files)
    meters = _mapping(metering_point, mapping, direction)
    report = _ingest(files, format_name=format, meters=meters, dry_run=dry_run)
    if as_json:
        said = report.as_json() | ({"dry_run": True} if dry_run else {})
        typer.echo(shown(json.dumps(said, ensure_ascii=False)))
    else:
        _show(report)
        if dry_run:
            typer.echo("\nNothing was stored: dry run.")
    if report.complete:
        return
    raise typer.Exit(REFUSED if report.refused else SOME_SET_ASIDE)


def _there(files: list[Path]) -> None:
    """Raises `GridgateError` when none of the files can be found: nothing can be done. One that can is taken."""
    absent = [file for file in files if not file.exists()]
    if len(absent) == len(files):
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise GridgateError(
            ErrorKind.NOT_FOUND, f"{absent[0]}{more}: there is no such file", remedy="Check the path."
        )


def _ingest(files: list[Path], *, format_name: str, meters: "MeterMapping", dry_run: bool) -> "IngestReport":
    from gridgate.dataplane.ingest.directory import RegistryDirectory
    from gridgate.dataplane.ingest.pipeline import Ingest, ingest_files
    from gridgate.dataplane.store import open_rehearsal, open_store

    environment = read_environment()
    require(folder_fault(environment))
    # or a store would be made in the place of one that is lost
    require(registry_file_fault(environment), measurements_fault(environment))
    now = datetime.now(UTC)
    directory = RegistryDirectory(environment.registry, today=civil_day_of(now, environment.zone))
    directory.known([""])  # raises when it has no such tables
    opened = open_rehearsal if dry_run else open_store
    store = opened(environment.measurements, zone=environment.zone)
    try:
        work = Ingest(
            store=store,
            directory=directory,
            zone=environment.zone,
            recorded_at=int(now.timestamp() * 1000),
            mapping=meters,
            format=format_name,
        )
        with _progress() as progress:
            task = progress.add_task("", total=sum(_size(path) for path in files))
            return ingest_files(files, ingest=work, progress=lambda count: progress.advance(task, count))
    finally:
        store.close()


def _mapping(point: str, table: Path | None, direction: FlowDirection | None) -> "MeterMapping":
    from gridgate.dataplane.ingest.mapping import MeterMapping, read_mapping_file

    return MeterMapping(
        single=parse_metering_point_id(point) if point else "",
        table=read_mapping_file(table) if table is not None else {},
        direction=direction,
    )


def _progress() -> "Progress":
    """A bar on standard error, when that is a terminal."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("Reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _show(report: "IngestReport") -> None:
    console = Console(highlight=False, markup=False)  # names of files and members may look like it
    room = _room_for_names(report, console)
    console.print(_table(report, [_fitted(shown(file.path), room) for file in report.files]))
    for file in report.files:
        if not file.complete:
            _explain(file, console)


def _room_for_names(report: "IngestReport", console: Console) -> int:
    """How wide a name may be: what the other columns leave of a terminal. Elsewhere lines are as long as names are."""
    longest = max(len(shown(file.path)) for file in report.files)
    others = console.measure(_table(report, [""] * len(report.files))).maximum - len(_HEADINGS[0])
    if not console.is_terminal:
        console.width = max(console.width, longest + others)
    return max(_SHORTEST_NAME, console.width - others)


def _table(report: "IngestReport", names: list[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, no_wrap=True, justify="left" if heading in _HEADINGS[:2] else "right")
    for name, file in zip(names, report.files, strict=True):
        counts = (file.read, file.stored, file.unchanged, len(file.quarantined))
        table.add_row(name, file.format, *(f"{count:,}".replace(",", " ") for count in counts))
    return table


def _fitted(path: str, room: int) -> str:
    """The path in so many characters: the name of the file stays whole as long as it fits, as the end of any name does.

    >>> [_fitted("/srv/deliveries/2026/r63.csv", room) for room in (28, 20, 9, 7)]
    ['/srv/deliveries/2026/r63.csv', '/srv/delive…/r63.csv', '…/r63.csv', 'r63.csv']
    >>> _fitted("ENEDIS_R63_P_CdC_20260601.csv", 16)
    'ENEDIS_…0601.csv'
    """
    if len(path) <= room:
        return path
    folder, _, name = path.rpartition("/")
    if len(name) + 2 <= room:
        return f"{folder[: room - len(name) - 2]}…/{name}"
    if len(name) <= room:
        return name
    end = room // 2
    return f"{name[: room - end - 1]}…{name[-end:]}"


def _explain(file: "FileReport", console: Console) -> None:
    """Each cause once, and each reason of what has none, with the first place it was met and how often."""

    def say(text: str) -> None:
        console.print(shown(text), soft_wrap=True, markup=False)

    console.print()
    say(f"{file.path}: {'nothing was taken' if file.refused else 'set aside'}")
    alike: dict[str, list[Quarantined]] = {}
    for item in file.quarantined:
        alike.setdefault(item.cause or item.reason, []).append(item)
    most = sorted(alike.values(), key=len, reverse=True)
    for items in most[:_REASONS_SHOWN]:
        first = items[0]
        value = f" ({first.value[:_VALUE_SHOWN]})" if first.value else ""
        more = f" and {len(items) - 1} more" if len(items) > 1 else ""
        say(f"  {first.where}{value}{more}: {first.reason[:_REASON_SHOWN]}{_of_what(items)}")
    if len(most) > _REASONS_SHOWN:
        say(f"  and {len(most) - _REASONS_SHOWN} other reasons: see --json")


def _of_what(items: "Sequence[Quarantined]") -> str:
    """Of which points and days they are, as far as that is known.

    >>> from datetime import date
    >>> from gridgate.core.quantities import Kind
    >>> from gridgate.dataplane.store.port import Quarantined, Subject
    >>> of = [Subject("22516914714270", Kind.LOAD_CURVE, day=date(2026, 6, n)) for n in (3, 1)]
    >>> _of_what([Quarantined("line 2", "", "", None, one) for one in of])
    ' (of 22516914714270, 2026-06-01 to 2026-06-03)'
    >>> _of_what([Quarantined("line 2", "", "")])
    ''
    """
    subjects = [item.subject for item in items if item.subject]
    if not subjects:
        return ""
    points = sorted({subject.metering_point for subject in subjects})
    more = f" and {counted(len(points) - 1, 'other point')}" if len(points) > 1 else ""
    days = sorted({subject.day for subject in subjects if subject.day})
    when = f", {' to '.join(f'{day}' for day in dict.fromkeys((days[0], days[-1])))}" if days else ""
    return f" (of {points[0]}{more}{when})"
