"""The operator's register: find, add, deactivate, link to a company; one code and what was done to it."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from gridgate.audit.models import AuditEvent
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.eic.form import eic_form
from gridgate.eic.kind import EIC
from gridgate.eic.models import EicCode
from gridgate.eic.operations.register import (
    add_eic_code,
    deactivate_eic_code,
    link_eic_code,
    reactivate_eic_code,
)
from gridgate.eic.queries import code_for_staff, history_of, narrow_codes, register_for_staff
from gridgate.organisations.models import Membership
from gridgate.portal import request_kinds
from gridgate.portal.guards.access import MemberRequest, operator_required
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.spreadsheet import table_response
from gridgate.portal.screens.eic import code_faults, naming
from gridgate.portal.screens.eic.register import COLUMNS, doubt, heads, line_of, ordered, row_of
from gridgate.portal.screens.eic.register_forms import AddForm, LinkForm, StaffFilters, StatusForm
from gridgate.portal.shell.navigation import pending


@pending("operator_eic")
def requests_to_treat(membership: Membership) -> int:
    return request_kinds.waiting(membership).get(EIC.prefix, 0)


@require_safe
@operator_required
def index(request: MemberRequest) -> HttpResponse:
    """The whole register, with whose each code is."""
    register = register_for_staff(actor=request.membership)
    form = StaffFilters(request.GET)
    page = page_of(request, ordered(narrow_codes(register, form.wanted), request.GET.get("tri", "")))
    context = {
        "form": form,
        "filters": form.in_force(request),
        "total": register.count(),
        "page_obj": page,
        "rows": [row_of(code) for code in page],
    }
    return render(request, "eic/staff_register.html", context)


@require_safe
@operator_required
def export(request: MemberRequest) -> StreamingHttpResponse:
    """The register as a file, with the companies that have codes."""
    register = register_for_staff(actor=request.membership)
    codes = ordered(narrow_codes(register, StaffFilters(request.GET).wanted), request.GET.get("tri", ""))

    language = get_language() or "fr"

    def lines() -> Iterator[list[Any]]:
        for code in codes.iterator(chunk_size=2_000):
            company = code.organisation
            with override(language):
                source = str(code.get_source_display())
                yield [*line_of(code), source, company.siren if company else "", str(company or "")]

    columns = (*COLUMNS, "source", "siren", "legal_name")
    return table_response(
        request,
        f"registre-eic-{timezone.localdate(timezone=timezone.get_default_timezone())}.csv",
        heads(columns),
        lines(),
        sheet=_("Codes EIC"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def add(request: MemberRequest) -> HttpResponse:
    """Record a code that another office issued."""
    form = AddForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "eic/add.html", {"form": form}, status=422 if form.errors else 200)
    cleaned = form.cleaned_data
    try:
        code = add_eic_code(
            code=cleaned["code"],
            display_name=cleaned["display_name"],
            long_name=cleaned["long_name"],
            organisation=cleaned["company"],
            parent=cleaned["parent"],
            responsible_party=cleaned["responsible_party"],
            actor=request.membership,
            now=timezone.now(),
        )
    except GridgateError as error:
        if error.kind not in (ErrorKind.CONFLICT, ErrorKind.INVALID):
            raise
        form.add_error(error.where if error.where in form.fields else "code", code_faults.refusal(error))
        return render(request, "eic/add.html", {"form": form}, status=422)
    messages.success(request, _("Le code %(code)s est inscrit au registre.") % {"code": code.pk})
    if not code.valid:
        messages.warning(request, _("Sa clé ne convient pas : %(why)s") % {"why": doubt(code)})
    return redirect("operator_eic_code", code.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def page(request: MemberRequest, code: str) -> HttpResponse:
    """One code; its state and its company are changed here."""
    recorded = code_for_staff(actor=request.membership, code=code)
    do = request.POST.get("do", "") if request.method == "POST" else ""
    status_form = StatusForm(request.POST if do in ("deactivate", "reactivate") else None)
    siren = recorded.organisation.siren if recorded.organisation else ""
    link_form = LinkForm(request.POST if do == "link" else None, initial={"company": siren})
    if _carry_out(request, recorded, do, status_form, link_form):
        return redirect("operator_eic_code", recorded.pk)
    form: forms.Form = status_form if status_form.errors else link_form
    return _page(request, recorded, status_form, link_form, form)


def _carry_out(
    request: MemberRequest, code: EicCode, do: str, status_form: StatusForm, link_form: LinkForm
) -> bool:
    """Whether something was done; what was not possible stands beside its field."""
    actor, now = request.membership, timezone.now()
    if status_form.is_valid():
        reason = status_form.cleaned_data["reason"]
        if do == "deactivate":
            deactivate_eic_code(code=code, reason=reason, actor=actor, now=now)
            messages.success(request, _("Le code %(code)s est désactivé.") % {"code": code.pk})
        else:
            reactivate_eic_code(code=code, reason=reason, actor=actor, now=now)
            messages.success(request, _("Le code %(code)s est de nouveau actif.") % {"code": code.pk})
        return True
    if link_form.is_valid():
        company = link_form.cleaned_data["company"]
        link_eic_code(code=code, organisation=company, actor=actor, now=now)
        if company is None:
            messages.success(request, _("Le code n’est plus rattaché à une entreprise."))
        else:
            messages.success(request, _("Le code est rattaché à %(name)s.") % {"name": company.legal_name})
        return True
    return False


def _page(
    request: MemberRequest, code: EicCode, status_form: StatusForm, link_form: LinkForm, form: forms.Form
) -> HttpResponse:
    origin = getattr(code, "request", None)
    context = {
        "code": code,
        "type_name": naming.type_name(code.type),
        "status": naming.status(code),
        "doubt": "" if code.valid else doubt(code),
        "answers": eic_form().answers(code.details),
        "asked": origin,
        "status_form": status_form,
        "link_form": link_form,
        "form": form,
        "page_obj": (events := page_of(request, history_of(actor=request.membership, code=code))),
        "events": [_event(event, request.membership) for event in events],
    }
    return render(request, "eic/staff_code.html", context, status=422 if form.errors else 200)


def _event(event: AuditEvent, actor: Membership) -> dict[str, Any]:
    return {
        "at": event.at,
        "what": naming.ACTIONS.get(event.action, event.action),
        "who": event.user_name or _("ligne de commande"),
        "details": naming.details(event.before, event.after),
    }
