"""`gridgate import holders`: titles in time, with the companies that hold them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from gridgate.audit.events import Subject, record
from gridgate.core.text import folded
from gridgate.metering import as_held
from gridgate.metering.chunks import CHUNK, chunks
from gridgate.metering.events import titles_changed
from gridgate.metering.imports.cells import Cells
from gridgate.metering.imports.findings import Code, ImportReport, Level
from gridgate.metering.imports.points import nobody
from gridgate.metering.imports.rows import Progress, Row, read_sheet
from gridgate.metering.imports.timeline import Timeline, Title
from gridgate.metering.models import MeteringPoint, TitleHolding
from gridgate.metering.operations.collections import POINTS_AN_EVENT, end_collections_of_former_holders
from gridgate.metering.versions import Versions, versions_of
from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import Membership, Organisation
from gridgate.organisations.operations.companies import create_organisation
from gridgate.tables.known import HOLDERS

HOLDER_COLUMNS = HOLDERS.columns


@dataclass(frozen=True, slots=True)
class Line:
    """One good line: the company holds the point from `begins` up to, not including, `ends`."""

    cells: Cells
    point: str
    siren: str
    name: str
    begins: date
    ends: date | None


def import_holders(
    content: bytes,
    *,
    now: datetime,
    dry_run: bool = False,
    progress: Progress | None = None,
    actor: Membership | None = None,
) -> ImportReport:
    """Open and close the titles that the file tells, and create the companies it names, in one transaction.

    A line that leaves its end open while another company holds the point with an open end is a move: that
    title ends on the day the new one begins. Lines at fault are reported and left out. A dry run reports the
    same and changes nothing. Each company's audit says which of its titles began and ended.
    """
    require_operator(actor)
    sheet = read_sheet(content, table=HOLDERS)
    report = ImportReport("holders", dry_run, read=sheet.read, findings=list(sheet.findings))
    lines = _parse(sheet.rows, report)
    tell = progress or nobody
    with transaction.atomic():
        names = _names(lines)
        timelines = _fit(lines, names, report)
        new = _new_companies(timelines)
        report.organisations = len(new)
        if not dry_run:
            for siren in new:
                create_organisation(legal_name=names[siren], siren=siren, actor=actor, now=now)
            _write(timelines, actor=actor, now=now, tell=tell, total=sheet.read)
    tell(sheet.read, sheet.read)
    report.findings = sorted(map(sheet.told, report.findings), key=lambda finding: finding.line)
    return report


# --- reading


def _parse(rows: list[Row], report: ImportReport) -> list[Line]:
    lines: list[Line] = []
    first: dict[tuple[str, str, date], int] = {}
    for row in rows:
        cells = Cells(row)
        point, siren = cells.point_id("metering_point_id"), cells.siren("siren")
        name = cells.text("legal_name", limit=200)
        begins, ends = cells.day("valid_from"), cells.day("valid_to", required=False)
        if begins and ends and ends <= begins:
            cells.say(Code.DATE_ORDER, "valid_to", valid_from=begins)
        if point and siren and begins:
            known = first.setdefault((point, siren, begins), row.line)
            if known != row.line:
                cells.say(Code.DUPLICATE, "metering_point_id", first=known)
            if cells.good:
                lines.append(Line(cells, point, siren, name, begins, ends))
                continue
        report.findings += cells.findings
    return lines


def _names(lines: Sequence[Line]) -> dict[str, str]:
    """The name of each company by its SIREN: the registry's, else the first that the file gives."""
    names: dict[str, str] = {}
    for line in lines:
        if line.name:
            names.setdefault(line.siren, line.name)
    for sirens in chunks(sorted({line.siren for line in lines}), CHUNK):
        names.update(Organisation.objects.filter(siren__in=sirens).values_list("siren", "legal_name"))
    return names


# --- fitting


def _fit(lines: list[Line], names: dict[str, str], report: ImportReport) -> dict[str, Timeline]:
    """Place each line among the titles of its point, in order of time; counts and explains each."""
    timelines: dict[str, Timeline] = {}
    for group in chunks(sorted({line.point for line in lines}), CHUNK):
        timelines.update(_timelines(group))
    moves: list[Line] = []
    for line in sorted(lines, key=lambda line: (line.begins, line.cells.row.line)):
        timeline = timelines.get(line.point)
        if timeline is None:
            line.cells.say(Code.UNKNOWN_POINT, "metering_point_id")
        elif line.siren not in names:
            line.cells.say(Code.NO_NAME, "legal_name")
        else:
            _note_name(line, names[line.siren])
            if _place(line, names[line.siren], timeline, report):
                moves.append(line)
    _warn_of_labels(moves, names, timelines)
    for line in lines:
        report.findings += line.cells.findings
    return timelines


def _warn_of_labels(moves: Sequence[Line], names: dict[str, str], timelines: Mapping[str, Timeline]) -> None:
    """Say which new holders are shown the name that a site was given in another's time: not those who come back to a name
    of their own time.
    """
    for group in chunks(moves, CHUNK):
        known = versions_of({line.point for line in group})
        for line in group:
            versions = known[line.point]
            version = versions.on(line.begins)
            if version is None or not version.label or version.valid_from >= line.begins:
                continue
            if version.label not in _own_labels(line, timelines[line.point], versions):
                line.cells.say(
                    Code.LABEL_STANDS,
                    "metering_point_id",
                    level=Level.NOTE,
                    holder=names[line.siren],
                    valid_from=line.begins,
                )


def _own_labels(line: Line, timeline: Timeline, versions: Versions) -> set[str]:
    """The names that the point had in the earlier times of the line's company."""
    return {
        label
        for title in timeline.titles
        if title.siren == line.siren and title.ends is not None and title.ends <= line.begins
        for label in versions.labels(title.begins, title.ends)
    }


def _timelines(points: list[str]) -> dict[str, Timeline]:
    known = MeteringPoint.objects.select_for_update().filter(pk__in=points)
    timelines = {point_id: Timeline() for point_id in known.values_list("pk", flat=True)}
    holdings = TitleHolding.objects.filter(metering_point__in=points).select_related("holder")
    for holding in holdings.order_by("valid_from"):
        timelines[holding.metering_point_id].titles.append(
            Title(
                siren=holding.holder.siren,
                holder=holding.holder.legal_name,
                begins=holding.valid_from,
                ends=holding.valid_to,
                holding=holding,
            )
        )
    return timelines


def _note_name(line: Line, known: str) -> None:
    if line.name and folded(line.name) != folded(known):
        line.cells.say(Code.NAME_KEPT, "legal_name", level=Level.NOTE, known=known)


def _place(line: Line, holder: str, timeline: Timeline, report: ImportReport) -> bool:
    """Whether the point changes hands by it."""
    same = timeline.starting(line.siren, line.begins)
    if same is not None:
        _compare(line, same, timeline, report)
        return False
    return _add(line, holder, timeline, report)


def _compare(line: Line, same: Title, timeline: Timeline, report: ImportReport) -> None:
    """The title exists: it may get another end."""
    following = timeline.next_after(line.begins)
    moved_since = line.ends is None and following is not None and following.begins == same.ends
    if line.ends == same.ends or moved_since:
        report.unchanged += 1
    elif line.ends is None:
        line.cells.say(Code.ENDED_HERE, "valid_to", valid_to=same.ends)
    elif other := timeline.overlapping(line.begins, line.ends, but=same):
        _refuse(line, other)
    else:
        line.cells.say(Code.CHANGED, "valid_to", level=Level.NOTE, before=same.ends or "–")
        same.ends = line.ends
        report.changed += 1


def _add(line: Line, holder: str, timeline: Timeline, report: ImportReport) -> bool:
    """The title is new: the former holder may have to leave, or the next one be waited for. Whether another held
    the point before.
    """
    following = timeline.next_after(line.begins) if line.ends is None else None
    ends = following.begins if following is not None else line.ends
    former = timeline.left_open(before=line.begins, by_other_than=line.siren) if ends is None else None
    if other := timeline.overlapping(line.begins, ends, but=former):
        _refuse(line, other)
        return False
    if former is not None:
        former.ends = line.begins
        line.cells.say(
            Code.MOVED,
            "valid_from",
            level=Level.NOTE,
            holder=former.holder,
            valid_from=former.begins,
            valid_to=former.ends,
        )
    if following is not None:
        line.cells.say(
            Code.ENDS_AT_NEXT, "valid_to", level=Level.NOTE, holder=following.holder, valid_to=ends
        )
    earlier = any(one.begins < line.begins and one.siren != line.siren for one in timeline.titles)
    timeline.titles.append(Title(line.siren, holder, line.begins, ends))
    report.created += 1
    return earlier


def _refuse(line: Line, other: Title) -> None:
    if other.ends is None:
        line.cells.say(Code.OVERLAP_OPEN, "valid_from", holder=other.holder, valid_from=other.begins)
    else:
        line.cells.say(
            Code.OVERLAP,
            "valid_from",
            holder=other.holder,
            valid_from=other.begins,
            valid_to=other.ends,
        )


# --- writing


def _new_companies(timelines: dict[str, Timeline]) -> list[str]:
    holders = {
        title.siren: None
        for timeline in timelines.values()
        for title in timeline.titles
        if title.holding is None
    }
    known: set[str] = set()
    for sirens in chunks(holders, CHUNK):
        known |= set(Organisation.objects.filter(siren__in=sirens).values_list("siren", flat=True))
    return [siren for siren in holders if siren not in known]


def _write(
    timelines: dict[str, Timeline], *, actor: Membership | None, now: datetime, tell: Progress, total: int
) -> None:
    changes = [(point, title) for point, timeline in timelines.items() for title in timeline.changed()]
    if not changes:
        return
    holders = _holder_ids({title.siren for _, title in changes})
    _record(changes, holders, actor=actor, now=now)
    # Titles that end make room for those that begin: a point has one open title at most, at each statement.
    closed = [title.holding for _, title in changes if title.holding is not None]
    for _, title in changes:
        if title.holding is not None:
            title.holding.valid_to = title.ends
    for group in chunks(closed, CHUNK):
        TitleHolding.objects.bulk_update(group, ["valid_to"])
    opened = [
        TitleHolding(
            metering_point_id=point,
            holder_id=holders[title.siren],
            valid_from=title.begins,
            valid_to=title.ends,
        )
        for point, title in changes
        if title.holding is None
    ]
    done = total - len(opened)
    for group in chunks(opened, CHUNK):
        TitleHolding.objects.bulk_create(group)
        done += len(group)
        tell(done, total)
    points = sorted({point for point, _ in changes})
    as_held.project(points)
    titles_changed.send(TitleHolding, point_ids=points, now=now)
    for piece in chunks(points, CHUNK):
        end_collections_of_former_holders(now=now, point_ids=piece)


def _holder_ids(sirens: set[str]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for piece in chunks(sorted(sirens), CHUNK):
        ids.update(Organisation.objects.filter(siren__in=piece).values_list("siren", "pk"))
    return ids


def _record(
    changes: list[tuple[str, Title]], holders: dict[str, int], *, actor: Membership | None, now: datetime
) -> None:
    """One event for each company, or for each 500 of its titles: those that change as they were and as they will be.

    Call it while the rows still say what was.
    """
    by_company: dict[str, list[tuple[str, Title]]] = {}
    for point, title in changes:
        by_company.setdefault(title.siren, []).append((point, title))
    for siren, titles in sorted(by_company.items()):
        titles.sort(key=lambda one: (one[0], one[1].begins))
        for some in chunks(titles, POINTS_AN_EVENT):
            before = [
                _period(point, one.begins, one.holding.valid_to)
                for point, one in some
                if one.holding is not None
            ]
            record(
                "holding.imported",
                subject=Subject("holding", "", ", ".join(dict.fromkeys(point for point, _ in some))),
                organisation=holders[siren],
                actor=actor,
                before={"titles": before} if before else {},
                after={"titles": [_period(point, one.begins, one.ends) for point, one in some]},
                now=now,
            )


def _period(point: str, begins: date, ends: date | None) -> str:
    """`30001480112233 2024-01-01/2026-07-01`; without an end `2024-01-01/..` (ISO 8601-2)."""
    return f"{point} {begins.isoformat()}/{'..' if ends is None else ends.isoformat()}"
