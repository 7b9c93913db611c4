"""The load curve: a stepped line at true positions in time, with what is missing, estimated or above the
subscribed power made visible.

The horizontal axis is absolute time, so the day on which clocks change is an hour shorter or longer, and the
repeated hour stands twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.scale import Scale, Tick, percent, scale_for
from gridgate.portal.kit.charts.texts import Box, Label, Place, beside_line, label

WIDTH, HEIGHT = 4000, 1000  # of the drawing that stretches; whole numbers keep the page small
DENSE = 1500  # more slots than this are reduced
COLUMNS = 1000
HEADROOM = 1.04  # room for the texts over the peak and the limit

ESTIMATED = "estimated"
MISSING = "missing"
SUM = "sum"
"""The quality of a value that was added up of several, of which each has its own."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Values one `step` (seconds) apart from `start`; None is no value. `quality` are runs: `[("measured",
    335), ("missing", 1)]`.
    """

    start: datetime
    step: int
    values: Sequence[float | None]
    quality: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class DaySpan:
    """A day of a long curve: its lowest and highest value, and its energy."""

    start: datetime
    end: datetime
    low: float
    high: float
    energy: float
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """A power not to exceed, over all the chart or between two instants; `label` defaults to "Souscrite 250
    kW".
    """

    value: float
    start: datetime | None = None
    end: datetime | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time, in per cent; `clip` is its outline under the curve, in fractions of the band."""

    x: str
    width: str
    end: str
    middle: str
    wide: bool
    clip: str = ""


@dataclass(frozen=True, slots=True)
class LimitLine:
    limit: Limit
    x1: str
    x2: str
    y: str
    rise: str
    """From where it steps up or down at its start; empty when it does not."""
    text_x: str
    text_y: str
    anchor: str
    text: str

    @property
    def under(self) -> bool:
        """Whether the text stands under the line."""
        return float(self.text_y[:-1]) > float(self.y[:-1])


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest value: the first time it was reached."""

    value: float
    at: datetime
    over: bool
    place: Place
    text: str

    @property
    def x(self) -> str:
        return percent(self.place.x)

    @property
    def y(self) -> str:
        return percent(self.place.y)

    @property
    def anchor(self) -> str:
        return self.place.anchor


@dataclass(frozen=True, slots=True)
class LoadCurve:
    """What `components/load_curve.html` draws and `js/load-curve.js` reads."""

    id: str
    width: int
    height: int
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    marks: tuple[str, ...]
    line: str
    area: str
    over: str
    gaps: tuple[Band, ...]
    estimated: tuple[Band, ...]
    limits: tuple[LimitLine, ...]
    peak: Peak | None
    unit: str
    injection: bool
    count: int
    by_day: bool
    data_url: str
    data: dict[str, Any] = field(repr=False)

    @property
    def data_id(self) -> str:
        return f"{self.id}-data"


@dataclass(frozen=True, slots=True)
class _Slot:
    """A stretch of time with its lowest and highest value; the two are one unless values were reduced."""

    start: float
    end: float
    low: float
    high: float
    estimated: bool


def load_curve(
    curves: Sequence[Curve],
    *,
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    spans: Sequence[DaySpan] = (),
    limits: Sequence[Limit] = (),
    until: datetime | None = None,
    outside: Sequence[tuple[datetime, datetime]] = (),
    unit: str = "kW",
    name: str = "",
    injection: bool = False,
    id: str = "curve",  # noqa: A002
    data_url: str = "",
) -> LoadCurve:
    """Draw `curves`, or the days `spans` of a long one, from `start` to `end` (instants; `end` not included).

    `until` is the instant up to which values are expected: what lacks before it is a gap, what lacks after is not, nor
    what lies in `outside`. `name` goes into the image that a person saves, `id` tells two charts of a page apart,
    `data_url` is where the script fetches the values of a very dense series instead of finding them in the page. Raises
    ValueError when `end` is not after `start`.
    """
    if _seconds(start, end) <= 0:
        raise ValueError("a chart needs an end after its start")
    began, span = start.timestamp(), _seconds(start, end)

    def across(at: float) -> float:
        return min(1.0, max(0.0, (at - began) / span))

    found = _of_days(spans) if spans else _slots(curves)
    slots = [slot for slot in found if slot.end > began and slot.start < began + span]
    highest = [*(slot.high for slot in slots), *(limit.value for limit in limits)]
    scale = scale_for([value * HEADROOM for value in highest])
    drawn = _reduced(slots, began, span) if len(slots) > DENSE else slots
    runs = list(_runs(drawn))
    line, area = _band_paths(runs, scale, across) if spans else _paths(runs, scale, across)
    peak = _peak(slots, limits, scale, unit, across)
    lines = tuple(_limit_lines(limits, scale, unit, across, peak, drawn))
    return LoadCurve(
        id=id,
        width=WIDTH,
        height=HEIGHT,
        ticks=tuple(scale.ticks()),
        labels=tuple(_labels(start, end, zone, across)),
        marks=tuple(
            percent(100 * across(at.timestamp()))
            for at in _midnights(start, end, zone)
            if _days(start, end) <= 9
        ),
        line=line,
        area=area,
        over=_over(drawn, limits, scale, across),
        gaps=tuple(
            _gaps(
                sorted([*slots, *_nothing_expected(outside)], key=lambda slot: slot.start),
                began,
                min(began + span, (until or end).timestamp()),
                across,
            )
        ),
        estimated=tuple(_estimated(drawn, scale, across)),
        limits=lines,
        peak=peak,
        unit=unit,
        injection=injection,
        count=len(slots),
        by_day=bool(spans),
        data_url=data_url,
        data=_data(curves, spans, began, span, zone, lines, unit, name, injection, inline=not data_url),
    )


def series_data(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """The values as `js/load-curve.js` reads them, in the page or from `data_url`: `{"segments":
    series_data(curves)}`.
    """
    return [
        {
            "start": int(curve.start.timestamp()),
            "step": curve.step,
            "values": [None if value is None else round(value, 3) for value in curve.values],
            "quality": [[word, count] for word, count in curve.quality],
        }
        for curve in curves
    ]


def _slots(curves: Sequence[Curve]) -> list[_Slot]:
    found = []
    for curve in curves:
        first = curve.start.timestamp()
        words = _words(curve)
        for index, value in enumerate(curve.values):
            word = next(words)
            if value is not None and word != MISSING:
                at = first + index * curve.step
                found.append(_Slot(at, at + curve.step, value, value, word == ESTIMATED))
    return sorted(found, key=lambda slot: slot.start)


def _of_days(spans: Sequence[DaySpan]) -> list[_Slot]:
    return [
        _Slot(span.start.timestamp(), span.end.timestamp(), span.low, span.high, span.estimated)
        for span in spans
    ]


def _words(curve: Curve) -> Iterator[str]:
    for word, count in curve.quality:
        yield from (word for _index in range(count))
    while True:
        yield "measured"


def _reduced(slots: Sequence[_Slot], began: float, span: float) -> list[_Slot]:
    """One slot a column with its lowest and highest value: no peak is lost, no gap of a whole column is
    filled.
    """
    width = span / COLUMNS
    columns: dict[int, list[_Slot]] = {}
    for slot in slots:
        columns.setdefault(max(0, int((slot.start - began) / width)), []).append(slot)
    reduced = []
    for index, inside in sorted(columns.items()):
        reduced.append(
            _Slot(
                began + index * width,
                began + (index + 1) * width,
                min(slot.low for slot in inside),
                max(slot.high for slot in inside),
                all(slot.estimated for slot in inside),
            )
        )
    return reduced


def _runs(slots: Sequence[_Slot]) -> Iterator[list[_Slot]]:
    """Slots that follow one another without a hole."""
    run: list[_Slot] = []
    for slot in slots:
        if run and slot.start > run[-1].end + 0.5:
            yield run
            run = []
        run.append(slot)
    if run:
        yield run


def _paths(runs: Sequence[Sequence[_Slot]], scale: Scale, across: Any) -> tuple[str, str]:
    line, area = [], []
    for run in runs:
        first = round(WIDTH * across(run[0].start))
        drawing: list[str] = []
        outline = [f"M{first} {HEIGHT}"]
        previous: int | None = None
        for slot in run:
            low, high, right = _y(slot.low, scale), _y(slot.high, scale), round(WIDTH * across(slot.end))
            if previous is None:
                drawing.append(f"M{first} {low}")
            elif low != previous:
                drawing.append(f"V{low}")
            if high != low:
                drawing.append(f"V{high}V{low}")
            drawing.append(f"H{right}")
            outline.append(f"V{high}H{right}")
            previous = low
        line.append("".join(drawing))
        area.append("".join(outline) + f"V{HEIGHT}z")
    return "".join(line), "".join(area)


def _band_paths(runs: Sequence[Sequence[_Slot]], scale: Scale, across: Any) -> tuple[str, str]:
    """Two stepped lines, the highest and the lowest value of each day, and what lies between them."""
    line, area = [], []
    for run in runs:
        first = round(WIDTH * across(run[0].start))
        rights = [round(WIDTH * across(slot.end)) for slot in run]
        high = "".join(f"V{_y(slot.high, scale)}H{right}" for slot, right in zip(run, rights, strict=True))
        low = "".join(f"V{_y(slot.low, scale)}H{right}" for slot, right in zip(run, rights, strict=True))
        lefts = [first, *rights[:-1]]
        back = "".join(
            f"V{_y(slot.low, scale)}H{left}" for slot, left in zip(run[::-1], lefts[::-1], strict=True)
        )
        line.append(f"M{first} {_y(run[0].high, scale)}{high}M{first} {_y(run[0].low, scale)}{low}")
        area.append(f"M{first} {_y(run[0].low, scale)}{high}{back}z")
    return "".join(line), "".join(area)


def _y(value: float, scale: Scale) -> int:
    return round(HEIGHT * scale.down(value) / 100)


def _limit_at(limits: Sequence[Limit], at: float) -> float | None:
    for limit in limits:
        if (limit.start is None or limit.start.timestamp() <= at) and (
            limit.end is None or at < limit.end.timestamp()
        ):
            return limit.value
    return None


def _over(slots: Sequence[_Slot], limits: Sequence[Limit], scale: Scale, across: Any) -> str:
    """The part of the curve above the limit in force, from the limit up."""
    if not limits:
        return ""
    parts: list[str] = []
    open_until = None
    for slot in slots:
        limit = _limit_at(limits, slot.start)
        if limit is None or slot.high <= limit:
            open_until = None
            continue
        left, right, high = (
            round(WIDTH * across(slot.start)),
            round(WIDTH * across(slot.end)),
            _y(slot.high, scale),
        )
        if open_until != slot.start:
            parts.append(f"M{left} {_y(limit, scale)}")
        parts.append(f"V{high}H{right}")
        open_until = slot.end
    return "".join(parts)


def _band(first: float, last: float, across: Any, clip: str = "") -> Band:
    left, right = 100 * across(first), 100 * across(last)
    return Band(
        percent(left),
        percent(right - left),
        percent(right),
        percent((left + right) / 2),
        right - left >= 5,
        clip,
    )


def _nothing_expected(outside: Sequence[tuple[datetime, datetime]]) -> list[_Slot]:
    return [_Slot(first.timestamp(), last.timestamp(), 0, 0, False) for first, last in outside]


def _gaps(slots: Sequence[_Slot], began: float, until: float, across: Any) -> Iterator[Band]:
    """Stretches without a value that should have one, from the first instant to `until`."""
    at = began
    for slot in slots:
        if slot.start > at + 0.5:
            yield _band(at, min(slot.start, until), across)
        at = max(at, slot.end)
        if at >= until:
            return
    if until > at + 0.5:
        yield _band(at, until, across)


def _estimated(slots: Sequence[_Slot], scale: Scale, across: Any) -> Iterator[Band]:
    """Stretches of estimated values, each with its outline for the hatch."""
    for run in _runs([slot for slot in slots if slot.estimated]):
        first, last = max(run[0].start, 0), run[-1].end
        left, width = across(first), across(last) - across(first)
        if width <= 0:
            continue
        outline = "".join(
            f"V{_fraction(scale.down(slot.high) / 100)}H{_fraction((across(slot.end) - left) / width)}"
            for slot in run
        )
        yield _band(first, last, across, f"M0 1{outline}V1z")


def _fraction(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _limit_lines(
    limits: Sequence[Limit],
    scale: Scale,
    unit: str,
    across: Any,
    peak: "Peak | None",
    drawn: Sequence[_Slot],
) -> Iterator[LimitLine]:
    taken = [] if peak is None else list(peak.place.boxes(peak.text))
    before: Limit | None = None
    for limit in limits:
        x1 = 0.0 if limit.start is None else 100 * across(limit.start.timestamp())
        x2 = 100.0 if limit.end is None else 100 * across(limit.end.timestamp())
        if x2 <= x1:
            continue
        y = scale.down(limit.value)
        decimals = 1 if limit.value % 1 else 0
        text = limit.label or _("Souscrite %(power)s") % {
            "power": formats.with_unit(limit.value, unit, decimals)
        }
        left = len(limits) > 1 or (peak is not None and peak.place.x > (x1 + x2) / 2)
        strokes = list(_strokes(drawn, limit.value, scale, across))
        place = beside_line(text, Box(x1, x2, y, y), strokes, taken, left=left)
        taken += place.boxes(text)
        yield LimitLine(
            limit,
            percent(x1),
            percent(x2),
            percent(y),
            percent(scale.down(before.value)) if before and before.end == limit.start else "",
            percent(place.x),
            percent(place.y),
            place.anchor,
            text,
        )
        before = limit


def _strokes(slots: Sequence[_Slot], limit: float, scale: Scale, across: Any) -> Iterator[Box]:
    """What the line of the curve takes, slot by slot, with the step up or down that begins it; over the limit all that
    is over it.
    """
    before: _Slot | None = None
    for slot in slots:
        low, high = slot.low, slot.high
        if before and slot.start <= before.end + 0.5:
            low, high = min(low, before.high), max(high, before.low)
        low = min(low, limit) if high > limit else low
        yield Box(100 * across(slot.start), 100 * across(slot.end), scale.down(high), scale.down(low))
        before = slot


def _peak(
    slots: Sequence[_Slot], limits: Sequence[Limit], scale: Scale, unit: str, across: Any
) -> Peak | None:
    if not slots:
        return None
    highest = max(slots, key=lambda slot: slot.high)  # the first of equals
    limit = _limit_at(limits, highest.start)
    right = 100 * across(highest.end)
    # At the end, and where the text of a limit stands on the right, there is no room after it.
    crowded = right > 82 or (bool(limits) and 35 < right < 50)
    anchor, x = ("end", 100 * across(highest.start) - 0.6) if crowded else ("start", right + 0.6)
    y = scale.down(highest.high)
    above = y - 2
    for other in limits:  # a limit just over the peak would run through the text
        line = scale.down(other.value)
        above = line - 2 if y - 9 < line < y - 1 else above
    return Peak(
        value=highest.high,
        at=datetime.fromtimestamp(highest.start, tz=UTC),
        over=limit is not None and highest.high > limit,
        place=Place(x, max(5.0, above), anchor),
        text=formats.with_unit(
            highest.high, unit, formats.decimals([highest.high]) if highest.high < 100 else 0
        ),
    )


def _seconds(start: datetime, end: datetime) -> float:
    """Elapsed time; the difference of two datetimes of one zone would be that of their wall clocks."""
    return end.timestamp() - start.timestamp()


def _days(start: datetime, end: datetime) -> float:
    return _seconds(start, end) / 86400


def _civil_days(start: datetime, end: datetime, zone: ZoneInfo) -> list[date]:
    first, last = start.astimezone(zone).date(), (end - timedelta(seconds=1)).astimezone(zone).date()
    return [first + timedelta(days=index) for index in range((last - first).days + 1)]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _midnights(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    return [at for day in _civil_days(start, end, zone) if start < (at := _midnight(day, zone)) < end]


def _labels(start: datetime, end: datetime, zone: ZoneInfo, across: Any) -> Iterator[Label]:
    """Hours for a day or two, days for a week, dates for a month or a season, months beyond."""
    length, days = _days(start, end), _civil_days(start, end, zone)
    if length <= 2.1:
        yield from _hours(start, end, zone, across, every=3 if length <= 1.1 else 6)
    elif length <= 9:
        for day in days:
            lead, number = formats.day_in_week(day, short=True).split(formats.NO_BREAK)
            yield label(_middle(day, zone, across), number, lead=lead + formats.NO_BREAK)
    elif length <= 100:
        every = 1 if length <= 16 else 7 if length > 45 else 2
        for rank, day in enumerate(days[::every]):
            text = formats.day_and_month(day, short=True) if rank == 0 or day.day <= every else str(day.day)
            yield label(_middle(day, zone, across), text, bool(rank % (4 if every < 7 else 2)))
    else:
        months = sorted({(day.year, day.month) for day in days})
        for rank, month in enumerate(months):
            inside = [day for day in days if (day.year, day.month) == month]
            if len(inside) >= 15:
                middle = _midnight(inside[len(inside) // 2], zone).timestamp()
                text = formats.month(inside[0], short=True)
                yield label(100 * across(middle), text, len(months) > 6 and rank % 3 != 0)


def _hours(start: datetime, end: datetime, zone: ZoneInfo, across: Any, *, every: int) -> Iterator[Label]:
    at = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if at < start:
        at += timedelta(hours=1)
    while at <= end:
        clock = at.astimezone(zone)
        if clock.hour % every == 0 and not (clock.fold and clock.hour):
            yield label(
                100 * across(at.timestamp()),
                f"{clock.hour}{formats.NO_BREAK}h",
                clock.hour % (2 * every) != 0,
            )
        at += timedelta(hours=1)


def _middle(day: date, zone: ZoneInfo, across: Any) -> float:
    first, last = _midnight(day, zone).timestamp(), _midnight(day + timedelta(days=1), zone).timestamp()
    return float(100 * across((first + last) / 2))


def _data(
    curves: Sequence[Curve],
    spans: Sequence[DaySpan],
    began: float,
    span: float,
    zone: ZoneInfo,
    lines: Sequence[LimitLine],
    unit: str,
    name: str,
    injection: bool,
    *,
    inline: bool,
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "start": int(began),
        "end": int(began + span),
        "zone": zone.key,
        "unit": unit,
        "name": name,
        "language": formats.current_language(),
        "injection": injection,
        "limits": [
            {
                "value": line.limit.value,
                "label": line.text,
                "start": line.limit.start and int(line.limit.start.timestamp()),
                "end": line.limit.end and int(line.limit.end.timestamp()),
                "across": float(line.text_x[:-1]) / 100,
                "anchor": line.anchor,
                "under": line.under,
            }
            for line in lines
        ],
        "words": {
            "measured": _("mesuré"),
            "estimated": _("estimé"),
            "corrected": _("corrigé"),
            SUM: _("somme"),
            "none": _("aucune valeur"),
            "from": _("de"),
            "to": _("à"),
        },
    }
    if spans:
        found["days"] = [
            [
                int(span.start.timestamp()),
                int(span.end.timestamp()),
                round(span.low, 3),
                round(span.high, 3),
                round(span.energy, 1),
            ]
            for span in spans
        ]
    elif inline:
        found["segments"] = series_data(curves)
    return found
