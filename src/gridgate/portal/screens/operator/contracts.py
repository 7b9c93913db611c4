"""The contracts of a company: recording one, ending it, opening it again."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gridgate.organisations.operations.companies import InvalidContract, end_contract, record_contract
from gridgate.portal.guards.access import MemberRequest, operator_required
from gridgate.portal.kit import formats
from gridgate.portal.screens.operator.company import contract_line
from gridgate.portal.screens.operator.forms import ContractEndForm, ContractForm
from gridgate.portal.screens.operator.reads import company, contract_of
from gridgate.portal.screens.sharing.moment import Moment

_ONE_DAY = timedelta(days=1)


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def new(request: MemberRequest, siren: str) -> HttpResponse:
    """Record a contract."""
    organisation, moment = company(actor=request.membership, siren=siren), Moment.present()
    form = ContractForm(
        request.POST if request.method == "POST" else None, initial={"valid_from": moment.today}
    )
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        last = cleaned["last_day"]
        try:
            contract = record_contract(
                organisation=organisation,
                number=cleaned["number"],
                label=cleaned["label"],
                valid_from=cleaned["valid_from"],
                valid_to=last and last + _ONE_DAY,
                actor=request.membership,
                now=moment.now,
            )
        except InvalidContract as refused:
            known = refused.where == "number"
            text = (
                _("Un contrat a déjà ce numéro.") if known else _("Le dernier jour vient après le premier.")
            )
            form.add_error("number" if known else "last_day", text)
        else:
            messages.success(
                request, _("Le contrat %(number)s est enregistré.") % {"number": contract.number}
            )
            return redirect("operator_company", organisation.siren)
    context = {"company": organisation, "form": form}
    return render(request, "operator/contract_new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def change(request: MemberRequest, siren: str, pk: int) -> HttpResponse:
    """Set the last day of a contract or, posted with `do=reopen`, take it away."""
    actor, moment = request.membership, Moment.present()
    organisation = company(actor=actor, siren=siren)
    contract = contract_of(actor=actor, organisation=organisation, pk=pk)
    ending = request.method == "POST" and request.POST.get("do") == "end"
    last_known = contract.valid_to - _ONE_DAY if contract.valid_to is not None else moment.today
    form = ContractEndForm(
        request.POST if ending else None, contract=contract, initial={"last_day": last_known}
    )
    if request.POST.get("do") == "reopen":
        end_contract(contract=contract, valid_to=None, actor=actor, now=moment.now)
        messages.success(request, _("Le contrat %(number)s n’a plus de terme.") % {"number": contract.number})
        return redirect("operator_company", organisation.siren)
    if ending and form.is_valid():
        last = form.cleaned_data["last_day"]
        end_contract(contract=contract, valid_to=last + _ONE_DAY, actor=actor, now=moment.now)
        said = _("Le contrat %(number)s prend fin le %(day)s au soir.")
        messages.success(request, said % {"number": contract.number, "day": formats.long_day(last)})
        return redirect("operator_company", organisation.siren)
    context: dict[str, Any] = {
        "company": organisation,
        "contract": contract_line(contract, moment),
        "form": form,
        "only": _is_only(organisation, contract.pk, moment),
    }
    return render(request, "operator/contract.html", context, status=422 if form.errors else 200)


def _is_only(found: Any, pk: int, moment: Moment) -> bool:
    """True when no other contract of the company is in force today."""
    return not any(one.pk != pk and one.in_force_on(moment.today) for one in found.contracts.all())
