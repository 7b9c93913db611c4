"""The operator's register of points: find one among all, and who holds it, held it and collects it."""

from typing import Any

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from gridgate.core.time import day_before
from gridgate.metering.models import LoadCurveCollection, MeteringPoint, PointVersion, TitleHolding, called
from gridgate.metering.operator_queries import (
    RegisterFilter,
    collections_of_point,
    holdings_of_point,
    point_of_register,
    points_of_register,
    versions_of_point,
)
from gridgate.portal.guards.access import MemberRequest, operator_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import LineField
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.shapes import filters_in_force
from gridgate.portal.screens.metering_points.rows import collection, directions, power
from gridgate.portal.screens.operator import title_states
from gridgate.portal.screens.sharing.moment import Moment

_HELD: list[tuple[str, Any]] = [
    ("", gettext_lazy("Tous")),
    ("avec", gettext_lazy("Avec titulaire")),
    ("sans", gettext_lazy("Sans titulaire")),
]
_SEGMENTS: list[tuple[str, Any]] = [
    ("", gettext_lazy("Tous")),
    *((code, code) for code in MeteringPoint.Segment.values),
]


class RegisterFilterForm(forms.Form):
    """Values that make no sense are as if they were not there: an address may come from anywhere."""

    q = LineField(
        label=gettext_lazy("Rechercher"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": gettext_lazy("PRM, site, adresse ou code postal")}
        ),
    )
    titulaire = LineField(
        label=gettext_lazy("Titulaire"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("nom ou SIREN")}),
    )
    segment = forms.ChoiceField(label=gettext_lazy("Segment"), choices=_SEGMENTS, required=False)
    tenu = forms.ChoiceField(label=gettext_lazy("Aujourd’hui"), choices=_HELD, required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.is_valid()

    @property
    def wanted(self) -> RegisterFilter:
        cleaned = self.cleaned_data
        return RegisterFilter(
            text=cleaned.get("q", ""),
            holder=cleaned.get("titulaire", ""),
            segment=cleaned.get("segment", ""),
            held={"avec": True, "sans": False}.get(cleaned.get("tenu", "")),
        )

    def labels(self) -> dict[str, str]:
        """How each filter in force reads on its tag."""
        cleaned = self.cleaned_data
        labels = {
            "q": _("« %(text)s »") % {"text": cleaned["q"]} if cleaned.get("q") else "",
            "titulaire": formats.said(_("Titulaire"), cleaned["titulaire"])
            if cleaned.get("titulaire")
            else "",
            "segment": cleaned.get("segment", ""),
            "tenu": str(dict(_HELD)[cleaned["tenu"]]) if cleaned.get("tenu") else "",
        }
        return {name: label for name, label in labels.items() if label}


@require_safe
@operator_required
def index(request: MemberRequest) -> HttpResponse:
    """One page of the register."""
    actor, today = request.membership, Moment.present().today
    form = RegisterFilterForm(request.GET)
    page = page_of(request, points_of_register(actor=actor, wanted=form.wanted, today=today))
    context = {
        "form": form,
        "filters": filters_in_force(request, form.labels()),
        "total": points_of_register(actor=actor, today=today).count(),
        "page_obj": page,
        "rows": [_line(point) for point in page],
    }
    return render(request, "operator/points.html", context)


@require_safe
@operator_required
def page(request: MemberRequest, point_id: str) -> HttpResponse:
    """One point: what it is, its titles in time, the collection of its curve."""
    actor, moment = request.membership, Moment.present()
    point = point_of_register(actor=actor, point_id=point_id, today=moment.today)
    titles = list(holdings_of_point(actor=actor, point=point))
    context = {
        "point": point,
        "name": str(point),
        "directions": directions(point.directions),
        "power": power(point.subscribed_power_kva),
        "titles": [_title(one, moment) for one in titles],
        "versions": [_version(one) for one in versions_of_point(actor=actor, point=point)[:20]],
        "present": next((one for one in titles if _holds(one, moment)), None),
        "collections": [_collection(one) for one in collections_of_point(actor=actor, point=point)[:20]],
    }
    return render(request, "operator/point.html", context)


def _line(point: MeteringPoint) -> dict[str, Any]:
    annotated = vars(point)
    return {
        "id": point.pk,
        "name": str(point),
        "number": "" if str(point) == point.pk else point.pk,
        "place": " ".join(filter(None, (point.postcode, point.city))),
        "segment": point.segment,
        "power": power(point.subscribed_power_kva),
        "holder": annotated["holder_name"],
        "siren": annotated["holder_siren"],
        "since": annotated["holder_since"],
    }


def _version(version: PointVersion) -> dict[str, Any]:
    return {
        "since": version.valid_from,
        "last_day": day_before(version.valid_to),
        "name": called(version.label, version.address, formats.NONE),
        "place": " ".join(filter(None, (version.postcode, version.city))),
        "segment": version.segment,
        "directions": directions(version.directions),
        "power": power(version.subscribed_power_kva),
    }


def _title(title: TitleHolding, moment: Moment) -> dict[str, Any]:
    return {
        "pk": title.pk,
        "holder": title.holder,
        "valid_from": title.valid_from,
        "last_day": day_before(title.valid_to),
        "tag": title_states.title_state(title.valid_from, title.valid_to, moment.today),
        "can_end": title.valid_to is None or title.valid_to > moment.today,
    }


def _holds(title: TitleHolding, moment: Moment) -> bool:
    return title.valid_from <= moment.today and (title.valid_to is None or moment.today < title.valid_to)


def _collection(collected: LoadCurveCollection) -> dict[str, Any]:
    by = collected.changed_by
    return {
        "state": collection(collected.state),
        "since": collected.since,
        "until": collected.until,
        "by": by.full_name if by is not None else _("le gestionnaire de réseau"),
    }
