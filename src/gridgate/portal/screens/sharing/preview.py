"""What a third party would see: the customer's own last week, at the step that is asked for."""

import logging
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from gridgate.core.errors import GridgateError
from gridgate.core.quantities import FlowDirection, Kind, directions_of, kinds_of
from gridgate.core.time import Interval, Resolution
from gridgate.dataplane.client import Reader
from gridgate.metering.models import MeteringPoint
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.organisations.reach import within
from gridgate.portal import measurements
from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.load_curve.chart import LoadCurve, load_curve
from gridgate.portal.kit.charts.load_curve.series import Curve
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.sharing.models import DataService

DAYS = 7
LOOKED_AT = 12
"""Among how many points one with data is looked for."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Preview:
    curve: LoadCurve
    point: str
    caption: str


def preview(
    service: DataService, points: QuerySet[MeteringPoint], *, actor: Membership, moment: Moment
) -> Preview | None:
    """Draw the last week of the first of these points with data; None when the service reads no load curve.

    Answering for a point is one right, seeing its measurements another: points that the actor has not both of are
    passed over. Looking at one's own data is a read like another: the journal has it. A page that asks a question must
    come even when measurements do not: then there is no preview.
    """
    if Kind.LOAD_CURVE not in kinds_of(service.kinds):
        return None
    seen = list(points.filter(within(actor, EntitlementCode.MEASUREMENTS, "pk"))[:LOOKED_AT])
    try:
        latest = measurements.client().latest([point.pk for point in seen])
        for point in seen:
            direction = _direction(service, point)
            if point.pk in latest and direction is not None:
                return _draw(service, point, direction, latest[point.pk].day, actor, moment)
    except GridgateError as error:
        _log.warning("no preview: %s", error)
    return None


def _direction(service: DataService, point: MeteringPoint) -> FlowDirection | None:
    both = directions_of(service.directions & point.directions)
    return min(both, key=list(FlowDirection).index, default=None)


def _draw(
    service: DataService,
    point: MeteringPoint,
    direction: FlowDirection,
    last: date,
    actor: Membership,
    moment: Moment,
) -> Preview | None:
    first = last - timedelta(days=DAYS - 1)
    week = Interval(moment.bounds([first])[0].start, moment.end_of(last))
    assert week.end is not None
    answer = measurements.client().read(
        Reader(
            organisation=actor.organisation_id,
            organisation_name=actor.organisation.legal_name,
            user=actor.user_id,
            user_name=actor.user.full_name,
        ),
        point.pk,
        Kind.LOAD_CURVE,
        direction,
        week.start,
        week.end,
        resolution=Resolution.of_seconds(service.finest_resolution) if service.finest_resolution else None,
        at=moment.now,
    )
    if not answer.count:
        return None
    curves = [
        Curve(
            segment.start,
            segment.resolution.seconds,
            [None if value is None else value / 1000 for value in segment.values],
            segment.quality,
        )
        for segment in answer.segments
    ]
    curve = load_curve(
        curves,
        start=week.start,
        end=week.end,
        zone=moment.zone,
        name=str(point),
        injection=direction is FlowDirection.INJECTION,
        id="preview",
    )
    most = formats.with_unit(curve.peak.value, "kW", 1) if curve.peak else formats.NONE
    caption = _("%(point)s, %(period)s, en kW : au plus %(most)s.") % {
        "point": point,
        "period": formats.period(first, last),
        "most": most,
    }
    return Preview(curve, str(point), caption)
