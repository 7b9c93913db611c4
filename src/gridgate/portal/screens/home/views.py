"""The home page: what needs attention, who read last, the figures of the company."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from gridgate.organisations.catalogue import EntitlementCode
from gridgate.portal.access import MemberRequest
from gridgate.portal.screens.home.company import overview_of
from gridgate.portal.screens.sharing.moment import Moment


@require_safe
def page(request: MemberRequest) -> HttpResponse:
    """A company's overview; the operator's staff go to what they run."""
    actor, moment = request.membership, Moment.present()
    if actor.organisation.is_operator:
        return redirect("operator_home")
    everything = request.GET.get("energie") == "tous"
    overview = overview_of(actor=actor, moment=moment, everything=everything)
    restricted = not actor.reach(EntitlementCode.METERS).everything
    return render(request, "home/company.html", {"overview": overview, "restricted": restricted})
