"""One request: what is asked, by which company, what became of it so far, and the decision."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.organisations.models import Membership, Organisation
from gridgate.organisations.reach import is_present
from gridgate.portal.guards.access import MemberRequest, operator_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Step
from gridgate.portal.request_kinds import DeskKind, desk_kind
from gridgate.portal.screens.operator import company_roles, deadlines
from gridgate.portal.screens.operator import reads as queries
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.requests.kinds import RequestChanged
from gridgate.requests.models import OperatorRequest, RequestEvent, RequestState
from gridgate.requests.operations.life import (
    RequestNotOpen,
    events_of,
    refuse_request,
    return_request,
    sending_of,
    take,
)

ACCEPT, RETURN, REFUSE = "accept", "return", "refuse"


class DecisionForm(forms.Form):
    """What is decided; a return and a refusal say why."""

    decision = forms.ChoiceField(
        label=gettext_lazy("Décision"),
        choices=[
            (ACCEPT, gettext_lazy("Accepter")),
            (RETURN, gettext_lazy("Demander un complément")),
            (REFUSE, gettext_lazy("Refuser")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choisissez l’une des trois.")},
    )
    reason = forms.CharField(
        label=gettext_lazy("Message à la personne qui a demandé"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "Pour un complément ou un refus. Envoyé par e-mail et visible dans son espace."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("decision") in (RETURN, REFUSE) and not cleaned.get("reason", "").strip():
            self.add_error("reason", _("Dites pourquoi : la personne qui a demandé le lira."))
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def page(request: MemberRequest, number: str) -> HttpResponse:
    """A decision on something else than was read, because a colleague decided or the company sent it again meanwhile,
    changes nothing and says so.
    """
    kind = desk_kind(number)
    item = kind.kind.desk_item(number, actor=request.membership) if kind else None
    if kind is None or item is None:
        raise Http404(number)
    form = DecisionForm(request.POST if request.POST.get("do") == "decide" else None)
    status = 200
    if request.method == "POST":
        try:
            done = _act(request, kind, item, form)
        except (RequestNotOpen, RequestChanged):
            return _too_late(request, kind, number)
        if done is not None:
            return done
        status = 422
    posted = request.POST if form.is_bound else None
    return render(
        request, "operator/request.html", _context(request, kind, item, form, posted), status=status
    )


def _act(
    request: MemberRequest, kind: DeskKind, item: OperatorRequest, form: DecisionForm
) -> HttpResponse | None:
    """Carry out what was posted; None when the page shows again with what is wrong."""
    actor, now = request.membership, Moment.present().now
    if request.POST.get("do") == "take":
        take(kind.kind, item, actor=actor, now=now)
        messages.success(request, _("Vous suivez désormais cette demande."))
        return redirect("operator_request", item.number)
    seen = request.POST.get("seen", "")
    if deadlines.is_to_treat(item.state) and seen != sending_of(item):
        raise RequestChanged(item)  # before anything is said of what was not read
    if not form.is_valid():
        return None
    reason = form.cleaned_data["reason"]
    match form.cleaned_data["decision"]:
        case "accept":
            try:
                kind.accept(item, request.POST, actor, now)
            except (RequestNotOpen, RequestChanged):
                raise
            except GridgateError as refused:
                if refused.kind not in (ErrorKind.CONFLICT, ErrorKind.INVALID, ErrorKind.MALFORMED):
                    raise
                form.add_error(None, kind.says(refused))
                return None
            messages.success(request, _("La demande %(number)s est acceptée.") % {"number": item.number})
        case "return":
            return_request(kind.kind, item, reason=reason, seen=seen, actor=actor, now=now)
            said = _("Un complément est demandé pour %(number)s. Le délai est suspendu jusqu’à la réponse.")
            messages.success(request, said % {"number": item.number})
        case "refuse":
            refuse_request(kind.kind, item, reason=reason, seen=seen, actor=actor, now=now)
            messages.success(request, _("La demande %(number)s est refusée.") % {"number": item.number})
    return redirect("operator_request", item.number)


def _too_late(request: MemberRequest, kind: DeskKind, number: str) -> HttpResponse:
    """The request as it is now, with what was typed: nothing is decided, and no decision is chosen."""
    item = kind.kind.desk_item(number, actor=request.membership)
    assert item is not None
    last = events_of(item).last()
    who = last.user.full_name if last is not None and last.user is not None else _("un collègue")
    if deadlines.is_to_treat(item.state):
        text = _("%(name)s a envoyé cette demande de nouveau. Relisez-la : votre décision n’a rien changé.")
    else:
        text = _("%(name)s a traité cette demande entre-temps (%(state)s). Votre décision n’a rien changé.")
    state = str(RequestState(item.state).label).lower()
    typed = request.POST.get("reason", "")
    form = DecisionForm(initial={"reason": typed})
    context = _context(request, kind, item, form, request.POST if "body" in request.POST else None)
    context |= {"meanwhile": text % {"name": who, "state": state}, "typed": typed}
    return render(request, "operator/request.html", context, status=409)


def _context(
    request: MemberRequest,
    kind: DeskKind,
    item: OperatorRequest,
    form: DecisionForm,
    posted: QueryDict | None,
) -> dict[str, Any]:
    actor, now = request.membership, Moment.present().now
    events = list(events_of(item))
    to_treat = deadlines.is_to_treat(item.state)
    # Drawn by itself, so that a kind's names and the desk's own do not meet.
    values = {"deciding": to_treat, **kind.context(item, posted), "item": item}
    return {
        "item": item,
        "asked": render_to_string(kind.template, values, request),
        "label": str(kind.label),
        "form": form,
        "deciding": to_treat,
        "seen": sending_of(item),
        "mine": item.followed_by_id == actor.pk,
        "follower": _follower(item.followed_by),
        "due": deadlines.due(item.state, item.due_at, item.decided_at, now),
        "steps": _steps(item, events, to_treat),
        "company": _company(actor, item.organisation, now) if item.organisation else None,
    }


def _follower(member: Membership | None) -> str:
    there = member is not None and is_present(member)
    return member.user.full_name if member is not None and there else ""


def _company(actor: Membership, organisation: Organisation, now: Any) -> dict[str, Any]:
    """What the operator has recorded of the company, in short."""
    today = Moment.present().today
    contracts = queries.contracts_of(actor=actor, organisation=organisation)
    codes = queries.eic_codes_of(actor=actor, organisation=organisation)
    administrators = queries.administrators_of(actor=actor, organisation=organisation)
    return {
        "organisation": organisation,
        "roles": company_roles.roles(organisation.roles),
        "contracts": [contract.number for contract in contracts.filter(queries.in_force(today))[:3]],
        "codes": [code.pk for code in codes.filter(active=True)[:3]],
        "administrators": [one.user.full_name for one in administrators[:3]],
    }


_EVENTS: dict[str, Any] = {
    RequestState.SUBMITTED: gettext_lazy("Demande envoyée"),
    RequestState.IN_REVIEW: gettext_lazy("Prise en charge"),
    RequestState.RETURNED: gettext_lazy("Complément demandé"),
    RequestState.ACCEPTED: gettext_lazy("Acceptée"),
    RequestState.REFUSED: gettext_lazy("Refusée"),
    RequestState.WITHDRAWN: gettext_lazy("Retirée"),
}


def _steps(item: OperatorRequest, events: list[RequestEvent], to_treat: bool) -> list[Step]:
    """What became of it, then what comes next."""
    steps = [
        Step(str(_EVENTS.get(event.state, RequestState(event.state).label)), _note(event), "done")
        for event in events
    ]
    if to_treat:
        before = formats.moment(item.due_at)
        steps.append(
            Step(
                _("Décision"), _("avant le %(moment)s") % {"moment": before} if item.due_at else "", "current"
            )
        )
    elif item.state == RequestState.RETURNED:
        steps.append(Step(_("Complément attendu"), _("de la personne qui a demandé"), "current"))
    return steps


def _note(event: RequestEvent) -> str:
    who = event.user.full_name if event.user is not None else _("compte supprimé")
    note = f"{formats.moment(event.at)}, {who}"
    return formats.said(note, event.note) if event.note else note
