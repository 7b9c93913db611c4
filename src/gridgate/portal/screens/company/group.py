"""One group: its name, its members, its services; deleting it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from gridgate.core.roles import ALWAYS, Term
from gridgate.organisations import as_read
from gridgate.organisations.catalogue import EntitlementCode, offered_to
from gridgate.organisations.company_rights import CompanyRights
from gridgate.organisations.handles import handle_of
from gridgate.organisations.models import Membership, UserGroup
from gridgate.organisations.operations.group_steps import InvalidGroup
from gridgate.organisations.operations.groups import delete_group, rename_group, set_members
from gridgate.organisations.queries import (
    Reserved,
    entitlements_of,
    group_of,
    groups_of,
    members_in,
    members_matching,
    members_of,
    reservations_of,
)
from gridgate.organisations.rights_changes import Change, becoming
from gridgate.portal.guards.access import MemberRequest, administrator_required, entitlement_required
from gridgate.portal.kit.meanwhile import Meanwhile, differing
from gridgate.portal.kit.paging import page_of
from gridgate.portal.screens.company.chooser import Chooser
from gridgate.portal.screens.company.consequences import (
    consequences,
    fingerprint,
    is_confirmed,
    losses,
    present_rights,
)
from gridgate.portal.screens.company.forms import GroupForm
from gridgate.portal.screens.company.matrix import cell_text
from gridgate.portal.screens.company.opened import is_stale, who_changed
from gridgate.portal.screens.company.person import may_change
from gridgate.portal.screens.company.terms import TermForm, place_said, said, shortened, who_has

_MEMBER = "member"


@require_safe
@entitlement_required(EntitlementCode.USERS)
def page(request: MemberRequest, pk: int) -> HttpResponse:
    """Who is in it, what it has, on which points."""
    actor = request.membership
    group = group_of(actor=actor, pk=pk)
    now = timezone.now()
    page_obj = page_of(request, members_in(actor=actor, group=group))
    context = {
        "group": group,
        "page_obj": page_obj,
        "members": [_member(actor, member, now) for member in page_obj],
        "services": _services(actor, group, now),
    }
    return render(request, "company/group.html", context)


def _member(actor: Membership, member: Membership, now: datetime) -> dict[str, Any]:
    place = Term(vars(member)["place_from"], vars(member)["place_until"])
    return {
        "member": member,
        "dates": place_said(place, member.until, now),
        "may_change": may_change(actor, member),
    }


def _services(actor: Membership, group: UserGroup, now: datetime) -> list[dict[str, Any]]:
    has = {one.code: one for one in entitlements_of(actor=actor, groups=[group.pk])}
    reserved = reservations_of(actor=actor, at=now)
    terms: dict[str, Term] = {code: one.term for code, one in has.items()}
    return [
        {
            "entry": entry,
            "has": has.get(entry.code),
            "dates": said(terms.get(entry.code, ALWAYS), now),
            "over": terms.get(entry.code, ALWAYS).is_over(now),
            "to_come": not terms.get(entry.code, ALWAYS).has_begun(now),
            "who": who_has(entry, reserved.get(entry.code, Reserved()), now),
            "cell": cell_text((group.pk, str(entry.code))),
        }
        for entry in offered_to(actor.organisation.beneficiary_roles)
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@administrator_required
def rename(request: MemberRequest, pk: int) -> HttpResponse:
    """By whoever has read the name that it has."""
    if request.method == "POST":
        with transaction.atomic():
            return _rename(request, pk)
    group = group_of(actor=request.membership, pk=pk)
    return _rename_page(request, group, GroupForm(initial={"name": group.name}))


def _rename(request: MemberRequest, pk: int) -> HttpResponse:
    actor = request.membership
    group = group_of(actor=actor, pk=pk)
    form = GroupForm(request.POST, others=groups_of(actor=actor).exclude(pk=pk))
    if is_stale(request, group.name):
        saved = differing(form, GroupForm(initial={"name": group.name}))
        return _rename_page(
            request, group, form, Meanwhile(who_changed(group, actor=actor), saved), status=409
        )
    if form.is_valid():
        try:
            rename_group(group=group, name=form.cleaned_data["name"], actor=actor, now=timezone.now())
        except InvalidGroup:
            form.add_error("name", _("Ce nom ne convient pas, ou un autre groupe le porte déjà."))
        else:
            messages.success(request, _("Le groupe s’appelle « %(name)s ».") % {"name": group.name})
            return redirect("company_group", pk)
    return _rename_page(request, group_of(actor=actor, pk=pk), form, status=422)


def _rename_page(
    request: MemberRequest,
    group: UserGroup,
    form: GroupForm,
    meanwhile: Meanwhile | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "group": group,
        "form": form,
        "read": as_read.fingerprint(group.name),
        "meanwhile": meanwhile,
    }
    return render(request, "company/group_rename.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.USERS)
def members(request: MemberRequest, pk: int) -> HttpResponse:
    """Choose among the company's users, hundreds of them: search, tick, save. What is saved is who was added and who was
    taken out: whom a colleague moved meanwhile stays where they are.
    """
    actor = request.membership
    group = group_of(actor=actor, pk=pk)
    now = timezone.now()
    places = _places(actor, group)
    form = TermForm(request.POST if request.method == "POST" else None, now=now)
    chooser = _chooser(request, places, now)
    rows = [
        {
            "row": row,
            "dates": place_said(places[row.item.pk], row.item.until, now) if row.item.pk in places else "",
        }
        for row in chooser.rows
    ]
    context: dict[str, Any] = {"group": group, "chooser": chooser, "rows": rows, "form": form}
    if not chooser.saving:
        return render(request, "company/members.html", context)
    if not form.is_valid():
        return render(request, "company/members.html", context, status=422)
    with transaction.atomic():
        places = _places(actor, group)
        chosen = _chooser(request, places, now).settled()
        rights = present_rights(actor=actor)
        changes = becoming(
            rights,
            rights.with_members(
                pk, [key for key in rights.people if handle_of(_MEMBER, key) in chosen], form.term
            ),
        )
        if not is_confirmed(request, changes):
            context |= {"consequences": consequences(changes, actor=actor), "seen": fingerprint(changes)}
            return render(request, "company/members.html", context)
        wanted = [one for one in members_of(actor=actor) if handle_of(_MEMBER, one.pk) in chosen]
        set_members(group=group, members=wanted, term=form.term, actor=actor, now=now)
    text = _("Les membres de « %(name)s » sont enregistrés.") % {"name": group.name}
    came = [one for one in wanted if one.pk not in places or places[one.pk].is_over(now)]
    shorter = shortened(came, form.term) if form.has_dates else ""
    messages.success(request, " ".join(filter(None, (text, shorter, losses(changes)))))
    return redirect("company_group", pk)


def _places(actor: Membership, group: UserGroup) -> dict[int, Term]:
    return {
        member.pk: Term(vars(member)["place_from"], vars(member)["place_until"])
        for member in members_in(actor=actor, group=group)
    }


def _chooser(request: MemberRequest, places: dict[int, Term], now: datetime) -> Chooser:
    actor = request.membership
    locked = (
        ()
        if actor.is_administrator
        else (handle_of(_MEMBER, one.pk) for one in members_of(actor=actor) if not may_change(actor, one))
    )
    return Chooser(
        request.POST if request.method == "POST" else None,
        matching=lambda text: members_matching(actor=actor, text=text),
        initial=[handle_of(_MEMBER, key) for key, place in places.items() if not place.is_over(now)],
        locked=locked,
        kind=_MEMBER,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@administrator_required
def delete(request: MemberRequest, pk: int) -> HttpResponse:
    """What opens, what closes, who loses what; then the end. What was read is what happens, or it is read again."""
    actor = request.membership
    with transaction.atomic():
        group = group_of(actor=actor, pk=pk)
        rights = present_rights(actor=actor)
        changes = becoming(rights, rights.without_group(pk))
        programs = [one.name for one in rights.programs.values() if one.group == pk]
        seen = request.POST.get("seen", "")
        confirmed = request.method == "POST" and seen == fingerprint(changes, programs)
        if confirmed:
            delete_group(group=group, actor=actor, now=timezone.now())
    if confirmed:
        messages.success(request, _("Le groupe « %(name)s » est supprimé.") % {"name": group.name})
        return redirect("company_groups")
    context = {
        "group": group,
        "consequences": consequences(changes, actor=actor),
        "kept": _kept(rights, changes, pk),
        "programs": programs,
        "seen": fingerprint(changes, programs),
        "changed_meanwhile": request.method == "POST",
    }
    return render(request, "company/group_delete.html", context, status=409 if seen else 200)


def _kept(rights: CompanyRights, changes: Sequence[Change], group: int) -> list[str]:
    """The services of the group that nobody loses by its end, and which stay with other groups."""
    touched = {change.entry.code for change in changes}
    return [
        entry.label
        for entry in rights.services
        if group in rights.given.get(entry.code, ()) and entry.code not in touched
    ]
