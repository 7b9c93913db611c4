"""One metering point: what it is, since when it is the company's, what is held of it, who reads it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gridgate.core.time import civil_day_of, day_before
from gridgate.metering.models import MeteringPoint
from gridgate.metering.queries.collections import collections_of
from gridgate.metering.queries.points import point_readable_by
from gridgate.metering.queries.titles import own_titles
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.rights import covers
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit import formats
from gridgate.portal.screens.metering_points.data import held_of
from gridgate.portal.screens.metering_points.history import history
from gridgate.portal.screens.metering_points.readers import readers_of
from gridgate.portal.screens.metering_points.rows import coming, directions, past, power


@require_safe
@entitlement_required(EntitlementCode.METERS)
def page(request: MemberRequest, point_id: str) -> HttpResponse:
    """404 for a point of another company or outside the perimeter, as for one that does not exist."""
    actor, now = request.membership, datetime.now(UTC)
    today = civil_day_of(now, get_default_timezone())
    point = point_readable_by(actor=actor, service=EntitlementCode.METERS, point_id=point_id, today=today)
    entitled = covers(actor, EntitlementCode.DATA_SERVICES, point.pk)
    measures = covers(actor, EntitlementCode.MEASUREMENTS, point.pk)
    first, after = title(point)
    times = own_titles(actor=actor, point_id=point.pk)
    before = [time for time in times if past(time[1], today)]
    again = next((time[0] for time in times if coming(time[0], today)), None)
    over, ahead = past(after, today), coming(first, today)
    held = over is None and ahead is None
    own = [time for time in times if coming(time[0], today) is None]
    received = held_of(point.pk, times=own) if own and measures else None
    context = {
        "point": point,
        "name": str(point),
        "directions": directions(point.directions),
        "power": power(point.subscribed_power_kva),
        "times": said_times(times, today),
        "past": over,
        "past_times": said_times(before, today),
        "several": len(before) > 1,
        "times_received": len(own),
        "again": again,
        "coming": ahead,
        "entitled": entitled,
        "measures": measures and ahead is None,
        "collections": history(collections_of(point, actor=actor), actor=actor),
        "readers": readers_of(actor=actor, point=point.pk, held_from=first, now=now, today=today)
        if entitled and held
        else [],
        "held": received,
        "curve_received": any(one.is_curve for one in received or ()),
    }
    return render(request, "metering_points/point.html", context)


def said_times(times: Sequence[tuple[date, date | None]], today: date) -> str:
    """`du 1 janvier au 30 juin 2024, puis depuis le 1 mars 2026`."""
    return _(", puis ").join(_time(first, after, today) for first, after in times)


def _time(first: date, after: date | None, today: date) -> str:
    last = day_before(after)
    if last is not None:
        return _("du %(first)s au %(day)s") % {
            "first": formats.long_day(first),
            "day": formats.long_day(last),
        }
    said = _("à partir du %(day)s") if first > today else _("depuis le %(day)s")
    return said % {"day": formats.long_day(first)}


def title(point: MeteringPoint) -> tuple[date, date | None]:
    """The first day of the company's title, and the first day after it."""
    said: dict[str, Any] = vars(point)
    return said["held_from"], said["held_to"]
