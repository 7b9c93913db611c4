"""Ending a company's title on a point, or beginning one: the page says first what it does to permissions."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.time import day_before
from gridgate.metering.models import TitleHolding
from gridgate.metering.operations.titles import close_holding, move_in, open_holding
from gridgate.metering.operator_queries import (
    holding_of_point,
    holdings_of_point,
    name_that_stands,
    point_of_register,
)
from gridgate.organisations.models import Organisation
from gridgate.organisations.queries import OrganisationNotFound
from gridgate.portal.guards.access import MemberRequest, operator_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import DayField, LineField
from gridgate.portal.screens.operator import refusals
from gridgate.portal.screens.operator.forms import clean_siren
from gridgate.portal.screens.operator.reads import company
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.sharing.models import Permission
from gridgate.sharing.operator_queries import permissions_on, permissions_on_all_points

_ONE_DAY = timedelta(days=1)


class EndForm(forms.Form):
    last_day = DayField(
        label=gettext_lazy("Dernier jour du titre"), help_text=gettext_lazy("Ce jour compris.")
    )

    def __init__(self, data: Any = None, *, holding: TitleHolding, **more: Any) -> None:
        super().__init__(data, **more)
        self._holding = holding
        self.fields["last_day"].widget.attrs["min"] = holding.valid_from.isoformat()

    def clean_last_day(self) -> date:
        last: date = self.cleaned_data["last_day"]
        if last < self._holding.valid_from:
            said = _("Le titre commence le %(day)s.") % {"day": formats.long_day(self._holding.valid_from)}
            raise forms.ValidationError(said)
        return last


class BeginForm(forms.Form):
    siren = LineField(
        label=gettext_lazy("SIREN du titulaire"),
        max_length=20,
        help_text=gettext_lazy("L’entreprise est déjà enregistrée ici."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    first_day = DayField(label=gettext_lazy("Premier jour du titre"))
    last_day = DayField(
        label=gettext_lazy("Dernier jour"),
        required=False,
        help_text=gettext_lazy("Ce jour compris. Vide : sans terme."),
    )

    def __init__(self, data: Any = None, *, actor: Any, titles: Sequence[TitleHolding], **more: Any) -> None:
        super().__init__(data, **more)
        self._actor, self._titles = actor, titles
        self.holder: Organisation | None = None
        self.former: TitleHolding | None = None
        """The title that ends on the eve, as its holder moves out."""

    def clean_siren(self) -> str:
        siren = clean_siren(self.cleaned_data["siren"])
        try:
            self.holder = company(actor=self._actor, siren=siren)
        except OrganisationNotFound:
            raise forms.ValidationError(
                _("Aucune entreprise n’a ce SIREN ici : enregistrez-la d’abord.")
            ) from None
        return siren

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if not isinstance(first, date):
            return cleaned
        if isinstance(last, date) and last < first:
            self.add_error("last_day", _("Le dernier jour vient après le premier."))
            return cleaned
        ends = last + _ONE_DAY if last else None
        if ends is None:
            open_before = (one for one in self._titles if one.valid_to is None and one.valid_from < first)
            self.former = next(open_before, None)
        for other in self._titles:
            if other != self.former and _meet(other, first, ends):
                self.add_error("first_day", _overlapping(other))
                break
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def end(request: MemberRequest, point_id: str, pk: int) -> HttpResponse:
    """Choose the last day; read what follows; confirm."""
    actor, moment = request.membership, Moment.present()
    point = point_of_register(actor=actor, point_id=point_id, today=moment.today)
    holding = holding_of_point(actor=actor, point=point, pk=pk)
    form = EndForm(
        request.POST if request.method == "POST" else None,
        holding=holding,
        initial={"last_day": day_before(holding.valid_to) or moment.today},
    )
    context: dict[str, Any] = {
        "point": point,
        "name": str(point),
        "holding": holding,
        "over": holding.valid_to is not None and holding.valid_to <= moment.today,
        "form": form,
    }
    if request.method == "POST" and form.is_valid() and not context["over"]:
        last = form.cleaned_data["last_day"]
        if request.POST.get("do") == "end":
            done = _ended(request, holding, last, moment, form)
            if done is not None:
                return done
        else:
            lost = list(permissions_on(actor=actor, point=point, holder=holding.holder, now=moment.now))
            context |= {
                "last_day": last,
                "at_once": last < moment.today,
                "losing": _losing(lost),
                "receipts": any(not one.all_points for one in lost),
            }
            return render(request, "operator/holding_end_confirm.html", context)
    return render(request, "operator/holding_end.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def begin(request: MemberRequest, point_id: str) -> HttpResponse:
    """Choose the company and the days; read what follows, for it and for whoever holds the point; confirm."""
    actor, moment = request.membership, Moment.present()
    point = point_of_register(actor=actor, point_id=point_id, today=moment.today)
    titles = list(holdings_of_point(actor=actor, point=point))
    form = BeginForm(
        request.POST if request.method == "POST" else None,
        actor=actor,
        titles=titles,
        initial={"siren": request.GET.get("siren", "")[:20], "first_day": moment.today},
    )
    context: dict[str, Any] = {
        "point": point,
        "name": str(point),
        "present": next((one for one in titles if one.valid_to is None), None),
        "form": form,
    }
    if request.method == "POST" and form.is_valid():
        if request.POST.get("do") == "begin":
            done = _begun(request, point.pk, form, moment)
            if done is not None:
                return done
        else:
            holder, former = form.holder, form.former
            assert holder is not None
            lost = (
                permissions_on(actor=actor, point=point, holder=former.holder, now=moment.now)
                if former is not None and former.holder_id != holder.pk
                else []
            )
            context |= {
                "holder": holder,
                "former": former,
                "first_day": form.cleaned_data["first_day"],
                "last_day": form.cleaned_data["last_day"],
                "site": name_that_stands(
                    actor=actor, point=point, holder=holder, first=form.cleaned_data["first_day"]
                ),
                "eve": form.cleaned_data["first_day"] - _ONE_DAY,
                "losing": _losing(lost),
                "gaining": _gaining(permissions_on_all_points(actor=actor, holder=holder, now=moment.now)),
            }
            return render(request, "operator/holding_new_confirm.html", context)
    return render(request, "operator/holding_new.html", context, status=422 if form.errors else 200)


def _ended(
    request: MemberRequest, holding: TitleHolding, last: date, moment: Moment, form: EndForm
) -> HttpResponse | None:
    try:
        close_holding(holding=holding, valid_to=last + _ONE_DAY, actor=request.membership, now=moment.now)
    except GridgateError as refused:
        _told(form, refused)
        return None
    said = _("Le titre de %(name)s prend fin le %(day)s au soir.")
    told = said % {"name": holding.holder.legal_name, "day": formats.long_day(last)}
    messages.success(request, formats.elided(told))
    return redirect("operator_point", holding.metering_point_id)


def _begun(request: MemberRequest, point: str, form: BeginForm, moment: Moment) -> HttpResponse | None:
    said, holder = form.cleaned_data, form.holder
    assert holder is not None
    first, last = said["first_day"], said["last_day"]
    try:
        if form.former is not None:
            move_in(metering_point=point, holder=holder, on=first, actor=request.membership, now=moment.now)
        else:
            open_holding(
                metering_point=point,
                holder=holder,
                valid_from=first,
                valid_to=last and last + _ONE_DAY,
                actor=request.membership,
                now=moment.now,
            )
    except GridgateError as refused:
        _told(form, refused)
        return None
    text = _("%(name)s est titulaire du point à partir du %(day)s.")
    messages.success(request, text % {"name": holder.legal_name, "day": formats.long_day(first)})
    return redirect("operator_point", point)


def _told(form: forms.Form, refused: GridgateError) -> None:
    if refused.kind not in (ErrorKind.CONFLICT, ErrorKind.INVALID):
        raise refused
    form.add_error(None, refusals.refusal(refused))


def _meet(other: TitleHolding, first: date, ends: date | None) -> bool:
    """Whether the title covers a day of `[first, ends)`."""
    return (other.valid_to is None or first < other.valid_to) and (ends is None or other.valid_from < ends)


def _overlapping(other: TitleHolding) -> str:
    last = day_before(other.valid_to)
    if last is None:
        text = _("%(name)s est titulaire du point depuis le %(first)s.")
    else:
        text = _("%(name)s est titulaire du point du %(first)s au %(last)s.")
    return text % {
        "name": other.holder.legal_name,
        "first": formats.long_day(other.valid_from),
        "last": formats.long_day(last),
    }


def _losing(permissions: Iterable[Permission]) -> list[dict[str, Any]]:
    """What becomes of each permission once its holder has left the point."""
    return [_line(one) | {"becomes": _becomes(one)} for one in permissions]


def _gaining(permissions: Iterable[Permission]) -> list[dict[str, Any]]:
    return [_line(one) for one in permissions]


def _line(one: Permission) -> dict[str, Any]:
    return {"company": one.eligible_party, "service": one.service.text("name")}


def _becomes(permission: Permission) -> str:
    if permission.all_points:
        return _("porte sur tous ses compteurs : se poursuit, sans celui-ci")
    others = vars(permission)["points_named"] - 1
    if not others:
        return _("prend fin : c’est son seul compteur")
    text = ngettext(
        "perd ce compteur, garde %(count)s autre", "perd ce compteur, garde %(count)s autres", others
    )
    return text % {"count": formats.number(others)}
