"""The company's own programs: which of them read within a group's perimeter, as its members do."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gridgate.applications.models import Application
from gridgate.applications.operations import set_group
from gridgate.applications.queries import applications_of
from gridgate.organisations.models import UserGroup
from gridgate.organisations.queries import group_of
from gridgate.organisations.rights_changes import becoming
from gridgate.portal.guards.access import MemberRequest, administrator_required
from gridgate.portal.screens.company.consequences import (
    consequences,
    fingerprint,
    is_confirmed,
    losses,
    present_rights,
)


@require_http_methods(["GET", "HEAD", "POST"])
@administrator_required
def page(request: MemberRequest, pk: int) -> HttpResponse:
    """Tick the programs of the group. One that is ticked leaves the group it was in; one that was shown as ticked and
    is no more reads all points again, and no other does.
    """
    actor = request.membership
    group = group_of(actor=actor, pk=pk)
    programs = list(applications_of(actor=actor))
    if request.method == "POST":
        ticked, now = set(request.POST.getlist("pick")), timezone.now()
        had = set(request.POST.get("had", "").split())
        # Out goes what the page showed as ticked and came back unticked; one put here meanwhile stays.
        chosen = {
            program.pk
            for program in programs
            if program.client_id in ticked or (program.group_id == pk and program.client_id not in had)
        }
        rights = present_rights(actor=actor)
        changes = becoming(rights, rights.with_programs(pk, chosen))
        if not is_confirmed(request, changes):
            context = {"seen": fingerprint(changes), "consequences": consequences(changes, actor=actor)}
            return _page(request, group, programs, chosen, context)
        for program in programs:
            wanted, here = program.pk in chosen, program.group_id == pk
            if wanted != here:
                set_group(application=program, group=group if wanted else None, actor=actor, now=now)
        said = _("Les programmes de « %(name)s » sont enregistrés.") % {"name": group.name}
        messages.success(request, f"{said} {losses(changes)}".strip())
        return redirect("company_group", pk)
    chosen = {program.pk for program in programs if program.group_id == pk}
    return _page(request, group, programs, chosen, {})


def _page(
    request: MemberRequest,
    group: UserGroup,
    programs: list[Application],
    chosen: set[int],
    more: dict[str, Any],
) -> HttpResponse:
    had = " ".join(program.client_id for program in programs if program.group_id == group.pk)
    context = {"group": group, "programs": programs, "chosen": chosen, "had": had, **more}
    return render(request, "company/programs.html", context)
