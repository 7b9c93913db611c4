"""Which entries to show: the form, and what the address asks for. Nothing asked means the last 30 days."""

from datetime import date, timedelta

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gridgate.audit.queries.wanted import Wanted
from gridgate.core.identifiers import InvalidIdentifier, parse_metering_point_id
from gridgate.core.quantities import Kind
from gridgate.core.sharing import RefusalReason
from gridgate.core.time import FIRST_DAY, Interval, civil_day_bounds
from gridgate.organisations.handles import handle_of, number_of
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import DayField, LineField
from gridgate.portal.screens.journal import entry_texts
from gridgate.portal.screens.sharing import service_data
from gridgate.portal.screens.sharing.moment import Moment

DAYS = 30
OWN = "vous"
"""What the address says, as `lectures`, for the company's own reads; others' are shown otherwise."""


class JournalFilters(forms.Form):
    """A plain GET form. A value that means nothing is told beside its field, and narrows nothing."""

    lectures = forms.CharField(required=False, widget=forms.HiddenInput)
    qui = forms.CharField(label=gettext_lazy("Qui"), required=False, widget=forms.Select)
    du = DayField(label=gettext_lazy("Du"), required=False)
    au = DayField(label=gettext_lazy("Au"), required=False)
    compteur = LineField(
        label=gettext_lazy("Compteur"),
        required=False,
        max_length=30,
        widget=forms.TextInput(attrs={"placeholder": "PRM", "autocomplete": "off"}),
    )
    donnees = forms.CharField(label=gettext_lazy("Données"), required=False, widget=forms.Select)
    reponse = forms.CharField(label=gettext_lazy("Réponse"), required=False, widget=forms.Select)
    canal = forms.CharField(label=gettext_lazy("Moyen"), required=False, widget=forms.Select)

    def __init__(self, data: QueryDict, *, moment: Moment, company: int) -> None:
        """`company`: who asks. To ask for what it read itself, by `qui`, is to ask for its own reads."""
        self._moment = moment
        filled = data.copy()
        if number_of("company", data.get("qui", "")[:36]) == company:
            filled["lectures"], filled["qui"] = OWN, ""
        if "du" not in data and "au" not in data:
            filled["du"] = (moment.today - timedelta(days=DAYS - 1)).isoformat()
            filled["au"] = moment.today.isoformat()
        super().__init__(filled)
        self.asked = data
        self._choose("donnees", _("Toutes"), [(kind.value, service_data.kind(kind.value)) for kind in Kind])
        outcomes = [("granted", _("Lus seulement")), ("refused", _("Refusés seulement"))]
        self._choose(
            "reponse",
            _("Toutes"),
            outcomes + [(one.value, entry_texts.reason(one)) for one in RefusalReason],
        )
        self._choose("canal", _("Tous"), [])
        self._choose("qui", _("Toutes les autres"), [])
        self.full_clean()
        if self.own:
            del self.fields["qui"]

    def offer(self, *, readers: dict[int, str], channels: list[str]) -> None:
        """Fill the lists with what is in the period; what the address asks for stays in them."""
        reader, channel = self.wanted.reader, self.wanted.channel
        if reader and reader not in readers:
            readers = {**readers, reader: _("Une autre entreprise")}
        if channel and channel not in channels:
            channels = [*channels, channel]
        named = [(handle_of("company", key), name) for key, name in readers.items()]
        if not self.own:
            self._choose("qui", _("Toutes les autres"), named)
        self._choose("canal", _("Tous"), [(code, entry_texts.channel(code)) for code in channels])

    @property
    def period(self) -> Interval | None:
        """From the first day to the last, both included; without bounds where a field is empty."""
        first, last = self.first, self.last
        if first is None and last is None:
            return None
        start = civil_day_bounds(first or FIRST_DAY, self._moment.zone).start
        return Interval(start, self._moment.end_of(last) if last else None)

    @property
    def first(self) -> date | None:
        return self._day("du")

    @property
    def last(self) -> date | None:
        return self._day("au")

    @property
    def wanted(self) -> Wanted:
        return Wanted(
            first=self.first,
            last=self.last,
            reader=None if self.own else number_of("company", self._text("qui", 36)),
            metering_point=self._text("compteur"),
            kind=self._text("donnees"),
            outcome=self._text("reponse"),
            channel=self._text("canal"),
            own=self.own,
        )

    @property
    def own(self) -> bool:
        return self._text("lectures") == OWN

    def labels(self) -> dict[str, str]:
        """How each filter in force reads on its tag."""
        labels: dict[str, str] = {}
        for name in ("qui", "compteur", "donnees", "reponse", "canal"):
            value = self.asked.get(name, "")
            if name not in self.fields:
                continue
            widget = self.fields[name].widget
            shown = dict(widget.choices).get(value, value) if isinstance(widget, forms.Select) else value
            if value:
                labels[name] = str(shown)
        if self.first and self.asked.get("du"):
            labels["du"] = _("Depuis le %(day)s") % {"day": formats.long_day(self.first)}
        if self.last and self.asked.get("au"):
            labels["au"] = _("Jusqu’au %(day)s") % {"day": formats.long_day(self.last)}
        return labels

    def clean_compteur(self) -> str:
        text = self.cleaned_data["compteur"]
        if not text:
            return ""
        try:
            return parse_metering_point_id(text)
        except InvalidIdentifier:
            digits = sum(1 for char in text if char.isdigit())
            raise forms.ValidationError(
                ngettext(
                    "Un PRM a 14 chiffres, %(count)s saisi.",
                    "Un PRM a 14 chiffres, %(count)s saisis.",
                    digits,
                )
                % {"count": digits}
            ) from None

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, object] = super().clean() or {}
        first, last = cleaned.get("du"), cleaned.get("au")
        if isinstance(first, date) and isinstance(last, date) and last < first:
            self.add_error("au", _("La fin est avant le début."))
            cleaned.pop("au", None)
        return cleaned

    def _day(self, name: str) -> date | None:
        day = self.cleaned_data.get(name)
        return day if isinstance(day, date) else None

    def _text(self, name: str, most: int = 30) -> str:
        return str(self.cleaned_data.get(name, ""))[:most]

    def _choose(self, name: str, everything: str, choices: list[tuple[str, str]]) -> None:
        widget = self.fields[name].widget
        assert isinstance(widget, forms.Select)
        widget.choices = [("", everything), *choices]
