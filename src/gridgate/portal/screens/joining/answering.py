"""Whoever manages the company's users reads who asks, and accepts or refuses."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from gridgate.onboarding.models import JoinRequest, JoinRequestState
from gridgate.onboarding.operations.join_requests import (
    LONGEST_TEXT,
    FromDirectory,
    JoinRequestClosed,
    accept,
    comes_from_directory,
    refuse,
    request_to_join,
    requests_to_join,
)
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.company_rights import Person
from gridgate.organisations.models import Membership
from gridgate.organisations.operations.members import MembershipExists
from gridgate.organisations.queries import groups_of
from gridgate.organisations.rights_changes import Change, becoming
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit.forms import LineField
from gridgate.portal.kit.paging import page_of
from gridgate.portal.screens.company.consequences import consequences, fingerprint, present_rights
from gridgate.portal.screens.company.forms import MemberForm
from gridgate.portal.screens.joining.asking import STATES

_NEW = 0
"""The number of no member: who asks, in the rights as they would be."""


class LetInForm(MemberForm):
    """What the person would be. An administrator is named afterwards, on their own page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("role", None)

    def too_early(self) -> str:
        return _("Choisissez un jour après aujourd’hui. Pour ne donner aucun accès, refusez la demande.")


class RefusalForm(forms.Form):
    reason = LineField(
        label=gettext_lazy("Raison du refus"),
        help_text=gettext_lazy(
            "Envoyée à la personne, avec le SIREN ou le nom qu’elle a écrit, et sans votre nom."
        ),
        max_length=LONGEST_TEXT,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@require_safe
@entitlement_required(EntitlementCode.USERS)
def index(request: MemberRequest) -> HttpResponse:
    """Those that wait and those that were answered, the latest first."""
    now = timezone.now()
    page = page_of(request, requests_to_join(actor=request.membership))
    return render(request, "joining/index.html", {"page_obj": page, "rows": [_row(one, now) for one in page]})


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.USERS)
def answer(request: MemberRequest, pk: int) -> HttpResponse:
    """Accept, once it was read what that opens; or refuse, with a reason."""
    actor, now = request.membership, timezone.now()
    join_request = request_to_join(actor=actor, pk=pk)
    groups = groups_of(actor=actor)
    if request.method != "POST":
        return _page(request, join_request, LetInForm(groups=groups, actor=actor), RefusalForm())
    try:
        if join_request.state(now) is not JoinRequestState.WAITING:
            raise JoinRequestClosed
        if request.POST.get("do") == "refuse":
            refusal = RefusalForm(request.POST)
            if not refusal.is_valid():
                form = LetInForm(groups=groups, actor=actor)
                return _page(request, join_request, form, refusal, status=422)
            refuse(pk=pk, actor=actor, reason=refusal.cleaned_data["reason"], now=now)
            messages.success(request, _("La demande de %(name)s est refusée.") % {"name": join_request.user})
            return redirect("company_join_requests")
        form = LetInForm(request.POST, groups=groups, actor=actor)
        if not form.is_valid():
            return _page(request, join_request, form, RefusalForm(), status=422)
        changes = _changes(actor, join_request, form)
        if request.POST.get("seen") != fingerprint(changes, _who(join_request)):
            return _page(request, join_request, form, RefusalForm(), changes=changes)
        accept(
            pk=pk,
            actor=actor,
            external=form.is_external,
            until=form.until_chosen,
            groups=form.groups_chosen,
            now=now,
        )
    except JoinRequestClosed:
        messages.warning(request, _closed(request_to_join(actor=actor, pk=pk), actor, now))
        return redirect("company_join_request", pk)
    except MembershipExists:
        text = _("%(name)s agit déjà pour votre entreprise : votre réponse n’est pas enregistrée.")
        messages.warning(request, text % {"name": join_request.user})
        return redirect("company_join_requests")
    except FromDirectory:
        return _page(request, join_request, form, RefusalForm(), status=409)
    text = _("%(name)s agit maintenant pour %(company)s.")
    messages.success(request, text % {"name": join_request.user, "company": actor.organisation.legal_name})
    return redirect("company_join_requests")


def _closed(join_request: JoinRequest, actor: Membership, now: datetime) -> str:
    """Why the answer that was just given is not kept."""
    by = join_request.decided_by
    match join_request.state(now):
        case JoinRequestState.ACCEPTED | JoinRequestState.REFUSED if by == actor:
            return _("Vous avez déjà répondu à cette demande : rien d’autre n’est enregistré.")
        case JoinRequestState.ACCEPTED if by is not None:
            text = _("%(name)s a accepté cette demande avant vous : votre réponse n’est pas enregistrée.")
        case JoinRequestState.REFUSED if by is not None:
            text = _("%(name)s a refusé cette demande avant vous : votre réponse n’est pas enregistrée.")
        case _:
            return _("Cette demande n’attend plus de réponse : la vôtre n’est pas enregistrée.")
    return text % {"name": by.user}


def _changes(actor: Membership, join_request: JoinRequest, form: LetInForm) -> list[Change]:
    """What the person would have, of each service."""
    rights = present_rights(actor=actor)
    person = Person(str(join_request.user), administrator=False, until=form.until_chosen)
    after = replace(rights, people={**rights.people, _NEW: person})
    return becoming(rights, after.with_groups(_NEW, [group.pk for group in form.groups_chosen]))


def _who(asked: JoinRequest) -> list[str]:
    """Who is let in, as the page says it: a person changes their name, and a directory their address."""
    return [asked.user.email, str(asked.user)]


def _page(
    request: MemberRequest,
    join_request: JoinRequest,
    form: LetInForm,
    refusal: RefusalForm,
    *,
    changes: Sequence[Change] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        **_row(join_request, timezone.now()),
        "form": form,
        "refusal": refusal,
        "from_directory": comes_from_directory(join_request),
        "to_read": changes is not None,
        "consequences": consequences(changes or (), actor=request.membership),
        "seen": fingerprint(changes or (), _who(join_request)),
    }
    return render(request, "joining/answer.html", context, status=status)


def _row(join_request: JoinRequest, now: datetime) -> dict[str, Any]:
    state = join_request.state(now)
    tone, label, icon = STATES[state]
    return {
        "asked": join_request,
        "name": str(join_request.user),
        "tone": tone,
        "label": label,
        "icon": icon,
        "open": state is JoinRequestState.WAITING,
    }
