"""Which reader a file is for, told by what it holds and never by what it is called."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import InvalidIdentifier, parse_metering_point_id
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.port import MeasurementReader
from gridgate.dataplane.ingest.readers import readers
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from gridgate.tables.diagnosis import Fault, UnusableFile, meant
from gridgate.tables.known import other_table
from gridgate.tables.text import SEPARATOR_NAMES, SEPARATORS, container, named_separator, separator_of

AUTO = "auto"


def detect(content: Content, among: Sequence[MeasurementReader] | None = None) -> MeasurementReader:
    """The reader that recognises the content. Raises `UnreadableFile` when none does, with what it seems to
    be."""
    readers_to_ask = list(among if among is not None else readers().values())
    for reader in readers_to_ask:
        if reader.recognises(content):
            return reader
    fault = _for_another_command(content)
    if fault is not None:
        raise UnreadableFile(fault.message, remedy=fault.remedy, where="line 1")
    raise _other_separator(content, readers_to_ask) or _unknown(content)


def reader_named(name: str) -> MeasurementReader:
    """The reader that `--format` names. Raises `GridgateError` (INVALID) listing those that exist."""
    known: Mapping[str, MeasurementReader] = readers()
    if name not in known:
        raise GridgateError(
            ErrorKind.INVALID, f"no format {name!r}", remedy=f"Formats are {AUTO}, {', '.join(known)}."
        )
    return known[name]


def _for_another_command(content: Content) -> Fault | None:
    """What a table of the registry is; one of meters and points without heads is told by its first line."""
    lines = [line for line in content.first_lines if not named_separator(line)]
    fault = other_table("\n".join(lines), None)
    if fault is None and lines:
        first = [cell.strip() for cell in lines[0].split(separator_of(lines[0]))]
        with suppress(InvalidIdentifier):
            if len(first) == 2 and first[0] and parse_metering_point_id(meant(first[1])):
                return Fault("is_mapping")
    return fault


def _other_separator(content: Content, among: Sequence[MeasurementReader]) -> UnreadableFile | None:
    """What to say of a table that would be known if its cells were separated otherwise."""
    header = content.first_lines[0] if content.first_lines else ""
    here = max(SEPARATOR_NAMES, key=header.count)
    if content.xml_root or not header.count(here):
        return None
    for separator in SEPARATORS:
        if separator == here:
            continue
        head = content.head.replace(here.encode(), separator.encode())
        for reader in among:
            if reader.recognises(Content(content.name, head)):
                return UnreadableFile(
                    f"the cells are separated by {SEPARATOR_NAMES[here]}; {reader.title} has "
                    f"{SEPARATOR_NAMES[separator]}",
                    remedy=f"Fetch the file again as it was, or save it with {SEPARATOR_NAMES[separator]}, or as a "
                    "workbook (XLSX).",
                    where="line 1",
                )
    return None


def _unknown(content: Content) -> UnreadableFile:
    if content.size == 0:
        return UnreadableFile("the file is empty", remedy="Fetch it again.")
    if content.foreign_encoding:
        return UnreadableFile(
            f"the file is {content.foreign_encoding}; UTF-8 is expected",
            remedy="Save it again as UTF-8 (in a spreadsheet: « CSV UTF-8 »).",
            where="byte 1",
        )
    try:
        container(content.head)
    except UnusableFile as error:
        return UnreadableFile(error.fault.message, remedy=error.fault.remedy, where="file")
    return UnreadableFile(
        f"the format is not recognised ({_looks_like(content)})",
        remedy=f"Formats are {', '.join(readers())}, or a zip of these; see docs/1-running/ingest.md.",
    )


def _looks_like(content: Content) -> str:
    if content.xml_root:
        return f"XML whose first element is {content.xml_root}"
    if b"\x00" in content.head:
        return "binary; an encrypted delivery must be decrypted first"
    if content.head.lstrip().startswith((b"{", b"[")):
        return "JSON without the header of a known flow"
    first = content.first_lines[0][:80] if content.first_lines else ""
    return f"text beginning « {first} »"
