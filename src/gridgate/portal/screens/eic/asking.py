"""Asking for a code, one question a page: look for one first, say what it will name, describe it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gridgate.eic.asked import EicAsked
from gridgate.eic.kind import CHANGEABLE, EIC
from gridgate.eic.models import EicCode, EicRequest
from gridgate.eic.operations.asking import begin_eic_request, change_eic_request
from gridgate.eic.queries import EicFilter, codes_readable_by, narrow_codes, similar_codes
from gridgate.portal.guards.access import AccountRequest
from gridgate.portal.kit.meanwhile import Meanwhile, differing
from gridgate.portal.kit.shapes import Step
from gridgate.portal.screens.eic import code_faults, naming
from gridgate.portal.screens.eic.access import asker_required, own_request
from gridgate.portal.screens.eic.forms import DescribeForm, SearchForm, TypeForm, draft_from
from gridgate.requests.kinds import RequestChanged

SHOWN = 8


@require_http_methods(["GET", "HEAD", "POST"])
@asker_required
def search(request: AccountRequest) -> HttpResponse:
    """What the register has under the name; only then, a draft."""
    posted = request.method == "POST"
    form = SearchForm(request.POST if posted else request.GET or None)
    if posted and form.is_valid():
        draft = begin_eic_request(
            asked=draft_from(form.text), user=request.user, actor=request.membership, now=timezone.now()
        )
        return redirect("eic_request_type", draft.number)
    context = {
        "form": form,
        "text": form.text,
        "close": _close(request, form.text) if form.text else [],
        "hint": code_faults.hint(form.text),
        "steps": progress(0),
    }
    return render(request, "eic/search.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@asker_required
def choose_type(request: AccountRequest, number: str) -> HttpResponse:
    """Party, area, measurement point…: what the rest of the questions depends on."""
    item = own_request(request, number)
    if item.state not in CHANGEABLE:
        return redirect("eic_request", number)
    form = TypeForm(request.POST if request.method == "POST" else None, initial={"type": item.type})
    if form.is_valid():
        asked = EicAsked.of(item, type=form.cleaned_data["type"])
        change_eic_request(request=item, asked=asked, user=request.user, actor=request.membership)
        return redirect("eic_request_edit", number)
    context = {"form": form, "item": item, "steps": progress(1)}
    return render(request, "eic/type.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@asker_required
def describe(request: AccountRequest, number: str) -> HttpResponse:
    """Names and answers. A draft is kept as it is; what goes on to be read again is complete."""
    item = own_request(request, number)
    if item.state not in CHANGEABLE:
        return redirect("eic_request", number)
    if not item.type:
        return redirect("eic_request_type", number)
    posted, user, actor = request.method == "POST", request.user, request.membership
    form = DescribeForm(request.POST if posted else None, asked=EicAsked.of(item), user=user, actor=actor)
    do = request.POST.get("do", "continue")
    seen = request.POST.get("seen", "") if posted else EIC.fingerprint(item)
    if posted and (form.may_be_sent() if do == "continue" else form.may_be_kept()):
        try:
            change_eic_request(request=item, asked=form.asked, seen=seen, user=user, actor=actor)
        except RequestChanged:
            return _changed_meanwhile(request, number)
        match do:
            case "type":
                return redirect("eic_request_type", number)
            case "continue":
                return redirect("eic_request", number)
        messages.success(request, _("C’est gardé. Reprenez quand vous voulez."))
        return redirect("eic_requests")
    return _describing(request, item, form, seen, status=422 if form.errors else 200)


def _changed_meanwhile(request: AccountRequest, number: str) -> HttpResponse:
    """What was kept while the page was open, above what was typed: nothing is kept before that is read."""
    item, user, actor = own_request(request, number), request.user, request.membership
    asked = EicAsked.of(item)
    form = DescribeForm(request.POST, asked=asked, user=user, actor=actor)
    saved = differing(form, DescribeForm(None, asked=asked, user=user, actor=actor))
    return _describing(request, item, form, EIC.fingerprint(item), Meanwhile("", saved), status=409)


def _describing(
    request: AccountRequest,
    item: EicRequest,
    form: DescribeForm,
    seen: str,
    meanwhile: Meanwhile | None = None,
    *,
    status: int,
) -> HttpResponse:
    context = {
        "form": form,
        "seen": seen,
        "meanwhile": meanwhile,
        "item": item,
        "type_name": naming.type_name(item.type),
        "type_help": naming.TYPES[item.type],
        "steps": progress(2),
    }
    return render(request, "eic/describe.html", context, status=status)


def progress(now: int) -> list[Step]:
    """Where one is on the way."""
    labels = (_("Chercher au registre"), _("Choisir le type"), _("Décrire"), _("Relire et envoyer"))
    return [
        Step(label, state="done" if index < now else "current" if index == now else "")
        for index, label in enumerate(labels)
    ]


def _close(request: AccountRequest, text: str) -> list[dict[str, Any]]:
    """What a search for the name finds, then the names that are close to it."""
    readable = codes_readable_by(user=request.user, actor=request.membership)
    found = list(narrow_codes(readable, EicFilter(text=text)).order_by("-active", "display_name")[:SHOWN])
    alike = [one for one in similar_codes(readable, text) if one not in found]
    return rows_of([*found, *alike][:SHOWN])


def rows_of(codes: list[EicCode]) -> list[dict[str, Any]]:
    """Codes as the lines of a table of close ones."""
    return [
        {"code": code, "status": naming.status(code), "type_name": naming.type_name(code.type)}
        for code in codes
    ]
