"""Publishing a version of the general terms: what is typed is shown as people will read it, then confirmed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.validators import RegexValidator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from gridgate.accounts.models import SensitiveAct
from gridgate.onboarding.models import GeneralTerms
from gridgate.onboarding.operations.terms import LONGEST_VERSION, InvalidTerms, publish_terms
from gridgate.portal.guards.access import MemberRequest, administrator_required, operator_required
from gridgate.portal.guards.step_up import ask
from gridgate.portal.kit.forms import LineField
from gridgate.portal.screens.activation.terms import blocks
from gridgate.portal.screens.operator.reads import asked_of_terms, versions_of_terms
from gridgate.portal.screens.sharing.moment import Moment

_ROWS = {"rows": 16}
_LONGEST_TEXT = 100_000
_LONGEST_FORM = 2_500_000
"""Two of the longest texts as a form sends them, up to twelve bytes a character."""


class TermsForm(forms.Form):
    version = LineField(
        label=gettext_lazy("Version"),
        max_length=LONGEST_VERSION,
        help_text=gettext_lazy("Telle que chacun la lira, par exemple 2026-12."),
        validators=[
            RegexValidator(r"^[\w.-]+$", gettext_lazy("Des lettres, des chiffres, des points et des tirets."))
        ],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    text_fr = forms.CharField(
        label=gettext_lazy("Texte français"),
        max_length=_LONGEST_TEXT,
        widget=forms.Textarea(attrs=_ROWS | {"lang": "fr"}),
        help_text=gettext_lazy(
            "Une ligne vide sépare les paragraphes ; « ## » commence un titre, « - » un point."
        ),
    )
    text_en = forms.CharField(
        label=gettext_lazy("Texte anglais"),
        max_length=_LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs=_ROWS | {"lang": "en"}),
    )

    def __init__(self, data: Any = None, *, known: set[str], **more: Any) -> None:
        super().__init__(data, **more)
        self._known = known

    def clean_version(self) -> str:
        version: str = self.cleaned_data["version"].strip()
        if version in self._known:
            raise forms.ValidationError(
                _("Cette version est déjà publiée, et ne change plus : donnez-en une autre.")
            )
        return version


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
@administrator_required
def publish(request: MemberRequest) -> HttpResponse:
    """Type the text; read it as people will; publish it."""
    actor, now = request.membership, Moment.present().now
    versions = list(versions_of_terms(actor=actor, now=now))
    present = versions[0] if versions else None
    form = TermsForm(
        request.POST if request.method == "POST" else None,
        known={one.version for one in versions},
        initial={
            "text_fr": present.text_fr if present is not None else "",
            "text_en": present.text_en if present is not None else "",
        },
    )
    context: dict[str, Any] = {"form": form, "present": present}
    meant = request.POST.get("meant", "")
    if request.method == "POST" and form.is_valid() and request.POST.get("do") != "edit":
        left = _left_as_it_is(form.cleaned_data, present)
        if request.POST.get("do") == "publish" and left in ("", meant):
            if (asked := ask(request, SensitiveAct.POLICY, longest=_LONGEST_FORM)) is not None:
                return asked
            try:
                terms = publish_terms(**form.cleaned_data, actor=actor, now=now)
            except InvalidTerms:
                form.add_error("version", _("Cette version vient d’être publiée par un collègue."))
            else:
                said = _("La version %(version)s est en vigueur.")
                messages.success(request, said % {"version": terms.version})
                return redirect("operator_policy")
        else:
            context |= {
                "version": form.cleaned_data["version"],
                "french": blocks(form.cleaned_data["text_fr"]),
                "english": blocks(form.cleaned_data["text_en"]),
                "asked": asked_of_terms(actor=actor),
                "left": left,
                "forgotten": request.POST.get("do") == "publish",
            }
            status = 422 if context["forgotten"] else 200
            return render(request, "operator/terms_confirm.html", context, status=status)
    return render(request, "operator/terms_new.html", context, status=422 if form.errors else 200)


def _left_as_it_is(typed: dict[str, str], present: GeneralTerms | None) -> str:
    """The language whose text is still that of the version in force where the other's is not; empty for neither, and for
    a version of one language.
    """
    if present is None or not present.text_en:
        return ""
    same = {
        language: "".join(typed[f"text_{language}"].split()) == "".join(text.split())
        for language, text in (("fr", present.text_fr), ("en", present.text_en))
    }
    return next((language for language, so in same.items() if so), "") if len(set(same.values())) == 2 else ""
