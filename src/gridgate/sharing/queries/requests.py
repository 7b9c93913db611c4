"""Requests for permissions: what others ask of the actor's company, and what it asks of others."""

from datetime import date
from uuid import UUID

from django.db.models import Count, QuerySet

from gridgate.core.sharing import PermissionState
from gridgate.metering.queries.points import Points, points_readable_by
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.organisations.reach import within
from gridgate.sharing.models import PermissionRequest
from gridgate.sharing.queries.reach import ASKED, WHOLE, entitled, readable_one, within_reach

WAITING = (PermissionState.REQUESTED, PermissionState.VALIDATED)


def requests_received(*, actor: Membership) -> QuerySet[PermissionRequest]:
    """What others ask, or asked, of the actor's company; each with `points_count`, the points it names, and
    `points_seen`, how many of them are within the actor's perimeter.
    """
    if not entitled(actor):
        return PermissionRequest.objects.none()
    received = PermissionRequest.objects.filter(holder=actor.organisation_id)
    received = received.select_related("service", "eligible_party").annotate(
        points_count=Count("points"),
        points_seen=Count("points", filter=within(actor, EntitlementCode.DATA_SERVICES, "points__pk")),
    )
    return within_reach(received, ASKED, actor)


def requests_waiting(*, actor: Membership) -> QuerySet[PermissionRequest]:
    """Those that the actor's company has not answered yet, oldest first."""
    return requests_received(actor=actor).filter(state__in=WAITING).order_by("requested_at", "pk")


def requests_to_answer(*, actor: Membership) -> QuerySet[PermissionRequest]:
    """Those of them that the actor may answer: what also asks for points outside their perimeter is for others."""
    waiting = requests_waiting(actor=actor)
    return waiting.filter(WHOLE) if entitled(actor) else waiting


def count_requests_to_answer(*, actor: Membership) -> int:
    """How many they are: every page's menu asks it, and nothing else of them."""
    if not entitled(actor):
        return 0
    waiting = PermissionRequest.objects.filter(holder=actor.organisation_id, state__in=WAITING)
    return within_reach(waiting, ASKED, actor).filter(WHOLE).count()


def request_received(*, actor: Membership, request_id: UUID) -> PermissionRequest:
    """One request to the actor's company. Raises `NotReadable`."""
    return readable_one(requests_received(actor=actor).filter(pk=request_id), "request")


def requests_made(*, actor: Membership) -> QuerySet[PermissionRequest]:
    """What the actor's company asks, or asked, of others, latest first."""
    if not entitled(actor):
        return PermissionRequest.objects.none()
    made = PermissionRequest.objects.filter(eligible_party=actor.organisation_id)
    return within_reach(made.select_related("service", "holder"), ASKED, actor).order_by(
        "-requested_at", "pk"
    )


def points_asked(request: PermissionRequest, *, actor: Membership, today: date) -> Points:
    """The points of today that a request asks for, within the actor's perimeter, by name."""
    held = points_readable_by(
        actor=actor, service=EntitlementCode.DATA_SERVICES, today=today, held=True
    ).order_by("search_text", "pk")
    return held if request.all_points else held.filter(pk__in=request.points.values("pk"))
