"""From when until when a group has a service, and a member is in a group: one small page for each."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gridgate.core.roles import ALWAYS, Term
from gridgate.organisations import as_read
from gridgate.organisations.authority import NotAllowed
from gridgate.organisations.catalogue import BY_CODE, EntitlementCode
from gridgate.organisations.company_rights import CompanyRights
from gridgate.organisations.models import UserGroup
from gridgate.organisations.operations.group_steps import InvalidTerm
from gridgate.organisations.operations.groups import date_place
from gridgate.organisations.operations.services import date_service, give
from gridgate.organisations.queries import entitlements_of, group_of, member_of, place_of
from gridgate.organisations.rights_changes import becoming
from gridgate.portal.guards.access import MemberRequest, administrator_required, entitlement_required
from gridgate.portal.kit.meanwhile import Meanwhile, differing
from gridgate.portal.screens.company.consequences import (
    consequences,
    fingerprint,
    is_confirmed,
    losses,
    present_rights,
)
from gridgate.portal.screens.company.opened import is_stale, who_changed
from gridgate.portal.screens.company.person import may_change
from gridgate.portal.screens.company.terms import TermForm, place_said, said


@require_http_methods(["GET", "HEAD", "POST"])
@administrator_required
def service(request: MemberRequest, pk: int, code: str) -> HttpResponse:
    """Of a service of the group; one that is not by point is given here too. Of the others one chooses the points."""
    with _writing(request):
        return _service(request, pk, code)


def _service(request: MemberRequest, pk: int, code: str) -> HttpResponse:
    actor, now = request.membership, timezone.now()
    group = group_of(actor=actor, pk=pk)
    entry = BY_CODE.get(code)
    if entry is None or not entry.rule.offered_to(actor.organisation.beneficiary_roles):
        raise Http404
    given = entitlements_of(actor=actor, groups=[pk]).filter(code=code).first()
    if given is None and entry.by_point:
        return redirect("company_perimeter", pk, code)

    def save(term: Term) -> None:
        if given is None:
            give(group=group, code=code, term=term, actor=actor, now=now)
        else:
            date_service(group=group, code=code, term=term, actor=actor, now=now)

    return _page(
        request,
        group,
        TermForm(
            request.POST if request.method == "POST" else None, was=given.term if given else ALWAYS, now=now
        ),
        after=lambda rights, term: rights.with_term(pk, code, term),
        save=save,
        context={"entry": entry, "given": given},
        say=lambda term: said(term, now),
        now=now,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.USERS)
def place(request: MemberRequest, pk: int, who: int) -> HttpResponse:
    """Of a member's place in the group."""
    with _writing(request):
        return _place(request, pk, who)


def _place(request: MemberRequest, pk: int, who: int) -> HttpResponse:
    actor, now = request.membership, timezone.now()
    group = group_of(actor=actor, pk=pk)
    member = member_of(actor=actor, pk=who)
    was = place_of(actor=actor, group=group, member=member)
    if not may_change(actor, member):
        raise NotAllowed

    def save(term: Term) -> None:
        date_place(group=group, membership=member, term=term, actor=actor, now=now)

    return _page(
        request,
        group,
        TermForm(request.POST if request.method == "POST" else None, was=was, now=now),
        after=lambda rights, term: rights.with_place(pk, who, term),
        save=save,
        context={"member": member},
        say=lambda term: place_said(term, member.until, now),
        now=now,
    )


def _writing(request: MemberRequest) -> AbstractContextManager[None]:
    """What is compared and what is saved are of one transaction; whoever reads waits for none."""
    return transaction.atomic() if request.method == "POST" else nullcontext()


def _page(
    request: MemberRequest,
    group: UserGroup,
    form: TermForm,
    *,
    after: Callable[[CompanyRights, Term], CompanyRights],
    save: Callable[[Term], None],
    context: dict[str, Any],
    say: Callable[[Term], str],
    now: datetime,
) -> HttpResponse:
    """What the dates do is read before they are saved, as is what a colleague saved meanwhile; what was typed stays
    in the form.
    """
    actor = request.membership
    saved = [form.was.begins, form.was.ends, "given" in context and context["given"] is None]
    context |= {
        "group": group,
        "form": form,
        "present": say(form.was),
        "read": as_read.fingerprint(saved),
    }
    if request.method != "POST":
        return render(request, "company/dates.html", context)
    if is_stale(request, saved):
        differs = differing(form, TermForm(was=form.was, now=now))
        context["meanwhile"] = Meanwhile(who_changed(group, actor=actor), differs)
        return render(request, "company/dates.html", context, status=409)
    if not form.is_valid():
        return render(request, "company/dates.html", context, status=422)
    rights = present_rights(actor=actor)
    changes = becoming(rights, after(rights, form.term))
    if not is_confirmed(request, changes):
        context |= {"consequences": consequences(changes, actor=actor), "seen": fingerprint(changes)}
        return render(request, "company/dates.html", context)
    try:
        save(form.term)
    except InvalidTerm:  # midnight came between
        form.add_error(None, _("Ces dates ne vont plus. Relisez-les."))
        return render(request, "company/dates.html", context, status=422)
    dates = say(form.term) or _("sans date")
    text = _("Les dates sont enregistrées : %(dates)s.") % {"dates": dates}
    messages.success(request, f"{text} {losses(changes)}".strip())
    return redirect("company_group", group.pk)
