"""File by file: read, map, check, cut into days, store, report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from gridgate.core.errors import GridgateError
from gridgate.core.quantities import FlowDirection
from gridgate.core.text import counted
from gridgate.dataplane.ingest.archive import members
from gridgate.dataplane.ingest.aside import NoRoomToTell, SetAside
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.detect import AUTO, detect, reader_named
from gridgate.dataplane.ingest.directory import PointDirectory, PointInfo
from gridgate.dataplane.ingest.local_time import LocalClock
from gridgate.dataplane.ingest.mapping import (
    MeterMapping,
    Unmapped,
    check_targets,
    resolve,
    settled_on,
)
from gridgate.dataplane.ingest.parts import is_container, parts_of
from gridgate.dataplane.ingest.port import MeasurementReader, Meter, Notes, Observations, Refused
from gridgate.dataplane.ingest.progress import Progress, Untold, told
from gridgate.dataplane.ingest.readers import readers
from gridgate.dataplane.ingest.report import FileReport, IngestReport
from gridgate.dataplane.ingest.series.rejected import set_aside
from gridgate.dataplane.ingest.settling.table import Series, Share
from gridgate.dataplane.ingest.settling.together import Rows, Tell, settle_all
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from gridgate.dataplane.store.days import Days
from gridgate.dataplane.store.port import (
    Cause,
    InvalidBlock,
    MeasurementStore,
    Quarantined,
    Source,
    Subject,
)

UNKNOWN: Final = "unknown"
ARCHIVE: Final = "zip"
TEXT: Final = "csv"
XLSX: Final = "xlsx"
_AMISS: Final = (UnreadableFile, InvalidBlock, NoRoomToTell)
_LONGEST_TEXT: Final = 120
_LONGEST_REASON: Final = 400
_CUT: Final = " …({} characters)… "


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """What ingest works with. `recorded_at` is the present, in epoch milliseconds."""

    store: MeasurementStore
    directory: PointDirectory
    zone: ZoneInfo
    recorded_at: int
    mapping: MeterMapping = field(default_factory=MeterMapping)
    format: str = AUTO
    progress: Progress = field(default_factory=Untold)
    folder: Path | None = None
    """Where a file that is too large for memory is parted; None is where the machine keeps such things."""


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
                yield refusal(member.where, UNKNOWN, _quarantined(member, where="file"))
            else:
                reports, mapping = _one_file(member, ingest, reader)
                ingest = replace(ingest, mapping=mapping)
                yield from reports
    except UnreadableFile as error:
        yield refusal(content.name, ARCHIVE, _quarantined(error, where="file"))
    ingest.progress.read(content.size)


def _one_file(
    content: Content, ingest: Ingest, reader: MeasurementReader | None
) -> tuple[list[FileReport], MeterMapping]:
    """What became of the file, sheet by sheet of a workbook, and the mapping for what follows it in the same archive."""
    try:
        parts = parts_of(content, [reader] if reader is not None else list(readers().values()))
    except UnreadableFile as error:
        return [refusal(content.name, UNKNOWN, _quarantined(error))], ingest.mapping
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
        return refusal(content.name, UNKNOWN, _placed(content, _quarantined(error))), ingest.mapping
    try:
        return _taken(content, reader, ingest)
    except _AMISS as error:
        return refusal(
            content.name, _form(content, reader), _placed(content, _quarantined(error))
        ), ingest.mapping


def _taken(content: Content, reader: MeasurementReader, ingest: Ingest) -> tuple[FileReport, MeterMapping]:
    def for_people(one: Quarantined) -> Quarantined:
        return _brief(_placed(content, one))

    notes = Notes(
        together=ingest.mapping.target, folder=ingest.folder, aside=SetAside(ingest.folder, for_people)
    )
    taking = _Taking(content, reader, ingest, notes)
    try:
        for observations in told(reader.read(content, notes), ingest.progress):
            taking.add(observations)
        return taking.finished()
    except _AMISS as error:
        if not taking.begun:
            raise
        return taking.given_up(error), ingest.mapping


class _Taking:
    """A file as it is taken: part by part when its reader closes parts of it, all at once else."""

    def __init__(self, content: Content, reader: MeasurementReader, ingest: Ingest, notes: Notes) -> None:
        self._content, self._reader, self._ingest, self._notes = content, reader, ingest, notes
        self._series = _Series()
        self._meters = 0
        """How many there were in the parts that are stored."""
        if not ingest.mapping.single:  # what that stands for is known at the end
            notes.much_refused = self._tell_refused
        self._stored = self._unchanged = 0

    @property
    def begun(self) -> bool:
        """Whether a part is stored."""
        return bool(self._meters)

    def given_up(self, error: GridgateError) -> FileReport:
        """What became of a file that proves amiss as a whole after parts of it were stored: they stay, told as stored,
        and it is not said to be taken."""
        why = _brief(_placed(self._content, _quarantined(error, where="file")))
        return FileReport(
            self._content.name,
            _form(self._content, self._reader),
            self._stored,
            self._unchanged,
            [why],
            given_up=True,
        )

    def add(self, batch: Observations) -> None:
        self._series.add(batch)
        # One meter alone is told from one of many at the end of the file; so is what `single` stands for.
        several = self._meters + len(self._series.meters) > 1
        if batch.closes and several and not self._ingest.mapping.single:
            days, _ = self._settled()
            self._put(days, complete=False)
            self._series = _Series()

    def finished(self) -> tuple[FileReport, MeterMapping]:
        days, points = self._settled()
        notes = self._notes
        aside = notes.aside
        if not days and not aside and not self._meters:
            without = f" ({counted(notes.holes, 'stamp')} without one)" if notes.holes else ""
            raise UnreadableFile(
                f"the file holds no value{without}", remedy="Check that the sender's export was not empty."
            )
        self._put(days, complete=True)
        report = FileReport(
            self._content.name,
            _form(self._content, self._reader),
            self._stored,
            self._unchanged,
            aside if aside.on_disk else list(aside),
            holes=notes.holes,
            notices=[f"{self._content.place(where, '')}: {why}" for where, why in notes.notices],
        )
        mapping = self._ingest.mapping
        return report, mapping if self._meters else settled_on(self._series.meters, points, mapping)

    def _settled(self) -> tuple[Days, dict[str, PointInfo | Unmapped]]:
        """The days of what was read since the last part."""
        series, notes, ingest = self._series, self._notes, self._ingest
        points = (
            resolve(series.meters, ingest.mapping, ingest.directory, others=self._meters)
            if series.meters
            else {}
        )
        days = series.settled(points, ingest, notes.aside.extend)
        named = _with_others(points, notes, series.meters, ingest)
        self._tell_refused(named)
        notes.aside.lead_to({name: point.id for name, point in named.items() if isinstance(point, PointInfo)})
        return days, points

    def _tell_refused(self, points: dict[str, PointInfo | Unmapped] | None = None) -> None:
        """What the reader could not take, of meters whose points are these, or are looked up."""
        refused, self._notes.refused = self._notes.refused, []
        if points is None:
            meters = {meter.name: meter for one in refused for meter in one.rows.meters()}
            points = resolve(list(meters.values()), self._ingest.mapping, self._ingest.directory)
        self._notes.aside.extend(_refused_by_the_reader(refused, points, self._ingest))

    def _put(self, days: Days, *, complete: bool) -> None:
        """The part is stored; with the last of them what was set aside, and at the end that the file is taken."""
        aside = self._notes.aside
        if not complete:
            self._meters += len(self._series.meters)
            self._store(days, [], complete=False)
        elif aside.on_disk:
            for chunk in aside.chunks():
                self._store(days, chunk, complete=False)
                days = Days.of([])
            self._store(days, [], complete=True)
        else:
            self._store(days, list(aside), complete=True)

    def _store(self, days: Days, quarantined: Sequence[Quarantined], *, complete: bool) -> None:
        source = Source(self._content.name, self._content.sha256, self._reader.name, self._notes.published_at)
        at = self._ingest.recorded_at
        done = self._ingest.store.put(
            days, source=source, quarantined=quarantined, recorded_at=at, complete=complete
        )
        self._stored += done.stored
        self._unchanged += done.unchanged


class _Series:
    """The batches of a file, in its order."""

    def __init__(self) -> None:
        self._batches: list[Observations] = []
        self._meters: dict[str, Meter] = {}

    @property
    def meters(self) -> list[Meter]:
        return list(self._meters.values())

    def add(self, batch: Observations) -> None:
        self._batches.append(batch)
        for meter in batch.meters():
            self._meters.setdefault(meter.name, meter)

    def settled(self, points: dict[str, PointInfo | Unmapped], ingest: Ingest, tell: Tell) -> Days:
        """The days of the file; tells what cannot be taken. Two meters may lead to one point."""
        clock, unsaid = LocalClock(ingest.zone), ingest.mapping.direction
        shares: list[Share] = []
        rows = Rows(self._batches)
        for number, group in self._in_order_of_the_file():
            batch = self._batches[number]
            point = points[batch.name_of(group)]
            if isinstance(point, Unmapped):
                single = rows.of(number, [group])
                tell(_all_of(single, [point.reason] * len(single)))
                continue
            said = batch.direction or unsaid
            direction = _direction(said, point)
            if isinstance(direction, Unmapped):
                single = rows.of(number, [group])
                cause = Cause.DIRECTION_ABSENT if said else Cause.DIRECTION_UNSAID
                about = Subject(point.id, batch.kind, said)
                why = [(cause, direction.reason)] * len(single)
                tell(set_aside(single, about, why, clock, point))
            else:
                shares.append(Share(number, group, Series(point, batch.kind, direction, batch.register)))
        return settle_all(self._batches, shares, clock, at=ingest.recorded_at // 1000, tell=tell)

    def _in_order_of_the_file(self) -> list[tuple[int, int]]:
        """The groups of each batch of which there is a value, as the file has them first."""
        found = [
            (
                0 if batch.groups is None or batch.groups.seen is None else int(batch.groups.seen[group]),
                number,
                group,
            )
            for number, batch in enumerate(self._batches)
            for group in batch.present()
        ]
        return [(number, group) for _, number, group in sorted(found, key=itemgetter(0))]


def _direction(direction: FlowDirection | None, point: PointInfo) -> FlowDirection | Unmapped:
    """The direction of the values, or why they cannot be taken."""
    if direction is None:
        if len(point.directions) == 1:
            return next(iter(point.directions))
        return Unmapped(
            f"the file does not say which way energy flows, and {point.id} has both; say it with"
            " --direction withdrawal or --direction injection"
        )
    if direction not in point.directions:
        return Unmapped(
            f"{point.id} has no {direction.value} in the registry; if it does, import the point with both"
        )
    return direction


def _refused_by_the_reader(
    refused: Sequence[Refused], points: dict[str, PointInfo | Unmapped], ingest: Ingest
) -> Iterator[Quarantined]:
    """What the reader could not take, with its point where that is sure."""
    clock = LocalClock(ingest.zone)
    for one in refused:
        for (_, places), rows in zip(one.rows.by_group(), one.rows.singles(), strict=True):
            why = [one.why[place] for place in places.tolist()]
            point = points[rows.meter]
            if isinstance(point, Unmapped):
                yield from _all_of(rows, [reason for _, reason in why])
                continue
            said = rows.direction or ingest.mapping.direction
            direction = _direction(said, point)
            about = Subject(point.id, rows.kind, said if isinstance(direction, Unmapped) else direction)
            yield from set_aside(rows, about, why, clock, point)


def _with_others(
    points: dict[str, PointInfo | Unmapped], notes: Notes, meters: Sequence[Meter], ingest: Ingest
) -> dict[str, PointInfo | Unmapped]:
    """The points of all `meters`, of which something was read, and of those that are named beside. `--metering-point` is
    the one meter of which something was read, or else the one that is named."""
    known = {meter.name for meter in meters}
    named = [meter for one in notes.refused for meter in one.rows.meters()]
    named += [Meter(first, tuple(others)) for first, *others in notes.aside.named]
    others = {one.name: one for one in named if one.name not in known}
    if not others:
        return points
    mapping = replace(ingest.mapping, single="") if known else ingest.mapping
    return points | resolve(list(others.values()), mapping, ingest.directory)


def _all_of(batch: Observations, reasons: Sequence[str]) -> Iterator[Quarantined]:
    for row, raw, reason in zip(batch.rows.tolist(), batch.raw, reasons, strict=True):
        yield Quarantined(batch.place.format(row), reason, str(raw))


def _form(content: Content, reader: MeasurementReader) -> str:
    """What people call it: the sheet of a workbook is read as CSV, and is none."""
    return XLSX if content.of_workbook and reader.name == TEXT else reader.name


def _placed(content: Content, quarantined: Quarantined) -> Quarantined:
    """The same, where it stands in the file that came."""
    where = content.place(quarantined.where, quarantined.value)
    return quarantined if where == quarantined.where else replace(quarantined, where=where)


def refusal(name: str, format_name: str, why: Quarantined) -> FileReport:
    """The report of a file of which nothing was taken."""
    return FileReport(name, format_name, quarantined=[_brief(why)], refused=True)


def _brief(item: Quarantined) -> Quarantined:
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


def _quarantined(error: GridgateError, *, where: str = "") -> Quarantined:
    reason = f"{error.message.rstrip('.')}. {error.remedy}" if error.remedy else error.message
    return Quarantined(where or error.where or "file", reason, "")
