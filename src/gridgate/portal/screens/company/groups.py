"""*Groupes*: the company's groups, and creating one."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from gridgate.organisations.catalogue import BY_CODE, EntitlementCode
from gridgate.organisations.operations.group_steps import InvalidGroup
from gridgate.organisations.operations.groups import create_group
from gridgate.organisations.queries import entitlements_of, groups_of
from gridgate.portal.guards.access import MemberRequest, administrator_required, entitlement_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.searching import searched
from gridgate.portal.kit.shapes import filters_in_force
from gridgate.portal.screens.company.forms import GroupForm
from gridgate.portal.screens.company.terms import said


@require_safe
@entitlement_required(EntitlementCode.USERS)
def index(request: MemberRequest) -> HttpResponse:
    """One page of the groups, with what each has."""
    actor, now = request.membership, timezone.now()
    text = searched(request.GET)
    page = page_of(request, groups_of(actor=actor, text=text))
    groups = list(page)
    services: dict[int, list[str]] = {}
    for one in entitlements_of(actor=actor, groups=[group.pk for group in groups]):
        label, dates = BY_CODE[one.code].label, said(one.term, now)
        services.setdefault(one.group_id, []).append(f"{label} ({dates})" if dates else label)
    context = {
        "text": text,
        "filters": filters_in_force(request, {"q": formats.quoted(text)}),
        "total": groups_of(actor=actor).count(),
        "page_obj": page,
        "rows": [{"group": group, "services": services.get(group.pk, [])} for group in groups],
    }
    return render(request, "company/groups.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@administrator_required
def create(request: MemberRequest) -> HttpResponse:
    """A name, then the group's own page: members and services are given there."""
    actor = request.membership
    if request.method != "POST":
        return render(request, "company/group_new.html", {"form": GroupForm()})
    form = GroupForm(request.POST, others=groups_of(actor=actor))
    if form.is_valid():
        try:
            group = create_group(
                organisation=actor.organisation,
                name=form.cleaned_data["name"],
                actor=actor,
                now=timezone.now(),
            )
        except InvalidGroup:  # another of that name, at the same moment
            form.add_error("name", _("Ce nom ne convient pas, ou un autre groupe le porte déjà."))
        else:
            return redirect("company_group", group.pk)
    return render(request, "company/group_new.html", {"form": form}, status=422)
