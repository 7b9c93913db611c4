"""*Entreprises*: find one among thousands, and register a new one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from gridgate.metering.operator_queries import points_held
from gridgate.onboarding.models import InvitationState
from gridgate.organisations.as_read import ChangedMeanwhile
from gridgate.organisations.models import Organisation
from gridgate.organisations.operations.companies import (
    DomainTaken,
    OrganisationExists,
    create_organisation,
    record_as_read,
    update_organisation,
)
from gridgate.portal.guards.access import MemberRequest, operator_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import LineField
from gridgate.portal.kit.meanwhile import Meanwhile, differing
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.shapes import Tag, filters_in_force
from gridgate.portal.screens.operator import company_roles
from gridgate.portal.screens.operator.forms import CompanyForm, NewCompanyForm
from gridgate.portal.screens.operator.reads import NO_ROLE, CompanyFilter, companies, company, who_last
from gridgate.portal.screens.sharing.moment import Moment

_ALL = ("", gettext_lazy("Toutes"))
_ADMINISTRATION: list[tuple[str, Any]] = [
    _ALL,
    ("avec", gettext_lazy("Avec administrateur")),
    ("sans", gettext_lazy("Sans administrateur")),
    ("attendu", gettext_lazy("Premier administrateur attendu")),
    ("expire", gettext_lazy("Lien d’activation expiré")),
]
_CONTRACTS: list[tuple[str, Any]] = [
    _ALL,
    ("avec", gettext_lazy("En vigueur")),
    ("sans", gettext_lazy("Aucun en vigueur")),
]
_DECLARED = {"attendu": InvitationState.PENDING, "expire": InvitationState.EXPIRED}


class CompanyFilterForm(forms.Form):
    """Values that make no sense are as if they were not there: an address may come from anywhere."""

    q = LineField(
        label=gettext_lazy("Rechercher"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": gettext_lazy("Nom, SIREN, code EIC ou contrat")}
        ),
    )
    role = forms.ChoiceField(label=gettext_lazy("Rôle"), required=False)
    admin = forms.ChoiceField(label=gettext_lazy("Administration"), choices=_ADMINISTRATION, required=False)
    contrat = forms.ChoiceField(label=gettext_lazy("Contrat"), choices=_CONTRACTS, required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)
        self._roles = [("", _("Tous")), *company_roles.role_choices(), (NO_ROLE, _("Aucun déclaré"))]
        role.choices = self._roles
        self.is_valid()

    @property
    def wanted(self) -> CompanyFilter:
        cleaned = self.cleaned_data
        admin = cleaned.get("admin", "")
        either = {"avec": True, "sans": False}
        return CompanyFilter(
            text=cleaned.get("q", ""),
            role=cleaned.get("role", ""),
            administered=either.get(admin),
            contracted=either.get(cleaned.get("contrat", "")),
            declared=_DECLARED.get(admin),
        )

    def labels(self) -> dict[str, str]:
        """How each filter in force reads on its tag."""
        cleaned = self.cleaned_data
        contract = str(dict(_CONTRACTS).get(cleaned.get("contrat", ""), ""))
        labels = {
            "q": _("« %(text)s »") % {"text": cleaned["q"]} if cleaned.get("q") else "",
            "role": str(dict(self._roles)[cleaned["role"]]) if cleaned.get("role") else "",
            "admin": str(dict(_ADMINISTRATION)[cleaned["admin"]]) if cleaned.get("admin") else "",
            "contrat": formats.said(_("Contrat"), contract.lower()) if cleaned.get("contrat") else "",
        }
        return {name: label for name, label in labels.items() if label}


@require_safe
@operator_required
def index(request: MemberRequest) -> HttpResponse:
    """One page of the companies, with what each holds today."""
    actor, moment = request.membership, Moment.present()
    form = CompanyFilterForm(request.GET)
    page = page_of(request, companies(actor=actor, wanted=form.wanted, now=moment.now))
    held = points_held(actor=actor, companies=[one.pk for one in page], today=moment.today)
    context = {
        "form": form,
        "filters": filters_in_force(request, form.labels()),
        "total": companies(actor=actor, now=moment.now).count(),
        "page_obj": page,
        "rows": [_line(one, held.get(one.pk, 0)) for one in page],
    }
    return render(request, "operator/companies.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def new(request: MemberRequest) -> HttpResponse:
    """Register a company."""
    form = NewCompanyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_organisation(
                **form.cleaned_data, actor=request.membership, now=Moment.present().now
            )
        except OrganisationExists:
            form.add_error("siren", _("Une entreprise a déjà ce SIREN : cherchez-la dans la liste."))
        except DomainTaken as refused:
            _say_taken(form, refused)
        else:
            said = _("%(name)s est enregistrée. Enregistrez son contrat, puis déclarez son administrateur.")
            messages.success(request, said % {"name": made.legal_name})
            return redirect("operator_company", made.siren)
    status = 422 if form.errors else 200
    return render(request, "operator/company_new.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def edit(request: MemberRequest, siren: str) -> HttpResponse:
    """Change what is recorded of a company."""
    organisation = company(actor=request.membership, siren=siren)
    form = CompanyForm.of(organisation, request.POST if request.method == "POST" else None)
    seen = request.POST.get("seen", "") if request.method == "POST" else record_as_read(organisation)
    if request.method == "POST" and form.is_valid():
        try:
            update_organisation(
                organisation=organisation,
                **form.cleaned_data,
                seen=seen,
                actor=request.membership,
                now=Moment.present().now,
            )
        except DomainTaken as refused:
            _say_taken(form, refused)
        except ChangedMeanwhile:
            return _changed_meanwhile(request, siren, form)
        else:
            messages.success(
                request,
                formats.elided(_("La fiche de %(name)s est à jour.") % {"name": organisation.legal_name}),
            )
            return redirect("operator_company", organisation.siren)
    status = 422 if form.errors else 200
    context = {"company": organisation, "form": form, "seen": seen}
    return render(request, "operator/company_edit.html", context, status=status)


def _changed_meanwhile(request: MemberRequest, siren: str, form: CompanyForm) -> HttpResponse:
    """What a colleague recorded, above what was typed: nothing is saved before that is read."""
    actor = request.membership
    organisation = company(actor=actor, siren=siren)
    who = who_last("company.changed", actor=actor, organisation=organisation)
    context = {
        "company": organisation,
        "form": form,
        "seen": record_as_read(organisation),
        "meanwhile": Meanwhile(who, differing(form, CompanyForm.of(organisation))),
    }
    return render(request, "operator/company_edit.html", context, status=409)


def _say_taken(form: CompanyForm, refused: DomainTaken) -> None:
    text = _(
        "%(domain)s est un domaine de %(company)s (%(siren)s) : un domaine est celui d’une seule entreprise."
    )
    taken = {"domain": refused.domain, "company": refused.company.legal_name, "siren": refused.company.siren}
    form.add_error("email_domains", formats.elided(text % taken))


def _line(organisation: Organisation, held: int) -> dict[str, Any]:
    return {
        "name": organisation.legal_name,
        "siren": organisation.siren,
        "roles": company_roles.roles(organisation.roles),
        "points": held,
        "contracted": vars(organisation)["contracted"],
        "administration": _administration(vars(organisation)),
    }


def _administration(annotated: dict[str, Any]) -> Tag:
    if annotated["administered"]:
        return Tag("good", _("Administrée"), "check")
    if annotated["awaited"]:
        return Tag("warn", _("Lien envoyé"), "clock")
    if annotated["expired"]:
        return Tag("bad", _("Lien expiré"), "alert")
    return Tag("", _("Personne pour l’instant"), "")
