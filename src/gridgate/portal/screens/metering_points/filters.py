"""The filters above a list of metering points, as the address holds them."""

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.core.quantities import FlowDirection
from gridgate.metering.models import LoadCurveCollection, MeteringPoint
from gridgate.metering.queries.collections import NEVER
from gridgate.metering.queries.lists import PointFilter
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import LineField
from gridgate.portal.kit.shapes import Filter, filters_in_force

PARAMETERS = ("q", "segment", "sens", "courbe", "commune", "kva_min", "kva_max", "titre")

_ALL = ("", gettext_lazy("Tous"))
_ANY = ("", gettext_lazy("Toutes"))
_SEGMENTS = [
    _ALL,
    (gettext_lazy("Soutirage"), [(code, code) for code in MeteringPoint.Segment.values if code[0] == "C"]),
    (gettext_lazy("Injection"), [(code, code) for code in MeteringPoint.Segment.values if code[0] == "P"]),
]
_DIRECTIONS = [
    _ALL,
    (FlowDirection.WITHDRAWAL.value, gettext_lazy("Soutirage")),
    (FlowDirection.INJECTION.value, gettext_lazy("Injection")),
]
_STATES = [
    _ANY,
    (LoadCurveCollection.State.ACTIVE.value, gettext_lazy("Active")),
    (LoadCurveCollection.State.REQUESTED.value, gettext_lazy("Demandée")),
    (LoadCurveCollection.State.ENDED.value, gettext_lazy("Terminée")),
    (LoadCurveCollection.State.OPPOSED.value, gettext_lazy("Opposée")),
    (NEVER, gettext_lazy("Inactive")),
]
_TITLES = [
    _ALL,
    ("present", gettext_lazy("Vous en êtes titulaire")),
    ("past", gettext_lazy("Vous ne l’êtes plus")),
]

# As many digits as a power has: 1e999999999 would be counted out for hours.
_KVA: dict[str, Any] = {"min_value": 0, "max_digits": 9, "decimal_places": 2, "localize": True}


class PointFilterForm(forms.Form):
    """Values that make no sense are as if they were not there: an address may come from anywhere."""

    q = LineField(
        label=gettext_lazy("Rechercher"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": gettext_lazy("PRM, site, adresse ou code postal")}
        ),
    )
    segment = forms.ChoiceField(label=gettext_lazy("Segment"), choices=_SEGMENTS, required=False)
    sens = forms.ChoiceField(label=gettext_lazy("Sens"), choices=_DIRECTIONS, required=False)
    courbe = forms.ChoiceField(label=gettext_lazy("Courbe de charge"), choices=_STATES, required=False)
    commune = forms.ChoiceField(label=gettext_lazy("Commune"), required=False)
    kva_min = forms.DecimalField(label=gettext_lazy("Puissance, de (kVA)"), required=False, **_KVA)
    kva_max = forms.DecimalField(label=gettext_lazy("à (kVA)"), required=False, **_KVA)
    titre = forms.ChoiceField(label=gettext_lazy("Titularité"), choices=_TITLES, required=False)

    def __init__(self, data: QueryDict, *, cities: list[str]) -> None:
        super().__init__(data)
        commune = self.fields["commune"]
        assert isinstance(commune, forms.ChoiceField)
        commune.choices = [_ANY, *((city, city) for city in cities)]
        self.is_valid()

    @property
    def wanted(self) -> PointFilter:
        cleaned = self.cleaned_data
        return PointFilter(
            text=cleaned.get("q", ""),
            segment=cleaned.get("segment", ""),
            direction=FlowDirection(cleaned["sens"]) if cleaned.get("sens") else None,
            city=cleaned.get("commune", ""),
            power_from=cleaned.get("kva_min"),
            power_to=cleaned.get("kva_max"),
            collection=cleaned.get("courbe", ""),
            held={"present": True, "past": False}.get(cleaned.get("titre", "")),
        )

    def in_force(self, request: HttpRequest) -> list[Filter]:
        """The tags that take one filter away each."""
        return filters_in_force(request, {name: label for name in PARAMETERS if (label := self._says(name))})

    @property
    def more_in_force(self) -> bool:
        """True when one of the filters that are folded away is in force."""
        return any(self.cleaned_data.get(name) for name in ("commune", "kva_min", "kva_max", "titre"))

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the form carries on without showing it: order and page length."""
        return [(name, self.data[name]) for name in ("tri", "par_page") if self.data.get(name)]

    @property
    def carried(self) -> list[tuple[str, str]]:
        """The filters in force as plain values, for a form that acts on everything they let through."""
        return [(name, self.data[name]) for name in PARAMETERS if self._says(name)]

    def _says(self, name: str) -> str:
        value: Any = self.cleaned_data.get(name)
        if value in ("", None):
            return ""
        match name:
            case "q" | "commune":
                return str(value)
            case "kva_min":
                return _("à partir de %(power)s") % {"power": _kva(value)}
            case "kva_max":
                return _("jusqu’à %(power)s") % {"power": _kva(value)}
            case "courbe":
                return formats.said(_("Courbe"), _lower(dict(_STATES)[value]))
        chosen = {"sens": _DIRECTIONS, "titre": _TITLES}.get(name)
        return str(dict(chosen)[value]) if chosen else str(value)


def _kva(power: Decimal) -> str:
    return formats.with_unit(power, "kVA", 0 if power == int(power) else 2)


def _lower(label: object) -> str:
    text = str(label)
    return text[:1].lower() + text[1:]
