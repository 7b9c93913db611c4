"""The operator's desk records and confirms; a company's administrator confirms for its own people."""

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

from gridgate.accounts.models import LostFactor, LostFactorState, SensitiveAct
from gridgate.accounts.operations.lost_factors import (
    LONGEST_NOTE,
    AlreadyOpen,
    LostFactorClosed,
    LostFactorNotFound,
    NothingLost,
    cancel,
    checks_seen_by,
    confirm,
    record_check,
)
from gridgate.organisations.authority import NotAllowed
from gridgate.organisations.handles import number_of
from gridgate.organisations.models import Membership
from gridgate.organisations.queries import user_by_email
from gridgate.portal.guards.access import MemberRequest, administrator_required, operator_required
from gridgate.portal.guards.step_up import ask
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import AddressField, LineField
from gridgate.portal.kit.paging import page_of

_STATES: dict[LostFactorState, tuple[str, Any, str]] = {
    LostFactorState.WAITING: ("", gettext_lazy("La personne peut s’opposer"), "clock"),
    LostFactorState.TO_CONFIRM: ("warn", gettext_lazy("À confirmer"), "clock"),
    LostFactorState.EXPIRED: ("", gettext_lazy("Expirée"), "x"),
    LostFactorState.OBJECTED: ("bad", gettext_lazy("La personne s’y est opposée"), "x"),
    LostFactorState.CANCELLED: ("", gettext_lazy("Annulée"), "x"),
    LostFactorState.DONE: ("good", gettext_lazy("Seconds facteurs retirés"), "check"),
}


class CheckForm(forms.Form):
    email = AddressField(
        label=gettext_lazy("Adresse e-mail de la personne"),
        help_text=gettext_lazy("Celle avec laquelle elle se connecte. Elle y est prévenue aussitôt."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    how = forms.ChoiceField(
        label=gettext_lazy("Comment vous êtes-vous assuré de son identité ?"),
        choices=LostFactor.How.choices,
        widget=forms.RadioSelect,
    )
    note = LineField(
        label=gettext_lazy("Ce que vous avez vu ou entendu"),
        help_text=gettext_lazy(
            "Pour le collègue qui confirmera, et pour votre historique : le numéro rappelé,"
            " la pièce, la date du courrier."
        ),
        max_length=LONGEST_NOTE,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def desk(request: MemberRequest) -> HttpResponse:
    """Record a check, follow those there are, confirm a colleague's."""
    if request.method == "POST" and "lost" in request.POST:
        return _decide(request, "operator_lost_factors")
    form = CheckForm(request.POST or None)
    if form.is_valid():
        lost = _recorded(request.membership, form)
        if lost is not None:
            text = _(
                "%(email)s est prévenu et peut s’opposer jusqu’au %(at)s. Ensuite, un collègue ou un "
                "administrateur de son entreprise confirme."
            )
            at = formats.moment(lost.confirmable_at)
            messages.success(request, text % {"email": lost.user.email, "at": at})
            return redirect("operator_lost_factors")
    return _page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@administrator_required
def company(request: MemberRequest) -> HttpResponse:
    """The checks of the company's own people, for its administrators to confirm or to stop."""
    if request.method == "POST":
        return _decide(request, "company_lost_factors")
    return _page(request, None)


def _recorded(actor: Membership, form: CheckForm) -> LostFactor | None:
    """None when it was refused: the form then says why, beside the address."""
    cleaned = form.cleaned_data
    user = user_by_email(email=cleaned["email"])
    if user is None:
        form.add_error("email", _("Personne ne se connecte avec cette adresse."))
        return None
    try:
        return record_check(
            user=user, how=cleaned["how"], note=cleaned["note"], actor=actor, now=timezone.now()
        )
    except NothingLost:
        form.add_error("email", _("Cette personne n’a pas de second facteur : son mot de passe suffit."))
    except AlreadyOpen:
        form.add_error("email", _("Une vérification de cette personne attend déjà d’être confirmée."))
    except NotAllowed:
        form.add_error("email", _("Personne ne vérifie sa propre identité : demandez à un collègue."))
    return None


def _decide(request: MemberRequest, back: str) -> HttpResponse:
    pk = number_of("lost_factor", request.POST.get("lost", ""))
    if pk is None:
        raise LostFactorNotFound
    actor, now = request.membership, timezone.now()
    confirming = request.POST.get("do") == "confirm"
    if confirming and (asked := ask(request, SensitiveAct.FACTORS)) is not None:
        return asked
    try:
        if confirming:
            lost = confirm(pk=pk, actor=actor, now=now)
            text = _("Les seconds facteurs de %(name)s sont retirés et ses sessions fermées.")
        else:
            lost = cancel(pk=pk, actor=actor, now=now)
            text = _("La vérification de %(name)s est annulée : rien n’est retiré.")
        messages.success(request, text % {"name": lost.user})
    except LostFactorClosed as refused:
        _tone, label, _icon = _STATES[refused.state]
        messages.info(request, _("Rien n’a été fait : %(state)s.") % {"state": str(label).lower()})
    return redirect(back)


def _page(request: MemberRequest, form: CheckForm | None) -> HttpResponse:
    actor, now = request.membership, timezone.now()
    page = page_of(request, checks_seen_by(actor=actor))
    context = {"form": form, "page_obj": page, "rows": [_row(one, actor, now) for one in page]}
    status = 422 if form is not None and form.errors else 200
    return render(request, "lost_factors/index.html", context, status=status)


def _row(lost: LostFactor, actor: Membership, now: datetime) -> dict[str, Any]:
    state = lost.state(now)
    tone, label, icon = _STATES[state]
    annotated = vars(lost)
    open_ = state in (LostFactorState.WAITING, LostFactorState.TO_CONFIRM)
    return {
        "lost": lost,
        "name": str(lost.user),
        "tone": tone,
        "label": label,
        "icon": icon,
        "until": lost.confirmable_at if state is LostFactorState.WAITING else None,
        "open": open_,
        "note": lost.note if actor.organisation.is_operator else "",
        "may_confirm": state is LostFactorState.TO_CONFIRM and annotated["by_actor"],
        "objected_before": annotated["objected_before"],
        "orphan": open_ and not annotated["by_present"],
        "outgrown": open_ and annotated["outgrown"],
        "alone": open_ and not annotated["by_actor"],
    }
