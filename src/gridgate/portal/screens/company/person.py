"""One user of the company: role, groups, what they may do, what happened to them; detaching them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gridgate.accounts.models import SensitiveAct
from gridgate.audit.history import about_member
from gridgate.audit.models import AuditEvent
from gridgate.organisations import as_read
from gridgate.organisations.authority import LastAdministrator, NotAllowed
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.company_rights import CompanyRights
from gridgate.organisations.handles import handle_of
from gridgate.organisations.last_days import last_day
from gridgate.organisations.models import Membership
from gridgate.organisations.operations.groups import set_groups
from gridgate.organisations.operations.members import end_membership, update_member
from gridgate.organisations.queries import (
    administrators_of,
    former_memberships,
    group_names_of,
    groups_of,
    last_sign_in,
    member_of,
    places_of,
)
from gridgate.organisations.rights import not_over
from gridgate.organisations.rights_changes import Change, becoming
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.guards.step_up import ask
from gridgate.portal.kit import formats
from gridgate.portal.kit.meanwhile import Meanwhile, differing
from gridgate.portal.screens.company.access import access_lines
from gridgate.portal.screens.company.consequences import (
    consequences,
    fingerprint,
    is_confirmed,
    losses,
    present_rights,
)
from gridgate.portal.screens.company.events import event_rows
from gridgate.portal.screens.company.forms import EXTERNAL, MemberForm
from gridgate.portal.screens.company.opened import is_stale, who_last
from gridgate.portal.screens.company.terms import place_said

EVENTS = 10


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.USERS)
def page(request: MemberRequest, pk: int) -> HttpResponse:
    """What they are and may do; the form changes role, attachment and groups together."""
    actor = request.membership
    member = member_of(actor=actor, pk=pk)
    if request.method != "POST":
        return _page(request, member, _form(actor, member) if may_change(actor, member) else None)
    if not may_change(actor, member):
        raise NotAllowed
    form = MemberForm(request.POST, groups=groups_of(actor=actor), actor=actor, kept=member.last_day)
    form.is_valid()
    if is_stale(request, _form(actor, member).initial):
        return _meanwhile(request, member, form)
    if form.errors:
        return _page(request, member, form, status=422)
    if form.role_chosen != Membership.Role.ADMINISTRATOR and _is_last(actor, member):
        return _refused(request, pk, form)
    # What the last day takes is said by itself: what the rest changes is compared until then.
    rights = present_rights(actor=actor).with_until(member.pk, form.until_chosen)
    changes = becoming(rights, _after(rights, actor, member, form))
    promoted = _is_promoted(actor, member, form)
    sooner = _sooner(member, form.until_chosen)
    first = [*_promotion(member, promoted=promoted), *sooner]
    if not is_confirmed(request, changes, first):
        as_saved = member_of(actor=actor, pk=pk)
        return _page(request, as_saved, form, changes=changes, first=first, leaves=bool(sooner))
    if promoted:
        asked = ask(request, SensitiveAct.RIGHTS)
        if asked is not None:
            return asked
    try:
        _save(actor, member, form, read=request.POST.get("read"))
    except as_read.ChangedMeanwhile:  # at the same moment
        return _meanwhile(request, member_of(actor=actor, pk=pk), form)
    except LastAdministrator:  # the other one left at the same moment
        return _refused(request, pk, form)
    text = formats.elided(_("Les droits de %(name)s sont enregistrés.") % {"name": member.user})
    messages.success(request, f"{text} {losses(changes)}".strip())
    if member.pk == actor.pk and not member.is_administrator:
        return redirect("home")  # they may not open this page any more
    return redirect("company_user", pk)


def _after(rights: CompanyRights, actor: Membership, member: Membership, form: MemberForm) -> CompanyRights:
    """The company's rights once the form is saved, as `_save` does it."""
    role = form.role_chosen if actor.is_administrator else member.role
    after = rights.with_role(member.pk, administrator=role == Membership.Role.ADMINISTRATOR)
    if "groups" not in form.fields:
        return after
    return after.with_groups(member.pk, [group.pk for group in form.groups_chosen])


def _is_promoted(actor: Membership, member: Membership, form: MemberForm) -> bool:
    wanted = form.role_chosen if actor.is_administrator else member.role
    return wanted == Membership.Role.ADMINISTRATOR and not member.is_administrator


def _promotion(member: Membership, *, promoted: bool) -> list[str]:
    if not promoted:
        return []
    promotion = _(
        "%(name)s devient administrateur : tous les services sur tous les points, présents et à venir, et les "
        "droits de chacun, administrateurs compris."
    )
    ends_no_more = _("Sa date de fin est retirée : aucune fin n’est plus fixée.") if member.until else ""
    return [text for text in (promotion % {"name": member.user}, ends_no_more) if text]


def _sooner(member: Membership, until: datetime | None) -> list[str]:
    """What a last day that comes earlier than it did takes, in a sentence; none when it does not."""
    if until is None or (member.until is not None and member.until <= until):
        return []
    takes = _(
        "%(name)s n’agira plus pour %(company)s après le %(day)s : tout accès à ses données et à ses services "
        "prendra fin."
    ) % {
        "name": member.user,
        "company": member.organisation.legal_name,
        "day": formats.long_day(last_day(until)),
    }
    if member.last_day is None:
        return [takes, _("Jusqu’ici, aucune fin n’était fixée.")]
    was = _("Jusqu’ici, c’était après le %(before)s.") % {"before": formats.long_day(member.last_day)}
    return [takes, was]


def _refused(request: MemberRequest, pk: int, form: MemberForm) -> HttpResponse:
    form.add_error("role", last_administrator())
    return _page(request, member_of(actor=request.membership, pk=pk), form, status=422)


def _meanwhile(request: MemberRequest, member: Membership, form: MemberForm) -> HttpResponse:
    """What a colleague saved since the page was opened, beside what was typed; nothing is kept."""
    actor = request.membership
    who = who_last(_events(actor, member).filter(action__in=("member.changed", "group.members_changed")))
    saved = Meanwhile(who, differing(form, _form(actor, member)))
    return _page(request, member, form, meanwhile=saved, status=409)


def _save(actor: Membership, member: Membership, form: MemberForm, *, read: str | None) -> None:
    now = timezone.now()
    role = form.role_chosen if actor.is_administrator else member.role
    with transaction.atomic():
        as_read.require_read(read, _form(actor, member_of(actor=actor, pk=member.pk)).initial)
        update_member(
            membership=member,
            role=role,
            external=form.is_external,
            until=form.until_chosen,
            actor=actor,
            now=now,
        )
        if "groups" in form.fields:
            set_groups(membership=member, groups=form.groups_chosen, actor=actor, now=now)


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.USERS)
def detach(request: MemberRequest, pk: int) -> HttpResponse:
    """What ends and what stays; or why this person cannot be detached."""
    actor = request.membership
    member = member_of(actor=actor, pk=pk)
    if not may_change(actor, member):
        raise NotAllowed
    if request.method != "POST":
        return _detach_page(request, member)
    try:
        end_membership(membership=member, actor=actor, now=timezone.now())
    except LastAdministrator:
        return _detach_page(request, member, status=409)
    if member.pk == actor.pk:
        return redirect("home")  # which asks to sign in: this session was for the company
    messages.success(
        request,
        _("%(name)s n’agit plus pour %(company)s. L’accès à ses données a pris fin.")
        % {"name": member.user, "company": actor.organisation.legal_name},
    )
    return redirect("company_users")


def may_change(actor: Membership, member: Membership) -> bool:
    """A user manager changes users only: not administrators, who are above, and not themselves."""
    return actor.is_administrator or not (member.is_administrator or member.pk == actor.pk)


def last_administrator() -> str:
    return _(
        "C’est le dernier administrateur de votre entreprise, et elle en garde un. "
        "Nommez d’abord un autre administrateur."
    )


def _is_last(actor: Membership, member: Membership) -> bool:
    return member.is_administrator and not administrators_of(actor=actor).exclude(pk=member.pk).exists()


def _events(actor: Membership, member: Membership) -> QuerySet[AuditEvent]:
    memberships = former_memberships(actor=actor, user=member.user)
    return about_member(actor=actor, memberships=memberships, email=member.user.email)


def _form(actor: Membership, member: Membership) -> MemberForm:
    """As it is saved."""
    places = member.groups.filter(not_over(timezone.now()))
    initial = {
        "role": member.role,
        "external": EXTERNAL if member.external else "",
        "until": member.last_day,
        "groups": sorted(handle_of("group", pk) for pk in places.values_list("group", flat=True)),
    }
    return MemberForm(initial=initial, groups=groups_of(actor=actor), actor=actor, kept=member.last_day)


def _page(
    request: MemberRequest,
    member: Membership,
    form: MemberForm | None,
    *,
    changes: Sequence[Change] = (),
    first: Sequence[str] = (),
    leaves: bool = False,
    meanwhile: Meanwhile | None = None,
    status: int = 200,
) -> HttpResponse:
    actor, now = request.membership, timezone.now()
    saved = _form(actor, member) if form and form.is_bound else form
    context: dict[str, Any] = {
        "first": first,
        "leaves": leaves,
        "member": member,
        "name": str(member.user),
        "form": form,
        "read": as_read.fingerprint(saved.initial) if saved else "",
        "meanwhile": meanwhile,
        "oneself": member.pk == actor.pk,
        "places": [
            {"group": place.group, "dates": place_said(place.term, member.until, now)}
            for place in places_of(actor=actor, members=[member.pk])
        ],
        "last_sign_in": last_sign_in(actor=actor, member=member),
        "lines": access_lines(member),
        "events": [],
        "consequences": consequences(changes, actor=actor),
        "seen": fingerprint(changes, first),
    }
    if actor.is_administrator:
        context["events"] = event_rows(_events(actor, member)[:EVENTS])
    return render(request, "company/user.html", context, status=status)


def _detach_page(request: MemberRequest, member: Membership, *, status: int = 200) -> HttpResponse:
    actor = request.membership
    rights = present_rights(actor=actor)
    changes = becoming(rights, rights.without_member(member.pk))
    context = {
        "member": member,
        "name": str(member.user),
        "consequences": consequences(changes, actor=actor),
        "oneself": member.pk == actor.pk,
        "groups": group_names_of(actor=actor, members=[member.pk]).get(member.pk, []),
        "blocked": last_administrator() if _is_last(actor, member) else "",
    }
    return render(request, "company/detach.html", context, status=status)
