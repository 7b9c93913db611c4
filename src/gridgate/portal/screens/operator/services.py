"""To which companies each data service is offered, by beneficiary roles."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from gridgate.organisations.folding import company_named_like
from gridgate.portal.guards.access import MemberRequest, operator_required
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.searching import searched
from gridgate.portal.kit.shapes import Tag
from gridgate.portal.screens.operator import company_roles
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.sharing.models import DataService
from gridgate.sharing.operations.offering import offer_to
from gridgate.sharing.operator_queries import data_service, data_services


class OfferForm(forms.Form):
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Proposé aux entreprises qui ont l’un de ces rôles"),
        choices=company_roles.role_choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Aucun coché : proposé à toutes les entreprises."),
    )


@require_safe
@operator_required
def index(request: MemberRequest) -> HttpResponse:
    """Every data service, with whom it is offered to and how many use it."""
    services = data_services(actor=request.membership, now=Moment.present().now)
    text = searched(request.GET)
    if text:
        named = Q(name__icontains=text) | Q(name_en__icontains=text)
        services = services.filter(named | company_named_like(text, "provider"))
    page = page_of(request, services)
    context = {"page_obj": page, "rows": [_line(one) for one in page], "query": text}
    return render(request, "operator/services.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def offer(request: MemberRequest, code: str) -> HttpResponse:
    """Change to whom one is offered. What rests on the law is offered to nobody, and applies to all."""
    actor, now = request.membership, Moment.present().now
    service = data_service(actor=actor, code=code, now=now)
    form = OfferForm(request.POST if request.method == "POST" else None, initial={"roles": service.roles})
    if request.method == "POST" and service.terminable and form.is_valid():
        offer_to(service=service, roles=form.cleaned_data["roles"], actor=actor, now=now)
        said = _("« %(name)s » est proposé : %(roles)s.")
        messages.success(request, said % {"name": service.text("name"), "roles": _offered(service).lower()})
        return redirect("operator_services")
    context = {"service": service, "line": _line(service), "form": form}
    return render(request, "operator/service.html", context, status=422 if form.errors else 200)


def _line(service: DataService) -> dict[str, Any]:
    return {
        "code": service.code,
        "name": service.text("name"),
        "provider": service.provider.legal_name,
        "siren": service.provider.siren,
        "offered": _offered(service) if service.terminable else "",
        "tag": _tag(service),
        "used": vars(service)["used"],
    }


def _offered(one: DataService) -> str:
    return company_roles.roles(one.roles) if one.roles else _("Toutes les entreprises")


def _tag(service: DataService) -> Tag:
    if not service.terminable:
        return Tag("", _("Repose sur la loi"), "lock")
    return Tag("good", _("Au catalogue"), "check") if service.offered else Tag("", _("Sur demande"), "mail")
