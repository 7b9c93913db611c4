"""File by file: read, map, check, cut into days, store, report."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from gridgate.dataplane.ingest.archive import members
from gridgate.dataplane.ingest.aside import NoRoomToTell, SetAside
from gridgate.dataplane.ingest.brief import UNKNOWN, brief, form_of, placed, quarantined_for, refusal
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.detect import AUTO, detect, reader_named
from gridgate.dataplane.ingest.directory import PointDirectory
from gridgate.dataplane.ingest.mapping import MeterMapping, check_targets
from gridgate.dataplane.ingest.parts import is_container, parts_of
from gridgate.dataplane.ingest.port import MeasurementReader, Notes
from gridgate.dataplane.ingest.progress import told
from gridgate.dataplane.ingest.readers import readers
from gridgate.dataplane.ingest.report import FileReport, IngestReport
from gridgate.dataplane.ingest.taking import Ingest, Taking
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from gridgate.dataplane.store.port import InvalidBlock
from gridgate.dataplane.store.quarantine import Quarantined

ARCHIVE: Final = "zip"
_AMISS: Final = (UnreadableFile, InvalidBlock, NoRoomToTell)


def ingest_files(paths: Sequence[Path], *, ingest: Ingest) -> IngestReport:
    """Take each file (archives member by member) and say what became of it. One failing stops no other.

    Everything one file holds is stored after it was read to its end, in one transaction; a file that is too large for
    memory in several, each of whole days of series, and the last of them says that it is taken. Killed at any moment,
    ingest has taken each series and day whole or not at all, and running it again finishes the work and doubles nothing.

    Raises `GridgateError` when no file could be taken at all: see `require_options`; no registry, no store.
    """
    require_options(ingest.format, ingest.mapping, ingest.directory)
    report = IngestReport(folder=ingest.folder)
    for path in paths:
        report.add(take(path, ingest))
    return report


def require_options(format_name: str, mapping: MeterMapping, directory: PointDirectory) -> None:
    """Raises `GridgateError` for an unknown format name, and for a mapping to points that do not exist."""
    if format_name != AUTO:
        reader_named(format_name)
    check_targets(mapping, directory)


def take(path: Path, ingest: Ingest, *, name: str = "") -> Iterator[FileReport]:
    """What became of one file, or of each member of an archive. `name` is what it is called, when not by its path."""
    reader = None if ingest.format == AUTO else reader_named(ingest.format)
    name = (
        (name or str(path)).encode(errors="backslashreplace").decode()
    )  # of bytes that are no text on some disks
    content = Content(name, path, progress=ingest.progress.read)
    try:
        archived = is_container(content)
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror or error}; check its name and its permissions"
        yield refusal(content.name, UNKNOWN, Quarantined("file", reason, ""))
        return
    if not archived:
        reports, _ = _one_file(content, ingest, reader)
        yield from reports
        return
    try:
        for member in members(content):
            if isinstance(member, UnreadableFile):
                yield refusal(member.where, UNKNOWN, quarantined_for(member, where="file"))
            else:
                reports, mapping = _one_file(member, ingest, reader)
                ingest = replace(ingest, mapping=mapping)
                yield from reports
    except UnreadableFile as error:
        yield refusal(content.name, ARCHIVE, quarantined_for(error, where="file"))
    ingest.progress.read(content.size)


def _one_file(
    content: Content, ingest: Ingest, reader: MeasurementReader | None
) -> tuple[list[FileReport], MeterMapping]:
    """What became of the file, sheet by sheet of a workbook, and the mapping for what follows it in the same archive."""
    try:
        parts = parts_of(content, [reader] if reader is not None else list(readers().values()))
    except UnreadableFile as error:
        return [refusal(content.name, UNKNOWN, quarantined_for(error))], ingest.mapping
    reports = []
    for part in parts:
        report, mapping = _one_part(part, ingest, reader)
        ingest = replace(ingest, mapping=mapping)
        reports.append(report)
    return reports, ingest.mapping


def _one_part(
    content: Content, ingest: Ingest, reader: MeasurementReader | None
) -> tuple[FileReport, MeterMapping]:
    try:
        reader = reader or detect(content)
    except UnreadableFile as error:
        return refusal(content.name, UNKNOWN, placed(content, quarantined_for(error))), ingest.mapping
    try:
        return _taken(content, reader, ingest)
    except _AMISS as error:
        return refusal(
            content.name, form_of(content, reader), placed(content, quarantined_for(error))
        ), ingest.mapping


def _taken(content: Content, reader: MeasurementReader, ingest: Ingest) -> tuple[FileReport, MeterMapping]:
    def for_people(item: Quarantined) -> Quarantined:
        return brief(placed(content, item))

    notes = Notes(
        together=ingest.mapping.target, folder=ingest.folder, aside=SetAside(ingest.folder, for_people)
    )
    taking = Taking(content, reader, ingest, notes)
    try:
        for observations in told(reader.read(content, notes), ingest.progress):
            taking.add(observations)
        return taking.finished()
    except _AMISS as error:
        if not taking.begun:
            raise
        return taking.given_up(error), ingest.mapping
