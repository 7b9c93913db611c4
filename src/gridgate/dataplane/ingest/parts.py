"""A file as readers take it: the sheets of a workbook as text, text in UTF-8 with its lines cut where they end.

What is no table at all is told here, in the words that the imports of the registry have for it too.
"""

import re
from collections.abc import Sequence
from typing import Final

from gridgate.dataplane.ingest.archive import is_archive, is_document
from gridgate.dataplane.ingest.content import HEAD, Content
from gridgate.dataplane.ingest.port import MeasurementReader
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from gridgate.tables import text, workbook
from gridgate.tables.diagnosis import UnusableFile
from gridgate.tables.known import other_table

_LINE: Final = re.compile(r"\bline (\d{1,9})")
_XML_DECLARATION: Final = re.compile(r"\s*<\?xml[^>]*\?>")
_NO_TABLE: Final = (b"<", b"{", b"[", b"PAR1")
_EMPTY_LINE: Final = re.compile(rb"[ \t;,\"]*")
_SHEETS_NAMED: Final = 8


def is_container(content: Content) -> bool:
    """Whether it is an archive of files, and not a workbook, which is a zip archive too."""
    return is_archive(content) and not is_document(content)


def parts_of(content: Content, readers: Sequence[MeasurementReader]) -> list[Content]:
    """What is to be read of it: one content, or the sheets of a workbook that a reader recognises.

    Raises `UnreadableFile`.
    """
    try:
        if is_archive(content):
            return _sheets(content, readers)
        return [_as_text(content)]
    except UnusableFile as error:
        fault = error.fault
        raise UnreadableFile(fault.message, remedy=fault.remedy, where="file") from None


def _sheets(content: Content, readers: Sequence[MeasurementReader]) -> list[Content]:
    with content.open() as file:
        kind = workbook.kind_of(file)
        if kind != "xlsx":
            raise UnusableFile(kind)
        sheets = workbook.read_sheets(file)
    if not sheets:
        raise UnreadableFile("the workbook is empty", remedy="Save it again with its values.", where="file")
    named = [(_sheet(content, content.name, sheet), sheet) for sheet in sheets]
    known = [(part, sheet) for part, sheet in named if any(one.recognises(part) for one in readers)]
    if not known:
        raise _no_sheet(sheets)
    if len(known) == 1:
        return [known[0][0]]
    return [_sheet(content, f"{content.name}/{sheet.name}", sheet) for _, sheet in known]


def _sheet(content: Content, name: str, sheet: workbook.Sheet) -> Content:
    def place(where: str, value: str) -> str:
        match = _LINE.search(where)
        if match is None or not 1 <= int(match[1]) <= len(sheet.rows):
            return f"sheet « {sheet.name} »" if where == "file" else f"sheet « {sheet.name} », {where}"
        number, cells = sheet.rows[int(match[1]) - 1]
        if value and cells.count(value) == 1:
            return sheet.cell(number, cells.index(value))
        return f"sheet « {sheet.name} », {where[: match.start(1)]}{number}{where[match.end(1) :]}"

    return Content(name, sheet.as_csv(), made_of=content, place=place, of_workbook=True)


def _no_sheet(sheets: Sequence[workbook.Sheet]) -> UnreadableFile:
    for sheet in sheets:
        if fault := other_table(";".join(sheet.rows[0][1]), None):
            return UnreadableFile(fault.message, remedy=fault.remedy, where=f"sheet « {sheet.name[:40]} »")
    names = ", ".join(f"« {sheet.name[:40]} »" for sheet in sheets[:_SHEETS_NAMED])
    more = f" and {len(sheets) - _SHEETS_NAMED} more" if len(sheets) > _SHEETS_NAMED else ""
    first = " | ".join(sheets[0].rows[0][1])[:80]
    message = (
        f"the sheet {names} has no columns that are known"
        if len(sheets) == 1
        else f"none of the sheets {names}{more} has columns that are known"
    )
    return UnreadableFile(
        f"{message} (the first begins « {first} »)",
        remedy="Name the columns as docs/1-running/ingest.md has them.",
        where="file",
    )


def _as_text(content: Content) -> Content:
    """The text without what comes before its first line, in UTF-8; itself when it is so already."""
    if codec := text.utf16(_raw_head(content)):
        data = text.from_utf16(content.read(), codec)
        if data.lstrip().startswith("<"):
            data = _XML_DECLARATION.sub("", data, count=1)
        return _cut(content, data.encode("utf-8", "replace"))
    head = content.head
    if head.lstrip().startswith(_NO_TABLE) or b"\0" in head:
        return content
    bare = b"\r" in head and b"\n" not in head
    return _cut(content, content.read()) if bare or _above(head) else content


def _raw_head(content: Content) -> bytes:
    with content.open() as file:
        return file.read(512)


def _cut(content: Content, data: bytes) -> Content:
    data = data.removeprefix(text.UTF8_MARK)
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    above = _above(data[:HEAD])
    for _ in range(above):
        data = data[data.index(b"\n") + 1 :]

    def place(where: str, value: str) -> str:
        return _LINE.sub(lambda match: f"line {int(match[1]) + above}", where, count=1)

    return Content(content.name, data, made_of=content, place=place)


def _above(head: bytes) -> int:
    """How many lines there are above the first that says something: `sep=;`, and empty ones."""
    lines = re.split(rb"\r?\n", head, maxsplit=16)
    above = 0
    for line in lines[:-1]:
        named = text.named_separator(line[:32].decode("latin-1"))
        if not named and not _EMPTY_LINE.fullmatch(line):
            break
        above += 1
    return above
