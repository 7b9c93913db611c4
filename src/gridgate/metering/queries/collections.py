"""The collection of load curves: in which state it is, and was, on which points."""

from datetime import date
from typing import Any

from django.db.models import Case, Count, OuterRef, QuerySet, Subquery, When

from gridgate.metering.models import LoadCurveCollection, MeteringPoint
from gridgate.metering.queries.points import Points
from gridgate.metering.queries.titles import still_held
from gridgate.organisations.models import Membership

NEVER = "never"
"""The collection state of a point that never had one."""


def with_collection(points: Points, *, today: date) -> Points:
    """Points that carry a title, each with its present `collection_state` and `collection_since`.

    None when it never had one, and when the title does not hold today: the state is another company's then.
    """
    return points.annotate(
        **{
            f"collection_{column}": Case(
                When(still_held(today), then=_present_collection(column, holder=OuterRef("held_by")))
            )
            for column in ("state", "since")
        }
    )


def with_anyones_collection(points: Points) -> Points:
    """The same of points as the operator sees them, whoever holds them."""
    return points.annotate(
        collection_state=_present_collection("state"), collection_since=_present_collection("since")
    )


def _present_collection(column: str, **narrower: Any) -> Subquery:
    present = LoadCurveCollection.objects.filter(
        metering_point=OuterRef("pk"), until__isnull=True, **narrower
    )
    return Subquery(present.values(column)[:1])


def collection_counts(points: Points, *, today: date) -> dict[str | None, int]:
    """How many of these points are in each state of collection, in one statement; None: never asked for."""
    present: Any = with_collection(points, today=today).order_by()
    return dict(present.values_list("collection_state").annotate(count=Count("pk")))


def collections_of(point: MeteringPoint, *, actor: Membership) -> QuerySet[LoadCurveCollection]:
    """The states that a point's collection has had under the actor's company, the latest first, with who decided."""
    states = point.collections.filter(holder=actor.organisation_id)
    return states.select_related("changed_by").order_by("-since", "-pk")
