"""One file as it is taken: mapped, checked, cut into days, stored, part by part when its reader closes parts of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from zoneinfo import ZoneInfo

from gridgate.core.errors import GridgateError
from gridgate.core.quantities import FlowDirection
from gridgate.core.text import counted
from gridgate.dataplane.ingest.brief import brief, form_of, placed, quarantined_for
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.detect import AUTO
from gridgate.dataplane.ingest.directory import PointDirectory, PointInfo
from gridgate.dataplane.ingest.local_time import LocalClock
from gridgate.dataplane.ingest.mapping import MeterMapping, Unmapped, resolve, settled_on
from gridgate.dataplane.ingest.port import MeasurementReader, Meter, Notes, Observations, Refused
from gridgate.dataplane.ingest.progress import Progress, Untold
from gridgate.dataplane.ingest.report import FileReport
from gridgate.dataplane.ingest.series.rejected import set_aside
from gridgate.dataplane.ingest.settling.table import Series, Share
from gridgate.dataplane.ingest.settling.together import Rows, Tell, settle_all
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from gridgate.dataplane.store.days import Days
from gridgate.dataplane.store.port import MeasurementStore, Source
from gridgate.dataplane.store.quarantine import Cause, Quarantined, Subject


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


class Taking:
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
        why = brief(placed(self._content, quarantined_for(error, where="file")))
        return FileReport(
            self._content.name,
            form_of(self._content, self._reader),
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
            form_of(self._content, self._reader),
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
            stated = batch.direction or unsaid
            direction = _direction(stated, point)
            if isinstance(direction, Unmapped):
                single = rows.of(number, [group])
                cause = Cause.DIRECTION_ABSENT if stated else Cause.DIRECTION_UNSAID
                about = Subject(point.id, batch.kind, stated)
                why = [(cause, direction.reason)] * len(single)
                tell(set_aside(single, about, why, clock, point))
            else:
                shares.append(Share(number, group, Series(point, batch.kind, direction, batch.register)))
        return settle_all(self._batches, shares, clock, at=ingest.recorded_at // 1000, tell=tell)

    def _in_order_of_the_file(self) -> list[tuple[int, int]]:
        """The groups of each batch of which there is a value, as the file has them first."""
        groups = [
            (
                0 if batch.groups is None or batch.groups.seen is None else int(batch.groups.seen[group]),
                number,
                group,
            )
            for number, batch in enumerate(self._batches)
            for group in batch.present()
        ]
        return [(number, group) for _, number, group in sorted(groups, key=itemgetter(0))]


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
    for refusal in refused:
        for (_, places), rows in zip(refusal.rows.by_group(), refusal.rows.singles(), strict=True):
            why = [refusal.why[place] for place in places.tolist()]
            point = points[rows.meter]
            if isinstance(point, Unmapped):
                yield from _all_of(rows, [reason for _, reason in why])
                continue
            stated = rows.direction or ingest.mapping.direction
            direction = _direction(stated, point)
            about = Subject(point.id, rows.kind, stated if isinstance(direction, Unmapped) else direction)
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
