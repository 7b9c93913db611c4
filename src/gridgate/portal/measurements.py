"""Where screens get measurements: the data plane's client, one a process, and its CSV."""

import io
from collections.abc import Iterator
from functools import cache
from tempfile import TemporaryFile
from typing import IO
from zoneinfo import ZoneInfo

from django.conf import settings

from gridgate.dataplane.client import MeasurementClient
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.export import CsvStyle, ExportFormat, export
from gridgate.dataplane.query.answer import Answer


@cache
def client() -> MeasurementClient:
    environment = settings.ENVIRONMENT
    return MeasurementClient(
        DataPlaneConfig(
            registry=environment.registry,
            measurements=environment.measurements,
            access_log=environment.access_log,
            zone=environment.zone,
            process="portal",
        )
    )


def workbook(answer: Answer, *, zone: ZoneInfo) -> IO[bytes]:
    """The answer as a workbook (XLSX), at its beginning."""
    target = TemporaryFile()  # noqa: SIM115  # the response closes it
    export(answer, target, format=ExportFormat.XLSX, zone=zone)
    target.seek(0)
    return target


def csv(answer: Answer, *, dialect: str, zone: ZoneInfo) -> Iterator[bytes]:
    """The answer as CSV: `excel` with semicolons and decimal commas, anything else by RFC 4180."""
    target = io.BytesIO()
    style = CsvStyle.FRENCH if dialect == "excel" else CsvStyle.RFC4180
    export(answer, target, format=ExportFormat.CSV, zone=zone, style=style)
    target.seek(0)
    yield from iter(lambda: target.read(65536), b"")
