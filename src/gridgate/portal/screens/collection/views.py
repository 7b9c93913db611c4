"""The collections of the company's points, and the history of each."""

from datetime import UTC, datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.timezone import get_default_timezone
from django.views.decorators.http import require_safe

from gridgate.core.time import civil_day_of
from gridgate.metering.queries.collections import collection_counts, collections_of, with_collection
from gridgate.metering.queries.lists import cities_of, narrow
from gridgate.metering.queries.points import PointNotFound, points_readable_by
from gridgate.metering.queries.titles import own_titles
from gridgate.metering.states import State, becomes, can_follow
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit.paging import page_of
from gridgate.portal.screens.collection.actions import ACTIONS, counted
from gridgate.portal.screens.metering_points.filters import PointFilterForm
from gridgate.portal.screens.metering_points.history import history
from gridgate.portal.screens.metering_points.point import said_times
from gridgate.portal.screens.metering_points.rows import collection, rows_of
from gridgate.portal.screens.metering_points.views import sorted_by


@require_safe
@entitlement_required(EntitlementCode.DATA_SERVICES)
def index(request: MemberRequest) -> HttpResponse:
    """One page of the points held today, with the state of each collection."""
    actor = request.membership
    today = civil_day_of(datetime.now(UTC), get_default_timezone())
    mine = points_readable_by(actor=actor, service=EntitlementCode.DATA_SERVICES, today=today, held=True)
    form = PointFilterForm(request.GET, cities=cities_of(mine))
    points = sorted_by(
        narrow(with_collection(mine, today=today), form.wanted, today=today), request.GET.get("tri", "")
    )
    page = page_of(request, points)
    counts = collection_counts(mine, today=today)
    context = {
        "form": form,
        "figures": counted(counts),
        "total": sum(counts.values()),
        "filters": form.in_force(request),
        "page_obj": page,
        "rows": rows_of(page, today=today),
        "actions": ACTIONS,
        "restricted": not actor.reach(EntitlementCode.DATA_SERVICES).everything,
        "all_chosen": request.GET.get("tous") == "1" and page.paginator.count > 0,
    }
    return render(request, "collection/index.html", context)


@require_safe
@entitlement_required(EntitlementCode.DATA_SERVICES)
def point(request: MemberRequest, point_id: str) -> HttpResponse:
    """One point: its state, what can follow, and every state before."""
    actor = request.membership
    today = civil_day_of(datetime.now(UTC), get_default_timezone())
    shown = with_collection(
        points_readable_by(
            actor=actor, service=EntitlementCode.DATA_SERVICES, today=today, held=True, point=point_id
        ),
        today=today,
    ).first()
    if shown is None:
        raise PointNotFound(point_id)
    present = vars(shown)["collection_state"]
    times = own_titles(actor=actor, point_id=shown.pk)
    context = {
        "point": shown,
        "name": str(shown),
        "state": collection(present),
        "since": vars(shown)["collection_since"],
        "present": present,
        "actions": [
            action
            for action in ACTIONS
            if can_follow(present, becomes(State(action.state), shown.meter_type, by_holder=True))
        ],
        "several_times": len(times) > 1,
        "held_since": next(first for first, after in reversed(times) if first <= today),
        "times": said_times(times, today),
        "collections": history(collections_of(shown, actor=actor), actor=actor),
    }
    return render(request, "collection/point.html", context)
