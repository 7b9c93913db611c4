"""Which reader a file is for, told by what it holds and never by what it is called."""

from collections.abc import Mapping, Sequence

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.port import MeasurementReader, UnreadableFile
from gridgate.dataplane.ingest.readers import readers

AUTO = "auto"


def detect(content: Content, among: Sequence[MeasurementReader] | None = None) -> MeasurementReader:
    """The reader that recognises the content. Raises `UnreadableFile` when none does, with what it seems to
    be."""
    for reader in among if among is not None else readers().values():
        if reader.recognises(content):
            return reader
    raise _unknown(content)


def reader_named(name: str) -> MeasurementReader:
    """The reader that `--format` names. Raises `GridgateError` (INVALID) listing those that exist."""
    known: Mapping[str, MeasurementReader] = readers()
    if name not in known:
        raise GridgateError(
            ErrorKind.INVALID, f"no format {name!r}", remedy=f"Formats are {AUTO}, {', '.join(known)}."
        )
    return known[name]


def _unknown(content: Content) -> UnreadableFile:
    if content.size == 0:
        return UnreadableFile("the file is empty", remedy="Fetch it again.")
    if content.foreign_encoding:
        return UnreadableFile(
            f"the file is {content.foreign_encoding}; UTF-8 is expected",
            remedy="Save it again as UTF-8 (in a spreadsheet: « CSV UTF-8 »).",
            where="byte 1",
        )
    return UnreadableFile(
        f"the format is not recognised ({_looks_like(content)})",
        remedy=f"Formats are {', '.join(readers())}, or a zip of these; see docs/1-running/ingest.md.",
    )


def _looks_like(content: Content) -> str:
    if content.xml_root:
        return f"XML whose first element is {content.xml_root}"
    if content.head.startswith(b"\x1f\x8b"):
        return "gzip: unpack it first"
    if content.head.startswith(b"%PDF"):
        return "PDF"
    if b"\x00" in content.head:
        return "binary; an encrypted delivery must be decrypted first"
    if content.head.lstrip().startswith((b"{", b"[")):
        return "JSON without the header of a known flow"
    first = content.first_lines[0][:80] if content.first_lines else ""
    return f"text beginning « {first} »"
