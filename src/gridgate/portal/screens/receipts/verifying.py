"""Verifying a receipt: for anyone who holds the file or the paper, signed in or not."""

import hmac
from dataclasses import dataclass

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from gridgate.portal.kit.forms import LineField
from gridgate.portal.screens.receipts.document import Document, fingerprint
from gridgate.portal.shell.time_zone import network_time
from gridgate.sharing.queries.receipts import receipt_numbered
from gridgate.sharing.receipts.keys import public_jwks
from gridgate.sharing.receipts.keys import verify as check_signature
from gridgate.sharing.signing import Valid

LARGEST = 10 * 2**20


class FileForm(forms.Form):
    """The signed file, chosen or pasted."""

    file = forms.FileField(
        label=gettext_lazy("Fichier de preuve (.jws)"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ".jws,.txt,application/jose"}),
    )
    token = forms.CharField(
        label=gettext_lazy("Ou son contenu, collé ici"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off"}),
    )

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, object] = super().clean() or {}
        file = cleaned.get("file")
        if file is None and not cleaned.get("token") and not self.errors:
            raise forms.ValidationError(_("Choisissez le fichier, ou collez son contenu."))
        if file is not None and getattr(file, "size", 0) > LARGEST:
            self.add_error("file", _("Ce fichier dépasse 10 Mo : ce n’est pas un reçu."))
        return cleaned

    def jws(self) -> str:
        file = self.cleaned_data.get("file")
        content = file.read().decode("utf-8", "replace") if file else self.cleaned_data["token"]
        return "".join(content.split())


class PaperForm(forms.Form):
    """What is printed at the foot of a receipt."""

    numero = LineField(label=gettext_lazy("Numéro du reçu"), max_length=30)
    empreinte = LineField(
        label=gettext_lazy("Empreinte"),
        max_length=80,
        help_text=gettext_lazy("Au bas du reçu, avec ou sans espaces."),
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the page says: genuine or not, why, and what the receipt says when one holds the file itself."""

    genuine: bool
    why: str = ""
    document: Document | None = None
    number: str = ""


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@network_time
def verify(request: HttpRequest) -> HttpResponse:
    """Say whether a receipt is genuine."""
    posted = request.method == "POST"
    file = FileForm(request.POST if posted else None, request.FILES if posted else None)
    paper = PaperForm(request.GET if "numero" in request.GET else None)
    verdict = None
    if posted and file.is_valid():
        verdict = _of_file(file.jws())
    elif paper.is_bound and paper.is_valid():
        verdict = _of_paper(paper.cleaned_data["numero"], paper.cleaned_data["empreinte"])
    layout = "base.html" if request.user.is_authenticated else "solo.html"
    context = {"layout": layout, "file": file, "paper": paper, "verdict": verdict}
    return render(request, "receipts/verify.html", context)


@login_not_required
@require_safe
@cache_control(public=True, max_age=300)
def keys(request: HttpRequest) -> JsonResponse:
    """The public keys of receipts (JWK set, RFC 7517), for other programs to verify with."""
    return JsonResponse(public_jwks(), headers={"Access-Control-Allow-Origin": "*"})


def _of_file(jws: str) -> Verdict:
    verified = check_signature(jws)
    if isinstance(verified, Valid):
        return Verdict(True, document=Document(verified.payload, jws))
    return Verdict(False, _why(verified.reason))


def _of_paper(number: str, printed: str) -> Verdict:
    """A paper says little: that a receipt of this number was issued, and that it is the one printed."""
    receipt = receipt_numbered(number=number.strip())
    digits = "".join(printed.split()).lower()
    if receipt is not None and hmac.compare_digest(fingerprint(receipt.jws).encode(), digits.encode()):
        return Verdict(True, number=receipt.number)
    return Verdict(False, _("Aucun reçu émis ici n’a ce numéro et cette empreinte."))


def _why(reason: str) -> str:
    if "another key" in reason or "no key" in reason:
        return _("Il est signé avec une clé qui n’est pas celle de ce gestionnaire de réseau.")
    if "changed" in reason:
        return _("Il a été modifié après sa signature, ou signé par quelqu’un d’autre.")
    return _("Ce n’est pas un reçu signé.")
