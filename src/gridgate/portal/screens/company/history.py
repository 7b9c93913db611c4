"""*Historique des droits*: who changed what, when, for whom, from what to what."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gridgate.audit.history import Wanted, events_of, people_in, search
from gridgate.audit.models import AuditEvent
from gridgate.core.time import Interval, civil_day_bounds, civil_day_of
from gridgate.organisations.handles import handle_of, number_of
from gridgate.portal.guards.access import MemberRequest, administrator_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import DayField
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.shapes import filters_in_force
from gridgate.portal.kit.spreadsheet import table_response
from gridgate.portal.screens.company import history_details, history_sentences
from gridgate.portal.screens.company.events import event_rows
from gridgate.portal.screens.company.history_sentences import FAMILIES
from gridgate.portal.shell.time_zone import readers_zone
from gridgate.tables.out import Instant

_EARLIEST = date(2012, 1, 1)
"""Before every event, and since then every zone has every day: the last to skip one did so in 2011."""


class HistoryFilterForm(forms.Form):
    """A value that means nothing narrows nothing; an end before the beginning is told.

    Days are those of `zone`, in which the lines tell their times.
    """

    quoi = forms.ChoiceField(label=gettext_lazy("Quoi"), required=False)
    qui = forms.ChoiceField(label=gettext_lazy("Par qui"), required=False)
    du = DayField(label=gettext_lazy("Du"), required=False)
    au = DayField(label=gettext_lazy("Au"), required=False)

    def __init__(self, data: QueryDict, *, people: list[tuple[int, str, str]], zone: ZoneInfo) -> None:
        super().__init__(data)
        self._zone = zone
        families = [(key, str(label)) for key, (label, _families) in FAMILIES.items()]
        self._people = {
            handle_of("user", number): name or history_sentences.nobody() for number, name, _company in people
        }
        for name, choices in (("quoi", families), ("qui", list(self._people.items()))):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", _("Tout") if name == "quoi" else _("Tous")), *choices]
        self.is_valid()

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, object] = super().clean() or {}
        first, last = cleaned.get("du"), cleaned.get("au")
        if isinstance(first, date) and isinstance(last, date) and last < first:
            self.add_error("au", _("La fin est avant le début."))
            cleaned.pop("au", None)
        return cleaned

    @property
    def wanted(self) -> Wanted:
        family, user = self.cleaned_data.get("quoi"), self.cleaned_data.get("qui")
        return Wanted(
            period=self._period,
            families=FAMILIES[family][1] if family else (),
            user=number_of("user", user) if user else None,
        )

    @property
    def _period(self) -> Interval | None:
        first, last = self.cleaned_data.get("du"), self.cleaned_data.get("au")
        if first is None and last is None:
            return None
        start = self._bounds(first or _EARLIEST).start
        return Interval(start, self._bounds(last).end if last else None)

    def _bounds(self, day: date) -> Interval:
        return civil_day_bounds(max(day, _EARLIEST), self._zone)

    def labels(self) -> dict[str, str]:
        """How each filter in force reads on its tag."""
        cleaned = self.cleaned_data
        labels = {}
        if cleaned.get("quoi"):
            labels["quoi"] = str(FAMILIES[cleaned["quoi"]][0])
        if cleaned.get("qui"):
            labels["qui"] = self._people[cleaned["qui"]]
        if cleaned.get("du"):
            labels["du"] = _("Depuis le %(day)s") % {"day": formats.long_day(cleaned["du"])}
        if cleaned.get("au"):
            labels["au"] = _("Jusqu’au %(day)s") % {"day": formats.long_day(cleaned["au"])}
        return labels


@require_safe
@administrator_required
def page(request: MemberRequest) -> HttpResponse:
    """One page of the events, the latest first."""
    actor = request.membership
    form = HistoryFilterForm(request.GET, people=people_in(actor=actor), zone=readers_zone(request))
    events = page_of(request, search(actor=actor, wanted=form.wanted))
    context = {
        "form": form,
        "filters": filters_in_force(request, form.labels()),
        "total": events_of(actor=actor).count(),
        "page_obj": events,
        "rows": event_rows(events),
        "query": request.GET.urlencode(),
    }
    return render(request, "company/history.html", context)


@require_safe
@administrator_required
def export(request: MemberRequest) -> HttpResponseBase:
    """The same events at the same times, all of them, with whole lists, as a file written while it is read."""
    actor, zone = request.membership, readers_zone(request)
    form = HistoryFilterForm(request.GET, people=people_in(actor=actor), zone=zone)
    events = search(actor=actor, wanted=form.wanted)
    header = [
        _("Quand (%(zone)s)") % {"zone": zone.key},
        _("Par qui"),
        _("Agissant pour"),
        _("Ce qui a changé"),
        _("Objet"),
        _("Avant"),
        _("Après"),
        _("Code de l’action"),
        _("Empreinte"),
    ]
    name = f"historique-{actor.organisation.siren}-{civil_day_of(timezone.now(), zone)}.csv"
    return table_response(
        request, name, header, _lines(events, zone, get_language() or "fr"), sheet=_("Historique des droits")
    )


def _lines(events: QuerySet[AuditEvent], zone: ZoneInfo, language: str) -> Iterator[list[object]]:
    """One line an event. The request is over when they are written: the language is set again for each."""
    for event in events.iterator(chunk_size=500):
        with override(language):
            details = history_details.details(event, most=None)
            yield [
                Instant.of(event.at.astimezone(zone), "seconds"),
                history_sentences.who(event),
                event.acting_for_name,
                history_sentences.sentence(event),
                event.subject_label,
                " | ".join(formats.said(one.name, one.was) for one in details if one.was),
                " | ".join(formats.said(one.name, one.became) for one in details if one.became),
                event.action,
                event.hash,
            ]
