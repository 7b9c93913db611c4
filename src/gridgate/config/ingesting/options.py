"""The options that say how files are to be understood, and the work that they make."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gridgate.config.environment import Environment, read_environment
from gridgate.config.files import folder_fault, measurements_fault, registry_fault, require
from gridgate.core.identifiers import parse_metering_point_id
from gridgate.core.quantities import FlowDirection

if TYPE_CHECKING:
    from gridgate.dataplane.ingest.mapping import MeterMapping
    from gridgate.dataplane.ingest.work import Work

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

FormatOption = Annotated[
    str, typer.Option(help=f"auto tells it by its content; else one of {', '.join(FORMATS)}.")
]
PointOption = Annotated[
    str, typer.Option(help="The metering point of a file whose one meter bears another name.")
]
MapOption = Annotated[
    Path | None,
    typer.Option(
        "--map", help="CSV or XLSX of foreign_id,metering_point_id, for files of several foreign meters."
    ),
]
DirectionOption = Annotated[
    FlowDirection | None, typer.Option(help="Which way energy flows, where a file does not say.")
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        min=1, max=64, help="How many files are read at once. Default: one a core, as far as memory goes."
    ),
]


def mapping_of(point: str | None, table: Path | None, direction: FlowDirection | None) -> "MeterMapping":
    """`point` is None where it cannot be said. Raises `GridgateError` when it is none, or the table cannot be used."""
    from gridgate.dataplane.ingest.mapping import MeterMapping, read_mapping_file  # slow to import

    return MeterMapping(
        single=parse_metering_point_id(point) if point else "",
        table=read_mapping_file(table) if table is not None else {},
        direction=direction,
        names_one=point is not None,
    )


def ready_environment() -> Environment:
    """The settings of an instance that can take files in. Raises `GridgateError`."""
    environment = read_environment()
    require(folder_fault(environment))
    # or a store would be made in the place of one that is lost
    require(registry_fault(environment), measurements_fault(environment))
    return environment


def work_of(
    environment: Environment, *, format_name: str, meters: "MeterMapping", dry_run: bool = False
) -> "Work":
    """What is to be done, as of now."""
    from gridgate.dataplane.ingest.work import Work

    return Work(
        registry=environment.registry,
        measurements=environment.measurements,
        zone_name=environment.zone.key,
        recorded_at=int(datetime.now(UTC).timestamp() * 1000),
        mapping=meters,
        format=format_name,
        dry_run=dry_run,
    )
