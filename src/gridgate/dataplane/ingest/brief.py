"""What is told of a file and of what could not be taken of it, so short that people read it."""

from dataclasses import replace
from typing import Final

from gridgate.core.errors import GridgateError
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.port import MeasurementReader
from gridgate.dataplane.ingest.report import FileReport
from gridgate.dataplane.store.quarantine import Quarantined

UNKNOWN: Final = "unknown"
TEXT: Final = "csv"
XLSX: Final = "xlsx"
_LONGEST_TEXT: Final = 120
_LONGEST_REASON: Final = 400
_CUT: Final = " …({} characters)… "


def form_of(content: Content, reader: MeasurementReader) -> str:
    """What people call it: the sheet of a workbook is read as CSV, and is none."""
    return XLSX if content.of_workbook and reader.name == TEXT else reader.name


def placed(content: Content, quarantined: Quarantined) -> Quarantined:
    """The same, where it stands in the file that came."""
    where = content.place(quarantined.where, quarantined.value)
    return quarantined if where == quarantined.where else replace(quarantined, where=where)


def refusal(name: str, format_name: str, why: Quarantined) -> FileReport:
    """The report of a file of which nothing was taken."""
    return FileReport(name, format_name, quarantined=[brief(why)], refused=True)


def brief(item: Quarantined) -> Quarantined:
    """What of the file's own text stands in it may be of any length and have any number of lines; people read a few."""
    where, value = _shortened(item.where, _LONGEST_TEXT), _shortened(item.value, _LONGEST_TEXT)
    reason = _shortened(item.reason, _LONGEST_REASON)
    if where is item.where and reason is item.reason and value is item.value:
        return item  # nearly all
    return replace(item, where=where, reason=reason, value=value)


def _shortened(text: str, most: int) -> str:
    """On one line, without its middle when it is longer: a reason ends with what to do."""
    if len(text) <= most and "\n" not in text and "\r" not in text:
        return text
    line = " ".join(text.splitlines())
    kept = (most - len(_CUT)) // 2
    return line if len(line) <= most else f"{line[:kept]}{_CUT.format(len(line) - 2 * kept)}{line[-kept:]}"


def quarantined_for(error: GridgateError, *, where: str = "") -> Quarantined:
    reason = f"{error.message.rstrip('.')}. {error.remedy}" if error.remedy else error.message
    return Quarantined(where or error.where or "file", reason, "")
