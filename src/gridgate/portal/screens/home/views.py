"""The home page: what needs attention, who read last, the figures of the company."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gridgate.accounts.own_account import favourites_of, latest_ended
from gridgate.metering.operator_queries import registry_figures
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.portal.counting import counting
from gridgate.portal.guards.access import AccountRequest, account_page, acts_no_more
from gridgate.portal.screens.administration.tasks import tasks_of
from gridgate.portal.screens.home.account import (
    ENDED_LATELY,
    asked_to_join,
    public_pages,
    steps_to_take,
    waiting,
)
from gridgate.portal.screens.home.company import overview_of
from gridgate.portal.screens.operator.requests import figures_of, kinds
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.shell.favourites import lines_of
from gridgate.requests.desk import desk_figures


@require_safe
@account_page
def page(request: AccountRequest) -> HttpResponse:
    """A company's overview; what waits for the operator's staff; to people of no company, what is for all."""
    actor, moment = request.membership, Moment.present()
    if actor is None:
        return render(request, "home/account.html", _of_no_company(request))
    if actor.organisation.is_operator:
        return render(request, "home/operator.html", _of_the_operator(request, actor, moment))
    everything = request.GET.get("energie") == "tous"
    overview = overview_of(actor=actor, moment=moment, everything=everything)
    restricted = not actor.reach(EntitlementCode.METERS).everything
    favourites = lines_of(favourites_of(user=request.user, membership=actor))
    context: dict[str, Any] = {"overview": overview, "restricted": restricted, "favourites": favourites}
    if overview.entitled and overview.points:
        context["counting"] = counting(moment.now)
    return render(request, "home/company.html", context)


def _of_the_operator(request: AccountRequest, actor: Membership, moment: Moment) -> dict[str, Any]:
    return {
        "figures": figures_of(desk_figures(kinds=kinds(), actor=actor, now=moment.now), moment.now),
        "tasks": tasks_of(actor=actor, now=moment.now),
        "registry": registry_figures(actor=actor, today=moment.today),
        "favourites": lines_of(favourites_of(user=request.user, membership=actor)),
    }


def _of_no_company(request: AccountRequest) -> dict[str, Any]:
    now = Moment.present().now
    ended = latest_ended(user=request.user, since=now - ENDED_LATELY)
    return {
        "ended": acts_no_more(ended) if ended is not None else "",
        "favourites": lines_of(favourites_of(user=request.user, membership=None)),
        "steps": steps_to_take(),
        "waiting": waiting(request.user),
        "joining": asked_to_join(request.user, now),
        "pages": public_pages(),
    }
