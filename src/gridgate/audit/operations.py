"""Writing the registry's roll-up of the access log, and its index: folding what processes logged, and erasing what is too
old.

The log itself is the hash-chained segments on disk. Here lines come as plain values, so that this app knows nothing of
files; whoever reads the segments passes them in, as they grow.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import blake2b
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, Max, OuterRef
from django.db.models.functions import Greatest

from gridgate.audit.lines import GRANTED, Columns, micros_of, number_of_point
from gridgate.audit.models import (
    AccessLogSegment,
    LogDay,
    LogFacet,
    LogPoint,
    LogPointDay,
    LogRetention,
    LogStretch,
)
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.retention import YEARS_KEPT, latest_erasable
from gridgate.core.time import civil_day_bounds, civil_day_of, may_be_asked


class TooYoungToErase(GridgateError):
    """The log of that time must still be kept."""

    def __init__(self, latest: date) -> None:
        super().__init__(
            ErrorKind.FORBIDDEN,
            f"the access log is kept for {YEARS_KEPT} years",
            remedy=f"Choose {latest} or an earlier day.",
        )


class ErasedMeanwhile(GridgateError):
    """Another process erased reads, or counted more, while this one looked for them."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.CONFLICT,
            "reads were erased, or counted, by another process meanwhile",
            remedy="Run it again.",
        )


class BeingCounted(GridgateError):
    """The reads are being counted anew: their sums hold less than there was."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.UNAVAILABLE,
            "the access log is being counted anew",
            remedy="Wait until gridgate check no longer says so; a worker does it.",
        )


class LogLine(NamedTuple):
    """One line of a segment: its number, the entry it holds, None for one that holds none, and where it begins."""

    number: int
    entry: dict[str, Any] | None
    offset: int = 0


class Faulty(NamedTuple):
    """A line that is not an entry, though it should be."""

    number: int
    why: Exception


@dataclass(frozen=True, slots=True)
class Position:
    """How far a segment is folded: lines, bytes, and the hash of the last line."""

    lines: int = 0
    size: int = 0
    head: str = ""


class Facet(NamedTuple):
    """What a `LogFacet` says."""

    holder: int | None
    reader: int | None
    reader_name: str
    user: int | None
    user_name: str
    application: str
    kind: str
    direction: str
    channel: str
    outcome: str

    @property
    def digest(self) -> str:
        return blake2b(orjson.dumps([*self]), digest_size=16).hexdigest()


@dataclass(slots=True)
class Sums:
    entries: int
    values: int
    first: int
    last: int

    def add(self, other: "Sums") -> None:
        self.entries += other.entries
        self.values += other.values
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)


_facet_of = itemgetter(*Facet._fields)
DayKey = tuple[int, str]
PointDayKey = tuple[int, str, str]
PointKey = tuple[int, str, str]


@dataclass(slots=True)
class RollUp:
    """Lines added up as they come, before the registry is asked anything. Facets are named by their place in `facets`,
    days as `2026-11-25`.
    """

    zone: ZoneInfo
    facets: list[Facet] = field(default_factory=list)
    sums: dict[tuple[int, str, str, str], Sums] = field(default_factory=dict)
    """By facet, civil day, point and permission."""
    lines: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Offset, instant, facet and point."""
    _places: dict[Facet, int] = field(default_factory=dict)
    _said: dict[tuple[object, ...], int] = field(default_factory=dict)
    """The place of a facet as lines say it, with nothing where there may be an empty text."""
    _minutes: dict[str, tuple[str, int]] = field(default_factory=dict)
    _numbers: dict[str | None, int] = field(default_factory=dict)
    _permissions: dict[str | None, str] = field(default_factory=lambda: {None: "", "": ""})

    def add(self, entry: dict[str, Any], offset: int) -> None:
        """Raises `ValueError`, `KeyError` or `TypeError` when it is not an entry, having added nothing."""
        stamp = entry["at"]
        known = self._minutes.get(stamp[:16])
        if known is not None and len(stamp) == 27 and stamp[16] == ":" and stamp[26] == "Z":
            day, minute = known
            at = minute + int(stamp[17:19]) * 1_000_000 + int(stamp[20:26])
        else:
            day, at = self._instant(stamp)
        try:
            said = _facet_of(entry)
            facet = self._said[said]
        except KeyError:
            facet = self._place(entry)
        point, permission = entry.get("metering_point"), entry.get("permission")
        number = self._numbers.get(point)
        if number is None:
            number = self._numbers[point] = number_of_point(_text(point or "", 18))
        if permission not in self._permissions:
            self._permissions[permission] = str(UUID(_text(permission, 36)))
        values = entry.get("values") or 0
        if type(values) is not int or not 0 <= values < 2**31:
            raise ValueError(f"values is {values!r}")
        place = (facet, day, point or "", self._permissions[permission])
        sums = self.sums.get(place)
        if sums is None:
            self.sums[place] = Sums(1, values, at, at)
        else:
            sums.entries += 1
            sums.values += values
            if at > sums.last:
                sums.last = at
            elif at < sums.first:
                sums.first = at
        self.lines.append((offset, at, facet, number))

    def _place(self, entry: dict[str, Any]) -> int:
        said: dict[str, Any] = {name: entry.get(name) for name in Facet._fields}
        said |= {name: said[name] or "" for name in _MAY_LACK}
        facet = _checked(Facet(**said))
        if facet not in self._places:
            self._places[facet] = len(self.facets)
            self.facets.append(facet)
        self._said[tuple(entry.get(name) for name in Facet._fields)] = self._places[facet]
        return self._places[facet]

    def _instant(self, stamp: str) -> tuple[str, int]:
        at = datetime.fromisoformat(stamp)
        if at.tzinfo is None:
            raise ValueError("at names no time zone")
        if not may_be_asked(at.date()):
            raise ValueError(f"at is {stamp!r}")
        day, micros = civil_day_of(at, self.zone).isoformat(), micros_of(at)
        if stamp.endswith("Z"):  # of one minute in UTC, all is on one civil day
            self._minutes[stamp[:16]] = day, micros_of(at.replace(second=0, microsecond=0))
        return day, micros

    def drop_before(self, day: date) -> None:
        """Forget what a retention has erased."""
        first, start = day.isoformat(), micros_of(civil_day_bounds(day, self.zone).start)
        self.sums = {place: sums for place, sums in self.sums.items() if place[1] >= first}
        self.lines = [line for line in self.lines if line[1] >= start]

    def point_days(self) -> dict[PointDayKey, Sums]:
        found: dict[PointDayKey, Sums] = {}
        for (facet, day, point, _), sums in self.sums.items():
            _into(found, (facet, day, point), sums)
        return found

    def days(self) -> dict[DayKey, Sums]:
        found: dict[DayKey, Sums] = {}
        for (facet, day, _, _), sums in self.sums.items():
            _into(found, (facet, day), sums)
        return found

    def points(self) -> dict[PointKey, Sums]:
        """Of what was granted."""
        granted = [facet.outcome == GRANTED for facet in self.facets]
        found: dict[PointKey, Sums] = {}
        for (facet, _, point, permission), sums in self.sums.items():
            if granted[facet]:
                _into(found, (facet, point, permission), sums)
        return found


_Key = TypeVar("_Key")


def _into(found: dict[_Key, Sums], key: _Key, sums: Sums) -> None:
    there = found.get(key)
    if there is None:
        found[key] = Sums(sums.entries, sums.values, sums.first, sums.last)
    else:
        there.add(sums)


def positions() -> dict[str, Position]:
    """Where folding goes on, by segment; those that are sealed left out."""
    rows = AccessLogSegment.objects.filter(sealed=False).values_list("name", "lines", "size", "head")
    return {name: Position(lines, size, head) for name, lines, size, head in rows}


@dataclass(frozen=True, slots=True)
class Folded:
    """How many entries are new, and the lines left out for not being any."""

    entries: int = 0
    faulty: Sequence[Faulty] = ()
    elsewhere: bool = False
    """That another process folds the segment: nothing was added, and how far it is by now, it knows."""


def fold(
    *,
    segment: str,
    lines: Iterable[LogLine],
    reached: Callable[[], Position],
    start: Position = Position(),
) -> Folded:
    """Add the lines of a segment from `start` on, and remember that it is folded up to where it is `reached`, which is
    asked once the lines are gone through.

    What is added and how far, is written at once: when the segment is not folded up to `start`, another process was
    quicker, or the caller was killed after it wrote, and nothing is added.
    """
    roll_up, faulty = RollUp(zone()), []
    for line in lines:
        if line.entry is not None:
            try:
                roll_up.add(line.entry, line.offset)
            except (ValueError, KeyError, TypeError) as error:
                faulty.append(Faulty(line.number, error))
    there = reached()
    if there == start:
        return (
            Folded()
        )  # a line that a death cut short is looked at each round, and nothing is written about it
    with transaction.atomic():
        row, _ = AccessLogSegment.objects.get_or_create(name=segment)
        if (row.lines, row.size) != (start.lines, start.size):
            return Folded(elsewhere=True)
        if erased := erased_before():
            roll_up.drop_before(erased)
        if roll_up.lines:
            _write(row.pk, roll_up)
        AccessLogSegment.objects.filter(pk=row.pk).update(lines=there.lines, size=there.size, head=there.head)
    return Folded(len(roll_up.lines), faulty)


def zone() -> ZoneInfo:
    """The network's, by whose civil days entries are counted."""
    return ZoneInfo(settings.TIME_ZONE)


def rebuild(*, without: Collection[str] = ()) -> None:
    """Forget the roll-up and the index, so that the next foldings make both anew from the segments.

    Until they have, `being_counted` says so, whoever folds and whatever is killed meanwhile. What was folded of the
    segments in `without`, which are no more, is counted no longer.
    """
    with transaction.atomic():
        for model in (LogStretch, LogPoint, LogPointDay, LogDay, LogFacet):
            model.objects.all().delete()
        AccessLogSegment.objects.update(recount_to=Greatest("size", "recount_to"))
        AccessLogSegment.objects.filter(name__in=list(without)).update(recount_to=0)
        AccessLogSegment.objects.update(lines=0, size=0, head="", sealed=False)


def sizes_folded() -> dict[str, int]:
    """How many bytes of each segment are folded, or were when counting began anew."""
    return dict(AccessLogSegment.objects.values_list("name", Greatest("size", "recount_to")))


_UPSERT = """
INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {sums}
"""
_SUMS = {
    "entries": "entries = {table}.entries + excluded.entries",
    "values": '"values" = {table}."values" + excluded."values"',
    "first": "first = min({table}.first, excluded.first)",
    "segment_id": "segment_id = iif(excluded.last >= {table}.last, excluded.segment_id, {table}.segment_id)",
    "last": "last = max({table}.last, excluded.last)",
}


def _add(
    model: Any, rows: Iterable[tuple[int | str, ...]], key: Sequence[str], columns: Sequence[str]
) -> None:
    """Add to the rows that there are, by their key, and write the others."""
    table = model._meta.db_table
    statement = _UPSERT.format(
        table=table,
        columns=", ".join(f'"{name}"' for name in (*key, *columns)),
        marks=", ".join(["%s"] * (len(key) + len(columns))),
        key=", ".join(key),
        sums=", ".join(_SUMS[name].format(table=table) for name in columns),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(rows))


def _write(segment: int, roll_up: RollUp) -> None:
    ids = _ids(roll_up.facets)
    _add(
        LogDay,
        (
            (ids[facet], day, sums.entries, sums.values, sums.first, segment, sums.last)
            for (facet, day), sums in roll_up.days().items()
        ),
        ("facet_id", "day"),
        ("entries", "values", "first", "segment_id", "last"),
    )
    _add(
        LogPointDay,
        (
            (ids[facet], day, point, sums.entries, sums.values, sums.first, sums.last)
            for (facet, day, point), sums in sorted(roll_up.point_days().items())
        ),
        ("facet_id", "day", "metering_point_id"),
        ("entries", "values", "first", "last"),
    )
    _add(
        LogPoint,
        (
            (ids[facet], point, permission, sums.entries, sums.last)
            for (facet, point, permission), sums in sorted(roll_up.points().items())
        ),
        ("facet_id", "metering_point_id", "permission"),
        ("entries", "last"),
    )
    LogStretch.objects.bulk_create(_stretches(segment, roll_up, ids))


def _ids(facets: Sequence[Facet]) -> list[int]:
    """The numbers of these facets' rows, made where there are none."""
    rows = {facet.digest: LogFacet(**facet._asdict(), digest=facet.digest) for facet in facets}
    LogFacet.objects.bulk_create(rows.values(), ignore_conflicts=True, batch_size=80)
    there: dict[str, int] = {}
    digests = [*rows]
    for at in range(0, len(digests), 500):
        found = LogFacet.objects.filter(digest__in=digests[at : at + 500])
        there.update(found.values_list("digest", "pk"))
    return [there[digest] for digest in digests]


def _stretches(segment: int, roll_up: RollUp, ids: Sequence[int]) -> Iterable[LogStretch]:
    """One for each holder: its lines, in the order of the segment."""
    holders = [facet.holder for facet in roll_up.facets]
    by_holder: dict[int | None, list[tuple[int, int, int, int]]] = {}
    for offset, at, facet, point in roll_up.lines:
        by_holder.setdefault(holders[facet], []).append((offset, at, ids[facet], point))
    for holder, lines in by_holder.items():
        columns = Columns.of(lines)
        yield LogStretch(
            segment_id=segment,
            holder=holder,
            first=int(columns.at.min()),
            last=int(columns.at.max()),
            columns=columns.pack(),
        )


def _checked(facet: Facet) -> Facet:
    for number in (facet.holder, facet.reader, facet.user):
        if number is not None and type(number) is not int:
            raise ValueError(f"{number!r} is not the number of a company or a person")
    for name, most in _LENGTHS.items():
        _text(getattr(facet, name), most)
    return facet


_MAY_LACK = ("reader_name", "user_name", "application", "kind", "direction")
_LENGTHS = {
    field.name: field.max_length or 0
    for field in LogFacet._meta.concrete_fields
    if field.name in Facet._fields and field.name not in ("holder", "reader", "user")
}


def _text(value: object, most: int) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise ValueError(f"{value!r} is not a text of at most {most} characters")
    return value


def erased_before() -> date | None:
    """The first day that the log goes back to, when it was erased before; None when it is whole."""
    latest: datetime | None = LogRetention.objects.aggregate(before=Max("before"))["before"]
    return None if latest is None else civil_day_of(latest, zone())


def erase_before(*, day: date, now: datetime, lines_of: Callable[[str], Iterable[LogLine]]) -> int:
    """Erase what the registry knows of the reads before that civil day; returns how many there were. `lines_of` gives
    those of a segment, and is asked for each of which lines so old are counted. Asked for an erased time again, it does
    nothing.

    That it was done, when and how far stays on record. Raises `TooYoungToErase`, `BeingCounted` and `ErasedMeanwhile`.
    """
    before = civil_day_bounds(day, zone()).start
    latest = latest_erasable(now)
    if before > latest:
        raise TooYoungToErase(civil_day_of(latest, zone()))
    roll_up = RollUp(zone())
    already = erased_before()
    if already is not None and already >= day:
        return 0
    counted = _reaching_before(before)
    for name, lines_counted in counted.items():
        for line in lines_of(name):
            if line.number > lines_counted:
                break  # never added: what folds it later leaves it out
            if line.entry is not None:
                with suppress(ValueError, KeyError, TypeError):
                    roll_up.add(line.entry, line.offset)
    roll_up.sums = {
        place: sums
        for place, sums in roll_up.sums.items()
        if place[1] < day.isoformat() and (already is None or place[1] >= already.isoformat())
    }
    with transaction.atomic():
        require_counted()  # what is taken away must have been added…
        # … all of it, and not been taken away since it was looked at.
        if erased_before() != already or _reaching_before(before) != counted:
            raise ErasedMeanwhile
        LogRetention.objects.create(before=before, at=now)
        old = LogDay.objects.filter(day__lt=day)
        erased = sum(old.values_list("entries", flat=True))
        ids = _ids(roll_up.facets)
        _take_away(
            (sums.entries, ids[facet], point, permission)
            for (facet, point, permission), sums in roll_up.points().items()
        )
        LogPointDay.objects.filter(day__lt=day).delete()
        old.delete()
        LogFacet.objects.filter(
            ~Exists(LogDay.objects.filter(facet=OuterRef("pk"))),
            ~Exists(LogPoint.objects.filter(facet=OuterRef("pk"))),
        ).delete()
    return erased


def _reaching_before(instant: datetime) -> dict[str, int]:
    """The segments of which lines older than that are counted, and how many of their lines are. Their names do not say
    it: a clock that was put back writes on in the segment of a later day.
    """
    reaching = LogStretch.objects.filter(first__lt=micros_of(instant)).values("segment")
    return dict(AccessLogSegment.objects.filter(pk__in=reaching).values_list("name", "lines"))


def _take_away(rows: Iterable[tuple[int | str, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE audit_logpoint SET entries = max(0, entries - %s)"
            " WHERE facet_id = %s AND metering_point_id = %s AND permission = %s",
            list(rows),
        )
    LogPoint.objects.filter(entries=0).delete()


def being_counted() -> bool:
    """Whether the sums hold less than there was: counting began anew and is not through."""
    return AccessLogSegment.objects.filter(size__lt=F("recount_to")).exists()


def require_counted() -> None:
    """Raises `BeingCounted`."""
    if being_counted():
        raise BeingCounted


def segments_known() -> set[str]:
    return set(AccessLogSegment.objects.values_list("name", flat=True))


def segments_reaching(instant: datetime) -> set[str]:
    """Those of which lines from then on are counted."""
    reaching = LogStretch.objects.filter(last__gte=micros_of(instant)).values("segment")
    return set(AccessLogSegment.objects.filter(pk__in=reaching).values_list("name", flat=True))


def forget_segments(names: Iterable[str]) -> None:
    """Forget segments that are no more, all of whose reads are erased."""
    gone = AccessLogSegment.objects.filter(name__in=list(names))
    with transaction.atomic():
        LogStretch.objects.filter(segment__in=gone).delete()
        gone.delete()


def sealed_segments() -> set[str]:
    """Those that grow no more, of which nobody need look again whether they have."""
    return set(AccessLogSegment.objects.filter(sealed=True).values_list("name", flat=True))


def seal(segment: str) -> None:
    """Note that a segment grows no more, and join its stretches in the index: one for each holder."""
    with transaction.atomic():
        row = AccessLogSegment.objects.get(name=segment)
        AccessLogSegment.objects.filter(pk=row.pk).update(sealed=True)
        by_holder: dict[int | None, list[LogStretch]] = {}
        for stretch in LogStretch.objects.filter(segment=row).order_by("pk"):
            by_holder.setdefault(stretch.holder, []).append(stretch)
        for holder, stretches in by_holder.items():
            if len(stretches) == 1:
                continue
            columns = Columns.joined(
                [Columns.unpack(bytes(one.columns), most=row.lines) for one in stretches]
            )
            LogStretch.objects.filter(pk__in=[one.pk for one in stretches]).delete()
            LogStretch.objects.create(
                segment=row,
                holder=holder,
                first=min(one.first for one in stretches),
                last=max(one.last for one in stretches),
                columns=columns.pack(),
            )
