"""From when until when a right or a place in a group holds, in days: said, and asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.core.roles import ALWAYS, Term
from gridgate.core.time import civil_day_bounds, civil_day_of
from gridgate.organisations.catalogue import CatalogueEntry
from gridgate.organisations.models import Membership
from gridgate.organisations.queries import Reserved
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import DayField


def last_day(ends: datetime) -> str:
    """The last day of what ends at that instant."""
    return formats.day(_last(ends))


def said(term: Term, now: datetime) -> str:
    """What of the dates still matters; empty when nothing does."""
    if term.ends is not None and term.is_over(now):
        return _("fini le %(day)s") % {"day": last_day(term.ends)}
    if term.begins is not None and not term.has_begun(now):
        first = formats.day(term.begins)
        if term.ends is None:
            return _("dès le %(day)s") % {"day": first}
        return _("du %(first)s au %(last)s inclus") % {"first": first, "last": last_day(term.ends)}
    return until(term.ends)


def until(ends: datetime | None) -> str:
    return "" if ends is None else _("jusqu’au %(day)s inclus") % {"day": last_day(ends)}


def place_said(place: Term, leaves: datetime | None, now: datetime) -> str:
    """`said`, of a member's place in a group. The shorter date rules: of a place that would last beyond the member's last
    day, which `leaves` ends, that day is said, and that it is theirs.
    """
    if leaves is None or place.is_over(now) or (place.ends is not None and place.ends <= leaves):
        return said(place, now)
    if not place.has_begun(leaves):
        return _("%(dates)s, après le dernier jour de la personne") % {"dates": said(place, now)}
    dates = said(Term(place.begins, leaves), now)
    return _("%(dates)s, dernier jour de la personne") % {"dates": dates}


def shortened(members: Iterable[Membership], place: Term) -> str:
    """Whose place of these dates their own last day shortens, or leaves without a day; empty when nobody's."""
    shorter: list[str] = []
    never: list[str] = []
    for member in members:
        if member.until is None or (place.ends is not None and place.ends <= member.until):
            continue
        name = f"{member.user} ({last_day(member.until)})"
        (shorter if place.has_begun(member.until) else never).append(name)
    texts = []
    if shorter:
        texts.append(
            _("Finit avant, au dernier jour de la personne : %(names)s.") % {"names": ", ".join(shorter)}
        )
    if never:
        texts.append(
            _("Sans effet, après le dernier jour de la personne : %(names)s.") % {"names": ", ".join(never)}
        )
    return " ".join(texts)


@dataclass(frozen=True, slots=True)
class WhoHas:
    """Who has a service: so many groups, everybody (`open`) or nobody, and the day on which that ends or began."""

    groups: int
    open: bool
    over: bool
    dates: str


def who_has(entry: CatalogueEntry, reserved: Reserved, now: datetime) -> WhoHas:
    """What ran out stays reserved, to nobody; what is to begin is as it was until then."""
    over = not reserved.groups and reserved.ended is not None
    opens = entry.rule.open and not reserved.groups and not over
    dates = []
    if over:
        dates.append(said(Term(ends=reserved.ended), now))
    if reserved.begins is not None and not reserved.groups:
        dates.append(until(reserved.begins) if opens else said(Term(reserved.begins), now))
    return WhoHas(reserved.groups, opens, over, ", ".join(dates))


def _last(ends: datetime) -> date:
    return formats.civil_day(ends - timedelta(microseconds=1))


class TermForm(forms.Form):
    """The first and the last day, both counted, either of which may be left open. `was`: the dates so far, which may be
    past and stay so.
    """

    first = DayField(
        label=gettext_lazy("À partir du"), required=False, help_text=gettext_lazy("Vide : dès maintenant.")
    )
    last = DayField(
        label=gettext_lazy("Jusqu’au (inclus)"), required=False, help_text=gettext_lazy("Vide : sans fin.")
    )

    def __init__(self, data: Any = None, *, was: Term = ALWAYS, now: datetime) -> None:
        self.was, self._today = was, civil_day_of(now, get_default_timezone())
        begins = None if was.begins is None else formats.civil_day(was.begins)
        ends = None if was.ends is None else _last(was.ends)
        super().__init__(data, initial={"first": begins, "last": ends})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and first != self.initial["first"] and first < self._today:
            self.add_error("first", _("Ce jour est passé. Laissez vide pour commencer dès maintenant."))
        if first and last and last < first:
            self.add_error("last", _("Le dernier jour vient avant le premier."))
        elif last and last != self.initial["last"] and last < self._today:
            self.add_error("last", _("Ce jour est passé. Choisissez un jour à venir."))
        return cleaned

    @property
    def has_dates(self) -> bool:
        return self.is_bound and self.is_valid() and self.term != ALWAYS

    @property
    def term(self) -> Term:
        """What was typed, from the beginning of the first day to the end of the last. Of a form that is valid."""
        zone = get_default_timezone()
        first, last = self.cleaned_data["first"], self.cleaned_data["last"]
        begins = civil_day_bounds(first, zone).start if first else None
        ends = civil_day_bounds(last, zone).end if last else None
        return Term(begins, ends)
