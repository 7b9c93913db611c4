"""*Vos compteurs*: search, filter, sort, choose, export; the address holds the state."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import F
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.timezone import get_default_timezone
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from gridgate.core.quantities import FlowDirection, directions_of
from gridgate.core.time import civil_day_of, day_before
from gridgate.metering.models import LoadCurveCollection, MeteringPoint
from gridgate.metering.queries.collections import with_collection
from gridgate.metering.queries.lists import cities_of, narrow, totals_of
from gridgate.metering.queries.points import Points, points_readable_by
from gridgate.metering.queries.titles import times_of_points_held_again
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.spreadsheet import table_response
from gridgate.portal.screens.metering_points.data import last_days
from gridgate.portal.screens.metering_points.filters import PointFilterForm
from gridgate.portal.screens.metering_points.readers import count_readers
from gridgate.portal.screens.metering_points.rows import collection, is_held, rows_of
from gridgate.tables.known import POINTS

Times = Mapping[str, Sequence[tuple[date, date | None]]]

ORDERS: dict[str, tuple[str, ...]] = {
    "nom": ("search_text", "pk"),
    "segment": ("segment", "search_text", "pk"),
    "puissance": ("subscribed_power_kva", "search_text", "pk"),
    "commune": ("city", "search_text", "pk"),
}


@require_safe
@entitlement_required(EntitlementCode.METERS)
def index(request: MemberRequest) -> HttpResponse:
    """One page of the company's points, with what can be done about those that are ticked."""
    actor, now = request.membership, datetime.now(UTC)
    today = civil_day_of(now, get_default_timezone())
    mine = points_readable_by(actor=actor, service=EntitlementCode.METERS, today=today)
    form = PointFilterForm(request.GET, cities=cities_of(mine))
    points = sorted_by(
        narrow(with_collection(mine, today=today), form.wanted, today=today), request.GET.get("tri", "")
    )
    page = page_of(request, points)
    held = {point.pk: point.held_from for point in page if is_held(point, today)}
    entitled = actor.has(EntitlementCode.DATA_SERVICES)
    context = {
        "form": form,
        "totals": totals_of(mine, today=today),
        "filters": form.in_force(request),
        "page_obj": page,
        "rows": rows_of(
            page,
            today=today,
            readers=count_readers(actor=actor, points=list(held), now=now, today=today) if entitled else None,
            last_days=last_days(_measured(actor, held, today)),
        ),
        "entitled": entitled,
        "restricted": not actor.reach(EntitlementCode.METERS).everything,
        "all_chosen": request.GET.get("tous") == "1" and page.paginator.count > 0,
    }
    return render(request, "metering_points/index.html", context)


def _measured(actor: Membership, held: Mapping[str, date], today: date) -> Mapping[str, date]:
    """Those of these points whose measurements the person may see too, with the day from which the company holds them:
    whether they arrive is told of no other.
    """
    if actor.reach(EntitlementCode.MEASUREMENTS).everything:
        return held
    seen = points_readable_by(actor=actor, service=EntitlementCode.MEASUREMENTS, today=today)
    return dict(seen.filter(pk__in=held).values_list("pk", "held_from"))


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.METERS)
def export(request: MemberRequest) -> StreamingHttpResponse:
    """The list as a file: what the filters let through, or only the points ticked."""
    query = request.POST if request.method == "POST" else request.GET
    today = civil_day_of(datetime.now(UTC), get_default_timezone())
    actor = request.membership
    mine = points_readable_by(actor=actor, service=EntitlementCode.METERS, today=today)
    form = PointFilterForm(query, cities=cities_of(mine))
    points = narrow(with_collection(mine, today=today), form.wanted, today=today)
    if chosen := query.getlist("point"):
        points = points.filter(pk__in=chosen)
    language = get_language() or "fr"
    return table_response(
        request,
        f"compteurs-{today}.csv",
        [POINTS.head(name, language) for name in _COLUMNS],
        _lines(
            sorted_by(points, query.get("tri", "")), times_of_points_held_again(actor=actor), today, language
        ),
        sheet=_("Compteurs"),
    )


def sorted_by(points: Points, order: str) -> Points:
    """In the order that `?tri=` asks for, `-` before it for the other way round; by name otherwise."""
    first, *rest = ORDERS.get(order.removeprefix("-"), ORDERS["nom"])
    column = F(first).desc(nulls_last=True) if order.startswith("-") else F(first).asc(nulls_last=True)
    return points.order_by(column, *rest)


_WAYS = {
    FlowDirection.WITHDRAWAL: gettext_lazy("soutirage"),
    FlowDirection.INJECTION: gettext_lazy("injection"),
}
_COLUMNS = (
    "id",
    "label",
    "segment",
    "directions",
    "address",
    "postcode",
    "city",
    "subscribed_power_kva",
    "meter_type",
    "activated_on",
    "collection",
    "collection_since",
    "held_from",
    "held_to",
    "held_otherwise",
)


def _lines(points: Points, times: Times, today: date, language: str) -> Iterator[list[Any]]:
    """In the reader's words, which imports read. The request is over when they are written: the language is set again."""
    zone = get_default_timezone()
    with override(language):
        types = {code: str(label) for code, label in MeteringPoint.MeterType.choices}
        ways = {one: str(word) for one, word in _WAYS.items()}
        states = {state: collection(state).text for state in (None, *LoadCurveCollection.State)}
    for point in points.iterator(chunk_size=2_000):
        annotated = vars(point)
        since: datetime | None = annotated["collection_since"]
        held_to: date | None = annotated["held_to"]
        yield [
            point.pk,
            point.label,
            point.segment,
            " + ".join(ways[one] for one in FlowDirection if one in directions_of(point.directions)),
            point.address,
            point.postcode,
            point.city,
            point.subscribed_power_kva,
            types.get(point.meter_type, ""),
            point.activated_on if point.held_from <= today else None,
            states[annotated["collection_state"]] if is_held(point, today) else "",
            since and civil_day_of(since, zone),
            annotated["held_from"],
            held_to,
            _periods([time for time in times.get(point.pk, ()) if time[0] != annotated["held_from"]]),
        ]


def _periods(times: Sequence[tuple[date, date | None]]) -> str:
    """From the first to the last day of each: `2024-01-01 – 2025-03-31, 2027-01-01 –`."""
    return ", ".join(f"{first} – {day_before(after) or ''}".rstrip() for first, after in times)
