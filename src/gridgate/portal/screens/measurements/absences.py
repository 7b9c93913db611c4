"""Why values of the period are not there: one sentence a cause, from the cause, and nothing that is not known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from gridgate.core.quantities import Kind
from gridgate.core.time import Interval, Resolution, days_between
from gridgate.dataplane.query.aggregate import Total, usual_step
from gridgate.dataplane.query.answer import Answer, Missing, Segment
from gridgate.dataplane.query.set_aside import SET_ASIDE
from gridgate.portal.screens.measurements.aside import only_opposed, set_aside_in_words
from gridgate.portal.screens.measurements.sentences import gap_in_words

NOT_ITS_OWN = frozenset({"before_title", "between_titles", "after_title"})
_NOT_EXPECTED = NOT_ITS_OWN | {"before_activation"}
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
    """What of the period has no value and why: the longest, in the order of time. Values are expected up to `until`.

    Of readings of a register nobody knows on which days they are due: only those that came are told.
    """
    why = {} if answer.kind is Kind.REGISTER_READING else _why()
    cut = [
        Missing(
            max(gap.start, start), min(gap.end, until if gap.reason == "not_received" else end), gap.reason
        )
        for gap in answer.missing
        if gap.reason in why or gap.reason == SET_ASIDE
    ]
    told = [gap for gap in cut if gap.start < gap.end]
    longest = sorted(told, key=lambda gap: gap.start - gap.end)[:_MOST]
    return [
        _set_aside(gap, answer, zone)
        if gap.reason == SET_ASIDE
        else Absence(
            gap_in_words(gap, zone), why[gap.reason], "warn" if gap.reason == "not_received" else "info"
        )
        for gap in sorted(longest, key=lambda gap: gap.start)
    ]


def _set_aside(gap: Missing, answer: Answer, zone: ZoneInfo) -> Absence:
    days = set(days_between(gap.start, gap.end, zone))
    start, end = gap.start.timestamp(), gap.end.timestamp()
    found = [
        one
        for one in answer.set_aside
        if one.day in days and (one.span is None or (one.span[0] < end and start < one.span[1]))
    ]
    opposed = only_opposed(found)
    return Absence(
        gap_in_words(gap, zone), set_aside_in_words(found), "info" if opposed else "warn", ask=not opposed
    )


def why_nothing(answer: Answer, start: datetime, end: datetime) -> str:
    """One sentence for a period without a value; where its days have several causes, they are told day by day."""
    reasons = _reasons(answer, start, end)
    if reasons == {"future"}:
        return _("Ces jours sont à venir.")
    if told_by_day(answer, start, end):
        return _("Ce qui en est connu est dit ci-dessous.")
    if "collection_inactive" in reasons:
        return _(
            "Aucune collecte de la courbe de charge n’est enregistrée ici pour ces jours. Elle peut être demandée pour "
            "les jours à venir."
        )
    for reason in ("before_activation", "before_title", "between_titles", "after_title"):
        if reason in reasons and "not_received" not in reasons:
            return _why()[reason]
    return _("Aucune valeur n’a été reçue pour ces jours.")


def told_by_day(answer: Answer, start: datetime, end: datetime) -> bool:
    """Whether the days of a period without a value have causes that no sentence tells for all of them."""
    reasons = _reasons(answer, start, end)
    return SET_ASIDE in reasons or reasons >= {"not_received", "collection_inactive"}


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
        "not_received": _("Aucune valeur n’a été reçue. Si elles arrivent, elles apparaîtront ici."),
        "collection_inactive": _(
            "Aucune collecte de la courbe de charge n’est enregistrée ici pour ces jours."
        ),
        "before_activation": _("Le point n’était pas encore en service."),
        **dict.fromkeys(NOT_ITS_OWN, not_yours),
    }
