"""Versions of the questionnaire, for the operator: what is published, and publishing another in two steps."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gridgate.kyc.form import LARGEST_DOCUMENT, Form
from gridgate.kyc.form_file import InvalidForm, read_form
from gridgate.kyc.kind import KYC
from gridgate.kyc.models import KycForm
from gridgate.kyc.operations.forms import InvalidVersion, publish_form, usable_version
from gridgate.kyc.queries import form_version, form_versions
from gridgate.organisations.models import Membership
from gridgate.portal import request_kinds
from gridgate.portal.guards.access import MemberRequest, administrator_required, operator_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import LineField
from gridgate.portal.kit.paging import page_of
from gridgate.portal.screens.kyc import form_texts
from gridgate.portal.screens.kyc.forms import SectionForm
from gridgate.portal.screens.kyc.version_faults import said
from gridgate.portal.shell.navigation import pending


@pending("operator_kyc_forms")
def requests_to_treat(membership: Membership) -> int:
    return request_kinds.waiting(membership).get(KYC.prefix, 0)


class UploadForm(forms.Form):
    """A new version: its name, and its file."""

    version = LineField(
        label=gettext_lazy("Nom de la version"),
        max_length=20,
        help_text=gettext_lazy(
            "Lettres, chiffres, points et traits d’union : 2, 2027-01. Il ne pourra plus changer."
        ),
        error_messages={
            "required": gettext_lazy("Donnez un nom."),
            "max_length": gettext_lazy("20 caractères au plus."),
        },
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    file = forms.FileField(
        label=gettext_lazy("Fichier JSON"),
        help_text=gettext_lazy(
            "Partez du fichier d’une version publiée. Il est d’abord vérifié ; rien n’est publié."
        ),
        allow_empty_file=True,
        error_messages={"required": gettext_lazy("Choisissez un fichier.")},
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )

    def clean_version(self) -> str:
        try:
            return usable_version(self.cleaned_data["version"])
        except InvalidVersion as error:
            raise forms.ValidationError(_version_fault(error)) from None

    def clean_file(self) -> Any:
        sent = self.cleaned_data["file"]
        if sent.size > LARGEST_DOCUMENT:
            raise forms.ValidationError(
                _("Le fichier pèse plus de %(size)s Ko."),
                params={"size": formats.number(LARGEST_DOCUMENT // 1024)},
            )
        return sent


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def index(request: MemberRequest) -> HttpResponse:
    """What is published; posted, a file is checked and shown as it would look."""
    may_publish = request.membership.is_administrator
    form, faults = UploadForm(), []
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            text: bytes = form.cleaned_data["file"].read()
            try:
                read, _given = read_form(text)
            except InvalidForm as error:
                faults = [said(fault) for fault in error.faults]
            else:
                return _confirm(request, form.cleaned_data["version"], text, read)
    versions = form_versions(actor=request.membership)
    context = {
        "form": form,
        "faults": faults,
        "file_name": getattr(form.files.get("file"), "name", "") if faults else "",
        "may_publish": may_publish,
        "page_obj": page_of(request, versions),
        "present": versions.values_list("pk", flat=True).first(),
    }
    return render(request, "kyc/versions.html", context)


@require_POST
@operator_required
@administrator_required
def publish(request: MemberRequest) -> HttpResponse:
    """Publish what was shown: the file is checked again, for it comes from the page."""
    text = request.POST.get("document", "").encode()
    try:
        made = publish_form(
            document=text,
            version=request.POST.get("version", ""),
            actor=request.membership,
            now=datetime.now(UTC),
        )
    except InvalidVersion as error:
        messages.error(request, _version_fault(error))
        return redirect("operator_kyc_forms")
    except InvalidForm:
        messages.error(request, _("Le document a changé entre-temps. Envoyez de nouveau le fichier."))
        return redirect("operator_kyc_forms")
    messages.success(request, _("La version %(version)s est publiée.") % {"version": made.version})
    return redirect("operator_kyc_forms")


@require_safe
@operator_required
def preview(request: MemberRequest, version: str) -> HttpResponse:
    """A version as companies see it."""
    found = form_version(version=version, actor=request.membership)
    context = {"version": found, "sections": list(_drawn(_form(found)))}
    return render(request, "kyc/version.html", context)


@require_safe
@operator_required
def document(request: MemberRequest, version: str) -> HttpResponse:
    """A version's file, to begin another with."""
    version_found = form_version(version=version, actor=request.membership)
    given = {"months_valid": version_found.months_valid, "sections": version_found.sections}
    answer = HttpResponse(
        json.dumps(given, ensure_ascii=False, indent=2) + "\n", content_type="application/json"
    )
    answer["Content-Disposition"] = f'attachment; filename="questionnaire-{version_found.version}.json"'
    return answer


def _confirm(request: MemberRequest, version: str, text: bytes, form: Form) -> HttpResponse:
    context = {
        "version": version,
        "document": text.decode("utf-8-sig"),
        "months_valid": form.months_valid,
        "fields": sum(len(section.fields) for section in form.sections),
        "sections": list(_drawn(form)),
        "may_publish": request.membership.is_administrator,
    }
    return render(request, "kyc/publish.html", context)


def _drawn(form: Form) -> Iterator[dict[str, Any]]:
    for section in form.sections:
        yield {
            "title": form_texts.in_language(section.title),
            "help": form_texts.in_language(section.help),
            "form": SectionForm(form, section, answers={}),
        }


def _form(found: KycForm) -> Form:
    return Form.of(found.sections, months_valid=found.months_valid)


def _version_fault(error: InvalidVersion) -> str:
    if error.taken:
        return _("Cette version est publiée, et ne change plus. Donnez un autre nom.")
    return _("De 1 à 20 lettres, chiffres, points ou traits d’union, par exemple 2 ou 2027-01.")
