"""Why values of the period are not there: one sentence a cause, from the cause, and nothing that is not known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.core.quantities import Kind
from gridgate.core.sharing import MissingReason
from gridgate.core.time import Interval, Resolution, civil_day_bounds, days_between
from gridgate.dataplane.client import SetAside
from gridgate.dataplane.query.aggregate import Total, usual_step
from gridgate.dataplane.query.answer import Answer, Missing, Segment
from gridgate.portal.kit import formats
from gridgate.portal.screens.measurements.aside import only_opposed, set_aside_in_words
from gridgate.portal.screens.measurements.sentences import gap_in_words

NOT_ITS_OWN = frozenset({MissingReason.BEFORE_TITLE, MissingReason.BETWEEN_TITLES, MissingReason.AFTER_TITLE})
_NOT_EXPECTED = NOT_ITS_OWN | {MissingReason.BEFORE_ACTIVATION}
_MOST = 5


@dataclass(frozen=True, slots=True)
class Absence:
    """When, why, and how grave it is."""

    when: str
    why: str
    tone: str
    ask: bool = False
    """Whether the operator is to be asked."""


def absences(
    answer: Answer, start: datetime, end: datetime, until: datetime, zone: ZoneInfo
) -> list[Absence]:
    """What of the period has no value and why, in the order of time: that of which values were set aside and then the
    longest; how many more there are comes last. Values are expected up to `until`.

    Of readings of a register nobody knows on which days they are due: only those that came are told.
    """
    why = {} if answer.kind is Kind.REGISTER_READING else _why()
    cut = [
        Missing(
            max(gap.start, start),
            min(gap.end, until if gap.reason == MissingReason.NOT_RECEIVED else end),
            gap.reason,
        )
        for gap in answer.missing
        if gap.reason in why or gap.reason == MissingReason.SET_ASIDE
    ]
    told = [gap for gap in cut if gap.start < gap.end]
    places = [_of_gap(gap, answer, why, zone) for gap in told]
    places += _of_days([gap for gap in told if gap.reason == MissingReason.SET_ASIDE], answer, zone)
    places.sort(key=lambda one: (not one.set_aside, one.start - one.end))
    shown, others = places[:_MOST], [one for one in places[_MOST:] if not one.of_day]
    shown.sort(key=lambda one: (one.start, not one.of_day))
    return [one.absence for one in shown] + ([_others(others, zone)] if others else [])


@dataclass(frozen=True, slots=True)
class _Found:
    """One absence, where it lies. `of_day`: told of a day, whose hours without a value are told by themselves."""

    start: datetime
    end: datetime
    absence: Absence
    set_aside: bool = False
    of_day: bool = False


def _of_gap(gap: Missing, answer: Answer, why: Mapping[str, str], zone: ZoneInfo) -> _Found:
    when = gap_in_words(gap, zone)
    if gap.reason != MissingReason.SET_ASIDE:
        tone = "warn" if gap.reason in (MissingReason.NOT_RECEIVED, MissingReason.INCOMPLETE) else "info"
        return _Found(gap.start, gap.end, Absence(when, why[gap.reason], tone))
    days = set(days_between(gap.start, gap.end, zone))
    start, end = gap.start.timestamp(), gap.end.timestamp()
    values = [
        value
        for value in answer.set_aside
        if value.day in days
        and (
            _is_whole(value.day, gap, answer, zone)
            if value.span is None
            else value.span[0] < end and start < value.span[1]
        )
    ]
    if values:
        return _Found(gap.start, gap.end, _set_aside(when, values), set_aside=True)
    return _Found(gap.start, gap.end, Absence(when, _("Aucune valeur n’est connue pour ces heures."), "warn"))


def _of_days(gaps: Sequence[Missing], answer: Answer, zone: ZoneInfo) -> list[_Found]:
    """Values whose time nobody knows, of days of which some hours lack: which hours they would be of is not known, so
    they are told once, of the day.
    """
    values: dict[date, list[SetAside]] = {}
    for day in {day for gap in gaps for day in days_between(gap.start, gap.end, zone)}:
        if not any(_is_whole(day, gap, answer, zone) for gap in gaps):
            timeless = [one for one in answer.set_aside if one.day == day and one.span is None]
            if timeless:
                values[day] = timeless
    places = []
    for day, of_day in values.items():
        start, end = _bounds(day, zone)
        when = formats.week_day(day)
        told = _set_aside(when[0].upper() + when[1:], of_day)
        places.append(_Found(start, end, told, set_aside=True, of_day=True))
    return places


def _is_whole(day: date, gap: Missing, answer: Answer, zone: ZoneInfo) -> bool:
    """Whether nothing at all is there of the day; a value that is of a whole day leaves no part of it."""
    start, end = _bounds(day, zone)
    if answer.kind is not Kind.LOAD_CURVE:
        return gap.start < end and start < gap.end
    return gap.start <= start and end <= gap.end


def _bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    bounds = civil_day_bounds(day, zone)
    assert bounds.end is not None
    return bounds.start, bounds.end


def _set_aside(when: str, values: Sequence[SetAside]) -> Absence:
    opposed = only_opposed(values)
    return Absence(when, set_aside_in_words(values), "info" if opposed else "warn", ask=not opposed)


def _others(others: Sequence[_Found], zone: ZoneInfo) -> Absence:
    """How many more there are, and how long they are together."""
    count = len(others)
    when = ngettext(
        "Et %(count)s\u00a0autre période sans valeur", "Et %(count)s\u00a0autres périodes sans valeur", count
    ) % {"count": formats.number(count)}
    days = [day for one in others for day in days_between(one.start, one.end, zone)]
    if sum((end - start for start, end in (_bounds(day, zone) for day in days)), timedelta()) == sum(
        (one.end - one.start for one in others), timedelta()
    ):
        length = ngettext("%(count)s\u00a0jour", "%(count)s\u00a0jours", len(days)) % {
            "count": formats.number(len(days))
        }
    else:
        length = formats.duration(sum((one.end - one.start).total_seconds() for one in others))
    why = ngettext("Elle dure %(length)s.", "Elles durent en tout %(length)s.", count) % {"length": length}
    return Absence(when, why, "warn" if any(one.absence.tone == "warn" for one in others) else "info")


def why_nothing(answer: Answer, start: datetime, end: datetime) -> str:
    """One sentence for a period without a value; where its days have several causes, they are told day by day."""
    reasons = _reasons(answer, start, end)
    if reasons == {MissingReason.FUTURE}:
        return _("Ces jours sont à venir.")
    if told_by_day(answer, start, end):
        return _("Ce qui en est connu est dit ci-dessous.")
    if MissingReason.COLLECTION_INACTIVE in reasons:
        return _(
            "Aucune collecte de la courbe de charge n’est enregistrée ici pour ces jours. Elle peut être demandée pour "
            "les jours à venir."
        )
    for reason in (
        MissingReason.BEFORE_ACTIVATION,
        MissingReason.BEFORE_TITLE,
        MissingReason.BETWEEN_TITLES,
        MissingReason.AFTER_TITLE,
    ):
        if reason in reasons and MissingReason.NOT_RECEIVED not in reasons:
            return _why()[reason]
    return _("Aucune valeur n’a été reçue pour ces jours.")


def told_by_day(answer: Answer, start: datetime, end: datetime) -> bool:
    """Whether the days of a period without a value have causes that no sentence tells for all of them."""
    reasons = _reasons(answer, start, end)
    return bool(reasons & {MissingReason.SET_ASIDE, MissingReason.INCOMPLETE}) or reasons >= {
        MissingReason.NOT_RECEIVED,
        MissingReason.COLLECTION_INACTIVE,
    }


def not_expected(answer: Answer) -> list[Interval]:
    """Days of another holder, and those before the point was in service: nothing is missing from them."""
    return [Interval(gap.start, gap.end) for gap in answer.missing if gap.reason in _NOT_EXPECTED]


def only_expected(
    rows: Sequence[Total],
    outside: Sequence[Interval],
    segments: Sequence[Segment],
    kind: Kind,
    zone: ZoneInfo,
) -> list[Total]:
    """The rows without what they count as missing of days of which nothing was to be expected."""
    if not outside:
        return list(rows)
    step = usual_step(segments, kind)
    return [
        replace(
            row, missing=max(0, row.missing - sum(_steps(row.interval, one, step, zone) for one in outside))
        )
        for row in rows
    ]


def _reasons(answer: Answer, start: datetime, end: datetime) -> set[str]:
    return {gap.reason for gap in answer.missing if gap.start < end and start < gap.end}


def _steps(row: Interval, outside: Interval, step: Resolution, zone: ZoneInfo) -> int:
    shared = row.intersect(outside)
    if shared is None or shared.end is None:
        return 0
    if step is Resolution.P1D:
        return len(days_between(shared.start, shared.end, zone))
    return int((shared.end - shared.start).total_seconds()) // step.seconds


def _why() -> dict[str, str]:
    not_yours = _("Ces jours ne font pas partie de votre titularité.")
    return {
        MissingReason.NOT_RECEIVED: _(
            "Aucune valeur n’a été reçue. Si elles arrivent, elles apparaîtront ici."
        ),
        MissingReason.INCOMPLETE: _(
            "La courbe de charge est incomplète\u00a0: l’énergie ne peut pas en être calculée. Si les valeurs qui "
            "manquent arrivent, elle apparaîtra ici."
        ),
        MissingReason.COLLECTION_INACTIVE: _(
            "Aucune collecte de la courbe de charge n’est enregistrée ici pour ces jours."
        ),
        MissingReason.BEFORE_ACTIVATION: _("Le point n’était pas encore en service."),
        **dict.fromkeys(NOT_ITS_OWN, not_yours),
    }
