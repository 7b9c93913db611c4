"""Adding metering points."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.timezone import get_default_timezone

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import parse_metering_point_id
from gridgate.core.quantities import FlowDirection, bits
from gridgate.core.time import civil_day_of
from gridgate.metering.models import MeteringPoint
from gridgate.metering.versions import Versions, write


class PointExists(GridgateError):
    """A point with this identifier is already here."""

    def __init__(self, point_id: str) -> None:
        super().__init__(
            ErrorKind.CONFLICT, f"{point_id} exists already", remedy="Update it, or check the digits."
        )


def create_point(
    *,
    id: str,  # noqa: A002 - the column's name, in files and on the API
    segment: str,
    directions: int | Iterable[FlowDirection],
    address: str,
    postcode: str,
    city: str,
    activated_on: date,
    now: datetime,
    subscribed_power_kva: Decimal | int | None = None,
    label: str = "",
    meter_type: str = MeteringPoint.MeterType.AMM,
    valid_from: date | None = None,
) -> MeteringPoint:
    """Add a point, which is this from `valid_from` on, else from the day of `now`: of the time before, nothing is known.

    Raises `InvalidIdentifier` or `PointExists`.
    """
    point_id = parse_metering_point_id(id)
    with transaction.atomic():
        if MeteringPoint.objects.filter(pk=point_id).exists():
            raise PointExists(point_id)
        point = MeteringPoint.objects.create(id=point_id, activated_on=activated_on)
        first = Versions(point_id)
        first.say(
            valid_from or _today(now),
            {
                "segment": segment,
                "directions": directions if isinstance(directions, int) else bits(directions),
                "label": label,
                "address": address,
                "postcode": postcode,
                "city": city,
                "subscribed_power_kva": subscribed_power_kva,
                "meter_type": meter_type,
            },
        )
        write([first])
    return point


def _today(now: datetime) -> date:
    return civil_day_of(now, get_default_timezone())
