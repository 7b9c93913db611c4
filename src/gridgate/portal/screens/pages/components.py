"""The style guide: each component in its states, on invented values. For those who build screens and for the
operator's staff.
"""

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gridgate.portal.kit import icons
from gridgate.portal.kit.charts.bars import Bars, bars
from gridgate.portal.kit.charts.heat_map import HeatMap, heat_map
from gridgate.portal.kit.charts.limits import Limit
from gridgate.portal.kit.charts.load_curve.chart import LoadCurve, load_curve
from gridgate.portal.kit.charts.load_curve.series import Curve
from gridgate.portal.kit.charts.spark import Spark, sparkline
from gridgate.portal.kit.forms import DayField
from gridgate.portal.kit.shapes import Figure, Filter, Step

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 10, 19, tzinfo=PARIS)  # the week in which clocks go back
COLOURS = [
    "accent",
    "ink",
    "soft",
    "edge",
    "paper",
    "surface",
    "sunken",
    "line",
    "good",
    "warn",
    "bad",
    "limit",
    "injection",
]


class SampleForm(forms.Form):
    prm = forms.CharField(label="PRM")
    segment = forms.ChoiceField(choices=[("C5", "C5"), ("C4", "C4")], required=False)
    layout = forms.ChoiceField(choices=[("csv", "CSV"), ("parquet", "Parquet")], widget=forms.RadioSelect)
    day = DayField(required=False)
    agreed = forms.BooleanField(required=False)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["prm"].help_text = _("14 chiffres, sur votre facture")
        for name, label in {
            "segment": _("Segment"),
            "layout": _("Format"),
            "day": _("À partir du"),
            "agreed": _("Me prévenir quand le fichier est prêt"),
        }.items():
            self.fields[name].label = label

    def clean_prm(self) -> str:
        raise forms.ValidationError(_("Il manque un chiffre : 13 saisis sur 14."))


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Open to all where pages are debugged, else to the operator's staff only."""
    membership = getattr(request, "membership", None)
    if not (settings.DEBUG or (membership is not None and membership.organisation.is_operator)):
        raise Http404("for the operator's staff")
    return render(
        request,
        "pages/components.html",
        {
            "colours": COLOURS,
            "icons": sorted(icons.names()),
            "form": SampleForm({"prm": "3000148011223", "layout": "csv"}),
            "figures": [
                Figure(_("Énergie soutirée"), "16 683", "kWh", _("4,1 % de moins que la semaine précédente")),
                Figure(_("Puissance maximale"), "262", "kW", _("mardi 20 à 10:30"), tone="bad"),
                Figure(_("Données reçues"), "95,5", "%", _("321 valeurs sur 338")),
            ],
            "steps": [
                Step(_("Demandée"), "11 mars, 16:40", "done"),
                Step(_("Active"), _("jusqu’au 11 mars 2027"), "current"),
                Step(_("Terminée")),
            ],
            "filters": [Filter("Rhône", "?")],
            "page_obj": Paginator(range(412), 12).get_page(2),
            "yesterday": datetime(2026, 11, 16, 5, 2, tzinfo=UTC),
            "curve": sample_curve(),
            "year": sample_year(),
            "energy": sample_bars(),
            "reads": sample_spark(),
        },
    )


def _power(hour: int, day: int) -> float:
    if day % 7 >= 5 or not 7 <= hour // 2 < 19:
        return 60 + 6 * math.sin(hour + day)
    return 205 + 12 * math.sin(hour * 1.7 + day)


def sample_curve() -> LoadCurve:
    """A week of 169 hours with a gap, an estimated day and a peak above the subscribed power."""
    values: list[float | None] = [round(_power(slot % 48, slot // 48), 1) for slot in range(338)]
    values[67:71] = [238.0, 257.0, 262.0, 255.0]
    values[148:163] = [None] * 15
    quality = [("measured", 148), ("missing", 15), ("measured", 77), ("estimated", 48), ("measured", 50)]
    return load_curve(
        [Curve(MONDAY, 1800, values, quality)],
        start=MONDAY,
        end=MONDAY + timedelta(days=7),
        zone=PARIS,
        limits=[Limit(250.0)],
        name="Lyon Gerland",
        id="sample",
    )


def sample_year() -> HeatMap:
    days = [date(2025, 11, 17) + timedelta(days=index) for index in range(365)]
    hours: list[list[float | None]] = [
        [_power(2 * hour, day.weekday()) for hour in range(24)] for day in days
    ]
    hours[100:105] = [[None] * 24 for _index in range(5)]
    return heat_map(days, hours, maximum=250, unit="kW")


def sample_bars() -> Bars:
    values: list[float | None] = [40.0 if (index + 5) % 7 < 5 else 19.0 for index in range(30)]
    values[11] = None
    values[15] = 47.5
    labels = ["" if index % 7 else str(19 + index if index < 13 else index - 12) for index in range(30)]
    previous = [None if value is None else value * 1.06 for value in values]
    return bars(values, labels=labels, unit="MWh", previous=previous, hot=[15], mark="47,5 MWh")


def sample_spark() -> Spark:
    counts = [42, 40, 38, 37, 12, 11, 41] * 4 + [505, 40]
    return sparkline(counts, label=_("Lectures par jour sur 30 jours : 505 au plus"), hot="max")
