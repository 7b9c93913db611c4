"""The company's own programs: which of them read within a group's perimeter, as its members do."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gridgate.applications.operations import set_group
from gridgate.applications.queries import applications_of
from gridgate.organisations.queries import group_of
from gridgate.portal.access import MemberRequest, administrator_required


@require_http_methods(["GET", "HEAD", "POST"])
@administrator_required
def page(request: MemberRequest, pk: int) -> HttpResponse:
    """Tick the programs of the group. One that is ticked leaves the group it was in."""
    actor = request.membership
    group = group_of(actor=actor, pk=pk)
    programs = list(applications_of(actor=actor))
    if request.method == "POST":
        chosen, now = set(request.POST.getlist("pick")), timezone.now()
        for program in programs:
            wanted, here = str(program.pk) in chosen, program.group_id == pk
            if wanted != here:
                set_group(application=program, group=group if wanted else None, actor=actor, now=now)
        messages.success(
            request, _("Les programmes de « %(name)s » sont enregistrés.") % {"name": group.name}
        )
        return redirect("company_group", pk)
    return render(request, "company/programs.html", {"group": group, "programs": programs})
