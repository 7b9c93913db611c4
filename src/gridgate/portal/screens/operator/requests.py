"""*Demandes à traiter*: every kind of request in one list, the most urgent first."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy, ngettext, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gridgate.organisations.models import Membership
from gridgate.portal import request_kinds
from gridgate.portal.guards.access import MemberRequest, operator_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import LineField
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.shapes import Figure, filters_in_force
from gridgate.portal.kit.spreadsheet import table_response
from gridgate.portal.screens.operator import deadlines
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.shell.navigation import pending
from gridgate.requests.desk import (
    EVERY,
    LATE,
    MINE,
    NOBODY,
    OPEN,
    TO_DO,
    DeskFigures,
    DeskFilter,
    DeskRow,
    desk_figures,
    desk_rows,
)
from gridgate.requests.models import RequestState
from gridgate.requests.operations.desk import take_next, take_several
from gridgate.tables.out import Instant

STATES: list[tuple[str, Any]] = [
    ("", gettext_lazy("Ouvertes")),
    (TO_DO, gettext_lazy("À traiter ici")),
    (LATE, gettext_lazy("En retard")),
    (RequestState.SUBMITTED.value, RequestState.SUBMITTED.label),
    (RequestState.IN_REVIEW.value, RequestState.IN_REVIEW.label),
    (RequestState.RETURNED.value, RequestState.RETURNED.label),
    (RequestState.ACCEPTED.value, RequestState.ACCEPTED.label),
    (RequestState.REFUSED.value, RequestState.REFUSED.label),
    (RequestState.WITHDRAWN.value, RequestState.WITHDRAWN.label),
    (EVERY, gettext_lazy("Toutes")),
]
FOLLOWED: list[tuple[str, Any]] = [
    ("", gettext_lazy("Tout le monde")),
    (MINE, gettext_lazy("Moi")),
    (NOBODY, gettext_lazy("Personne pour l’instant")),
]
_ORDERS = {"demande": "number", "entreprise": "company", "recue": "received", "avant": "due"}


class DeskFilterForm(forms.Form):
    """Values that make no sense are as if they were not there: an address may come from anywhere."""

    q = LineField(
        label=gettext_lazy("Rechercher"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": gettext_lazy("Numéro, entreprise, SIREN, demandeur")}
        ),
    )
    nature = forms.ChoiceField(label=gettext_lazy("Nature"), required=False)
    etat = forms.ChoiceField(label=gettext_lazy("État"), choices=STATES, required=False)
    suivi = forms.ChoiceField(label=gettext_lazy("Suivie par"), choices=FOLLOWED, required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self._kinds = {one.kind.prefix: str(one.label) for one in request_kinds.DESK}
        nature = self.fields["nature"]
        assert isinstance(nature, forms.ChoiceField)
        nature.choices = [("", _("Toutes")), *self._kinds.items()]
        self.is_valid()

    @property
    def wanted(self) -> DeskFilter:
        cleaned = self.cleaned_data
        return DeskFilter(
            text=cleaned.get("q", ""),
            kind=cleaned.get("nature", ""),
            state=cleaned.get("etat") or OPEN,
            followed=cleaned.get("suivi", ""),
        )

    def labels(self) -> dict[str, str]:
        """How each filter in force reads on its tag."""
        cleaned = self.cleaned_data
        return {
            "q": _("« %(text)s »") % {"text": cleaned.get("q", "")},
            "nature": self._kinds.get(cleaned.get("nature", ""), ""),
            "etat": str(dict(STATES).get(cleaned.get("etat", ""), "")) if cleaned.get("etat") else "",
            "suivi": formats.said(_("Suivie par"), str(dict(FOLLOWED)[cleaned["suivi"]]).lower())
            if cleaned.get("suivi")
            else "",
        }


def kinds() -> list[Any]:
    return [one.kind for one in request_kinds.DESK]


@pending("operator_requests")
def requests_to_treat(membership: Membership) -> int:
    return sum(request_kinds.waiting(membership).values())


@require_safe
@operator_required
def index(request: MemberRequest) -> HttpResponse:
    """One page of the requests, and the desk in figures."""
    actor, now = request.membership, Moment.present().now
    form = DeskFilterForm(request.GET)
    page = page_of(request, _rows(form, request.GET, actor, now))
    figures = desk_figures(kinds=kinds(), actor=actor, now=now)
    context = {
        "form": form,
        "figures": figures_of(figures, now),
        "counted": figures,
        "filters": filters_in_force(request, {name: label for name, label in form.labels().items() if label}),
        "page_obj": page,
        "rows": [_line(row, now) for row in page],
        "query": request.GET.urlencode(),
    }
    return render(request, "operator/requests.html", context)


@require_POST
@operator_required
def take(request: MemberRequest) -> HttpResponse:
    """Follow the requests that were ticked or, with `suivante`, the most urgent one that nobody follows."""
    actor, now = request.membership, Moment.present().now
    if "suivante" in request.POST:
        taken = take_next(kinds=kinds(), actor=actor, now=now)
        if taken is None:
            messages.info(request, _("Toutes les demandes à traiter sont déjà suivies."))
            return redirect("operator_requests")
        messages.success(request, _("Vous suivez désormais cette demande."))
        return redirect("operator_request", taken.number)
    done = take_several(numbers=request.POST.getlist("numero"), kinds=kinds(), actor=actor, now=now)
    if done.taken:
        text = ngettext("Vous suivez %(count)s demande.", "Vous suivez %(count)s demandes.", len(done.taken))
        messages.success(request, text % {"count": formats.number(len(done.taken))})
    if done.passed_over:
        text = ngettext(
            "%(numbers)s n’est plus à traiter : la liste est à jour.",
            "%(numbers)s ne sont plus à traiter : la liste est à jour.",
            len(done.passed_over),
        )
        messages.warning(request, text % {"numbers": ", ".join(done.passed_over[:20])})
    if not done.taken and not done.passed_over:
        messages.warning(request, _("Choisissez au moins une demande."))
    query = QueryDict(request.POST.get("filtres", "")).urlencode()
    return redirect(f"{reverse('operator_requests')}?{query}" if query else reverse("operator_requests"))


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def export(request: MemberRequest) -> HttpResponseBase:
    """The list as a file: what the filters let through, or only the requests ticked."""
    actor, now = request.membership, Moment.present().now
    asked = QueryDict(request.POST.get("filtres", "")) if request.method == "POST" else request.GET
    rows = _rows(DeskFilterForm(asked), asked, actor, now)
    header = [
        _("Numéro"),
        _("Nature"),
        _("État"),
        _("Entreprise"),
        _("SIREN"),
        _("Demandée par"),
        _("Reçue (%(zone)s)") % {"zone": settings.TIME_ZONE},
        _("À traiter avant"),
        _("Décidée"),
        _("Suivie par"),
    ]
    ticked = set(request.POST.getlist("numero"))
    chosen = (row for row in rows if row.number in ticked) if ticked else iter(rows)
    name = f"demandes-{Moment.present().today}.csv"
    return table_response(
        request, name, header, _exported(chosen, get_language() or "fr"), sheet=_("Demandes")
    )


def _exported(rows: Iterator[DeskRow], language: str) -> Iterator[list[Any]]:
    """The request is over when the lines are written: the language is set again for each."""
    zone = Moment.present().zone

    def iso(at: datetime | None) -> str:
        return Instant.of(at.astimezone(zone), "minutes") if at is not None else ""

    for row in rows:
        with override(language):
            yield [
                row.number,
                _label(row),
                str(RequestState(row.state).label),
                row.company,
                row.siren,
                row.requester,
                iso(row.submitted_at),
                iso(row.due_at),
                iso(row.decided_at),
                row.followed_by,
            ]


def _rows(form: DeskFilterForm, asked: QueryDict, actor: Membership, now: datetime) -> Any:
    chosen = asked.get("tri", "")
    order = _ORDERS.get(chosen.removeprefix("-"), "")
    if order and chosen.startswith("-"):
        order = f"-{order}"
    return desk_rows(kinds=kinds(), wanted=form.wanted, order=order, actor=actor, now=now)


def _line(row: DeskRow, now: datetime) -> dict[str, Any]:
    return {
        "number": row.number,
        "label": _label(row),
        "company": row.company,
        "siren": row.siren,
        "requester": row.requester,
        "submitted_at": row.submitted_at,
        "received": deadlines.ago(row.submitted_at, now),
        "due": deadlines.due(row.state, row.due_at, row.decided_at, now),
        "followed_by": row.followed_by,
    }


def _label(row: DeskRow) -> str:
    kind = request_kinds.desk_kind(row.number)
    return str(kind.label) if kind is not None else row.number


def figures_of(counted: DeskFigures, now: datetime) -> list[Figure]:
    """The desk at an instant, as large figures."""
    unfollowed = ngettext("%(count)s sans responsable", "%(count)s sans responsable", counted.unfollowed) % {
        "count": formats.number(counted.unfollowed)
    }
    refused = ngettext("%(count)s refusée", "%(count)s refusées", counted.refused) % {
        "count": formats.number(counted.refused)
    }
    late = _("depuis %(duration)s") % {"duration": deadlines.since(counted.late_since, now)}
    return [
        Figure(_("Ouvertes"), formats.number(counted.open), note=unfollowed),
        Figure(
            _("En retard"),
            formats.number(counted.late),
            note=late if counted.late else _("aucune"),
            tone="bad" if counted.late else "",
        ),
        Figure(_("Décidées, 7 jours"), formats.number(counted.accepted + counted.refused), note=refused),
        Figure(
            _("Délai médian, 30 jours"),
            deadlines.lasting(counted.median_delay),
            note=_("de l’envoi à la décision"),
        ),
    ]
