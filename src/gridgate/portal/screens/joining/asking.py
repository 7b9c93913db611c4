"""`/rejoindre/`: the answer is the same whether the company is here or not."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from gridgate.accounts.security.pace import Attempt, by_account
from gridgate.core.identifiers import InvalidIdentifier, parse_siren
from gridgate.core.text import compact
from gridgate.onboarding.models import JoinRequest, JoinRequestState
from gridgate.onboarding.operations.join_requests import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_OPEN,
    JoinRequestClosed,
    JoinRequestNotFound,
    JoinRequestOpen,
    NameTooShort,
    TooManyJoinRequests,
    ask_to_join,
    own_join_requests,
    withdraw,
)
from gridgate.organisations.handles import number_of
from gridgate.organisations.operations.members import MembershipExists
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import LineField
from gridgate.portal.refusals.waits import tell_wait, too_often

STATES: dict[JoinRequestState, tuple[str, Any, str]] = {
    JoinRequestState.WAITING: ("", gettext_lazy("En attente"), "clock"),
    JoinRequestState.EXPIRED: ("", gettext_lazy("Expirée"), "x"),
    JoinRequestState.WITHDRAWN: ("", gettext_lazy("Retirée"), "x"),
    JoinRequestState.ACCEPTED: ("good", gettext_lazy("Acceptée"), "check"),
    JoinRequestState.REFUSED: ("bad", gettext_lazy("Refusée"), "x"),
}
_SHOWN = 20


class JoinForm(forms.Form):
    company = LineField(
        label=gettext_lazy("SIREN ou nom de votre entreprise"),
        help_text=gettext_lazy(
            "Le SIREN ne laisse aucun doute : neuf chiffres, sur ses factures. Un nom s’écrit en entier. Si plusieurs "
            "entreprises portent ce nom, donnez le SIREN : par leur nom seul, aucune ne reçoit la demande."
        ),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    message = LineField(
        label=gettext_lazy("Message à ses administrateurs"),
        required=False,
        max_length=LONGEST_TEXT,
        help_text=gettext_lazy("Qui vous êtes pour l’entreprise, et ce que vous avez à y faire."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    @property
    def asked(self) -> dict[str, str]:
        """What `ask_to_join` is told: digits are a SIREN, all else is a name."""
        said: str = self.cleaned_data["company"]
        return {"siren": said} if compact(said).isdigit() else {"name": said}

    def clean_company(self) -> str:
        typed: str = self.cleaned_data["company"]
        if not compact(typed).isdigit():
            return typed
        try:
            return parse_siren(typed)
        except InvalidIdentifier:
            raise forms.ValidationError(
                _("Ce n’est pas un SIREN : il a neuf chiffres, dont un de contrôle.")
            ) from None


@account_page
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AccountRequest) -> HttpResponse:
    """Ask, and follow what was asked."""
    if request.method == "POST" and "withdraw" in request.POST:
        return _withdraw(request)
    form = JoinForm(request.POST or None)
    if form.is_valid():
        attempt = Attempt(by_account(f"asking to join by {request.user.pk}", scarce=True), now=timezone.now())
        if not attempt.allowed:
            form.add_error(None, too_often(attempt))
            return tell_wait(_page(request, form), attempt)
        join_request = _asked(request, form)
        if join_request is not None:
            text = _(
                "Votre demande est enregistrée. Si cette entreprise a des administrateurs ici, ils reçoivent "
                "un e-mail ; sans réponse d’eux, elle expire le %(day)s."
            )
            messages.success(request, text % {"day": formats.long_day(join_request.expires_at)})
            return redirect("join_company")
    return _page(request, form)


def _page(request: AccountRequest, form: JoinForm) -> HttpResponse:
    now = timezone.now()
    rows = [row_of(one, now) for one in own_join_requests(user=request.user)[:_SHOWN]]
    status = 422 if form.errors else 200
    return render(request, "joining/ask.html", {"form": form, "rows": rows}, status=status)


def _asked(request: AccountRequest, form: JoinForm) -> JoinRequest | None:
    """None when it was refused: the form then says why, and nothing of other people."""
    said = form.cleaned_data
    try:
        return ask_to_join(user=request.user, **form.asked, message=said["message"], now=timezone.now())
    except NameTooShort:
        form.add_error("company", _("Écrivez le nom de l’entreprise en entier, ou son SIREN."))
    except MembershipExists:
        form.add_error("company", _("Vous agissez déjà pour cette entreprise."))
    except JoinRequestOpen:
        form.add_error("company", _("Vous l’avez déjà demandé, et la réponse est attendue."))
    except TooManyJoinRequests:
        text = _("%(count)s de vos demandes attendent déjà. Retirez-en une d’abord.")
        form.add_error("company", text % {"count": formats.number(MOST_OPEN)})
    return None


def _withdraw(request: AccountRequest) -> HttpResponse:
    pk = number_of("join_request", request.POST["withdraw"])
    if pk is None:
        raise JoinRequestNotFound
    try:
        withdraw(user=request.user, pk=pk, now=timezone.now())
        messages.success(request, _("Votre demande est retirée."))
    except JoinRequestClosed:
        messages.info(request, _("Cette demande n’attendait plus de réponse."))
    return redirect("home" if request.POST.get("back") == "home" else "join_company")


def row_of(join_request: JoinRequest, now: datetime) -> dict[str, Any]:
    """A request of one's own, with its state in a word."""
    state = join_request.state(now)
    tone, label, icon = STATES[state]
    open_ = state is JoinRequestState.WAITING
    return {"asked": join_request, "tone": tone, "label": label, "icon": icon, "open": open_}
