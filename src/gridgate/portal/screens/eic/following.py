"""Our requests and our codes; one request: where it stands, what is asked of us, sending it, taking it back."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gridgate.accounts.models import SensitiveAct
from gridgate.eic.asked import EicAsked, Wrong, faults_of
from gridgate.eic.form import eic_form
from gridgate.eic.kind import CHANGEABLE, EIC, may_request
from gridgate.eic.models import EicCode, EicRequest
from gridgate.eic.operations.asking import (
    InvalidEicRequest,
    SimilarCodesUnseen,
    codes_to_compare,
    submit_eic_request,
)
from gridgate.eic.queries import codes_of, codes_readable_by
from gridgate.organisations.queries import administrators_of
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.guards.step_up import ask
from gridgate.portal.kit import formats
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.shapes import Step
from gridgate.portal.screens.eic import code_faults, naming
from gridgate.portal.screens.eic.access import asker_required, own_request
from gridgate.portal.screens.eic.asking import rows_of
from gridgate.portal.screens.eic.forms import ComparedForm
from gridgate.portal.shell.context import operator_name
from gridgate.requests.kinds import RequestChanged
from gridgate.requests.models import RequestEvent, RequestState
from gridgate.requests.operations.life import RequestNotOpen, events_of, withdraw_request

_S = RequestState
MOST_CODES = 50


@require_safe
@account_page
def index(request: AccountRequest) -> HttpResponse:
    """What waits for us, our codes, our requests, and the way to the register."""
    actor = request.membership
    if actor is not None and actor.organisation.is_operator:
        return redirect("operator_eic")
    may_ask = may_request(actor)
    requests = _kept(EIC.of(user=request.user, actor=actor)) if may_ask else EicRequest.objects.none()
    page = page_of(request, requests.order_by("-created_at", "-pk"))
    codes = _own_codes(request)
    context = {
        "may_ask": may_ask,
        "company": actor.organisation if actor else None,
        "administrators": [] if may_ask or actor is None else administrators_of(actor=actor)[:3],
        "waiting": requests.filter(state=_S.RETURNED).order_by("submitted_at"),
        "codes": [{"code": code, "status": naming.status(code)} for code in codes[:MOST_CODES]],
        "page_obj": page,
        "rows": [_row(one) for one in page],
    }
    return render(request, "eic/index.html", context)


@require_safe
@asker_required
def page(request: AccountRequest, number: str) -> HttpResponse:
    """One request."""
    return _page(request, own_request(request, number), ComparedForm())


@require_POST
@asker_required
def send(request: AccountRequest, number: str) -> HttpResponse:
    """Send a draft, or what was returned, once the codes with close names were compared."""
    item = own_request(request, number)
    if item.state not in CHANGEABLE:
        messages.warning(request, code_faults.refusal(RequestNotOpen(item, "submitted")))
        return redirect("eic_request", number)
    seen = request.POST.get("seen", "")
    if seen != EIC.fingerprint(item):
        return _page(request, item, ComparedForm(), changed=True, status=409)
    form = ComparedForm(request.POST)
    close = codes_to_compare(EicAsked.of(item), user=request.user, actor=request.membership)
    if close and not form.is_valid():
        return _page(request, item, form, status=422)
    proof = ask(request, SensitiveAct.REQUEST)
    if proof is not None:
        return proof
    try:
        sent = submit_eic_request(
            request=item,
            compared=request.POST.getlist("close"),
            seen=seen,
            user=request.user,
            actor=request.membership,
            now=timezone.now(),
        )
    except SimilarCodesUnseen:
        messages.warning(
            request,
            _("Des codes de nom proche sont venus au registre entre-temps : comparez-les avant d’envoyer."),
        )
    except RequestChanged:
        return _page(request, own_request(request, number), ComparedForm(), changed=True, status=409)
    except InvalidEicRequest:
        messages.warning(request, _("Il manque encore quelque chose avant d’envoyer."))
    except RequestNotOpen as error:
        messages.warning(request, code_faults.refusal(error))
    else:
        said = _("Demande %(number)s envoyée à %(operator)s. Réponse attendue au plus tard le %(day)s.")
        values = {"number": number, "operator": operator_name(), "day": formats.long_day(sent.due_at)}
        messages.success(request, said % values)
    return redirect("eic_request", number)


@require_http_methods(["GET", "HEAD", "POST"])
@asker_required
def withdraw(request: AccountRequest, number: str) -> HttpResponse:
    """What taking it back means, then taking it back."""
    item = own_request(request, number)
    if item.state not in (*CHANGEABLE, _S.SUBMITTED, _S.IN_REVIEW):
        return redirect("eic_request", number)
    if request.method != "POST":
        return render(request, "eic/withdraw.html", {"item": item, "draft": item.state == _S.DRAFT})
    drafted = item.state == _S.DRAFT
    try:
        withdraw_request(EIC, item, user=request.user, actor=request.membership, now=timezone.now())
    except RequestNotOpen as error:
        messages.warning(request, code_faults.refusal(error))
        return redirect("eic_request", number)
    said = _("Le brouillon %(number)s est abandonné.") if drafted else _("La demande %(number)s est retirée.")
    messages.success(request, said % {"number": number})
    return redirect("eic_requests")


def _page(
    request: AccountRequest,
    item: EicRequest,
    form: ComparedForm,
    *,
    changed: bool = False,
    status: int = 200,
) -> HttpResponse:
    answers = EicAsked.of(item)
    changeable = item.state in CHANGEABLE
    faults = faults_of(answers) if changeable else []
    close = (
        codes_to_compare(answers, user=request.user, actor=request.membership)
        if changeable and not faults
        else []
    )
    context = {
        "item": item,
        "name": item.display_name or item.long_name or _("Nouveau code EIC"),
        "type_name": naming.type_name(item.type),
        "state": naming.state(item.state),
        "answers": _answers(item),
        "changeable": changeable,
        "lacking": [naming.field_name(one.where) for one in faults],
        "taken": _taken(request, faults),
        "close": rows_of(close),
        "form": form,
        "changed": changed,
        "seen": EIC.fingerprint(item),
        "open": item.is_open,
        "steps": list(_steps(item)),
    }
    return render(request, "eic/request.html", context, status=status)


def _row(item: EicRequest) -> dict[str, Any]:
    return {
        "item": item,
        "name": item.display_name or item.long_name or _("sans nom encore"),
        "type_name": naming.type_name(item.type),
        "state": naming.state(item.state),
        "expected": item.due_at if item.state in (_S.SUBMITTED, _S.IN_REVIEW) else None,
    }


def _kept(requests: QuerySet[EicRequest]) -> QuerySet[EicRequest]:
    """Without the drafts that were dropped before anyone else saw them."""
    return requests.exclude(Q(state=_S.WITHDRAWN, submitted_at=None)).select_related("code")


def _own_codes(request: AccountRequest) -> QuerySet[EicCode]:
    if request.membership is not None:
        return codes_of(request.membership.organisation)
    readable = codes_readable_by(user=request.user, actor=None)
    return readable.filter(request__requester=request.user, request__organisation=None).order_by("code")


def _answers(item: EicRequest) -> list[tuple[str, str]]:
    form = eic_form()
    answers = [
        (_("Acteur responsable"), item.responsible_party),
        (_("Code parent"), item.parent),
        *form.answers(item.details),
        (_("Pourquoi ce code"), item.justification),
    ]
    return [(label, answer) for label, answer in answers if answer]


def _taken(request: AccountRequest, faults: list[Wrong]) -> str:
    """That a code has the display name, when that is among what is wrong."""
    for mistake in faults:
        if mistake.code is not None:
            readable = codes_readable_by(user=request.user, actor=request.membership)
            return code_faults.wrong(mistake, readable=readable.filter(pk=mistake.code.pk).exists())
    return ""


def _steps(item: EicRequest) -> Iterator[Step]:
    """What became of it, and what comes next."""
    operator = operator_name()
    sent = False
    if item.state == _S.DRAFT:
        yield Step(_("Rédigée"), formats.moment(item.created_at), "current")
    for event in events_of(item):
        yield Step(_said(event, again=sent), _when_and_who(event, operator), "done")
        sent = sent or event.state == _S.SUBMITTED
    match item.state:
        case _S.SUBMITTED | _S.IN_REVIEW:
            note = _("réponse attendue au plus tard le %(day)s") % {"day": formats.long_day(item.due_at)}
            yield Step(_("Décision"), note, "current")
        case _S.RETURNED:
            yield Step(_("Votre complément"), _("le délai reprend quand vous l’envoyez"), "current")
        case _S.DRAFT:
            yield Step(_("Envoi"))
            yield Step(_("Décision"))


def _said(event: RequestEvent, *, again: bool) -> str:
    match event.state:
        case _S.SUBMITTED:
            return _("Envoyée de nouveau") if again else _("Envoyée")
        case _S.IN_REVIEW:
            return _("Prise en charge")
        case _S.RETURNED:
            return _("Complément demandé")
    return str(_S(event.state).label)


def _when_and_who(event: RequestEvent, operator: str) -> str:
    who = operator if event.by_operator else str(event.user or "")
    when = formats.moment(event.at)
    return _("%(when)s, par %(who)s") % {"when": when, "who": who} if who else when
