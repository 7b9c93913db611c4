"""Points and titles, through the operations that the product uses."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from gridgate.core.quantities import FlowDirection
from gridgate.metering import as_held
from gridgate.metering.models import MeteringPoint, TitleHolding
from gridgate.metering.operations.points import create_point
from gridgate.metering.operations.titles import open_holding
from gridgate.metering.versions import Versions, write
from gridgate.organisations.models import Organisation

SINCE = date(2024, 1, 1)
_RECORDED = datetime(2024, 1, 1, tzinfo=UTC)
_next_prm = count(30_009_000_000_000)


def a_prm() -> str:
    """14 digits that no other call returns."""
    return str(next(_next_prm))


def make_point(
    prm: str | None = None,
    *,
    label: str = "",
    segment: str = "C4",
    directions: Iterable[FlowDirection] = (FlowDirection.WITHDRAWAL,),
    subscribed_power_kva: int | None = 100,
    activated_on: date = date(2018, 3, 1),
    city: str = "Lyon",
) -> MeteringPoint:
    return create_point(
        id=prm or a_prm(),
        segment=segment,
        directions=directions,
        label=label,
        address="1 rue de l’Essai",
        postcode="69007",
        city=city,
        subscribed_power_kva=None if subscribed_power_kva is None else Decimal(subscribed_power_kva),
        activated_on=activated_on,
        valid_from=activated_on,
        now=_RECORDED,
    )


def make_holding(
    point: MeteringPoint, holder: Organisation, *, since: date = SINCE, until: date | None = None
) -> TitleHolding:
    return open_holding(metering_point=point, holder=holder, valid_from=since, valid_to=until, now=_RECORDED)


def leave(point: str, on: date) -> None:
    """Whoever holds the point no longer does from that day on; nothing else follows."""
    TitleHolding.objects.filter(metering_point=point, valid_to=None).update(valid_to=on)
    as_held.project([point])


def make_many_held(
    holder: Organisation, points: Iterable[Mapping[str, Any]], *, since: date = SINCE
) -> list[str]:
    """Thousands of points that `holder` has held since that day, as an import writes them; their identifiers."""
    values = {"segment": "C5", "directions": 1, "label": "", "address": "", "postcode": "", "city": ""}
    ids = []
    versions = []
    for columns in points:
        said = values | {"subscribed_power_kva": None, "meter_type": "AMM"} | columns
        ids.append(said.pop("id"))
        versions.append(Versions(ids[-1]))
        versions[-1].say(since, said)
    MeteringPoint.objects.bulk_create(MeteringPoint(id=one, activated_on=since) for one in ids)
    write(versions)
    TitleHolding.objects.bulk_create(
        TitleHolding(metering_point_id=one, holder=holder, valid_from=since) for one in ids
    )
    as_held.project(ids)
    return ids


def make_held_point(
    holder: Organisation, prm: str | None = None, *, label: str = "", segment: str = "C4"
) -> MeteringPoint:
    """A point that `holder` has held since 1 January 2024."""
    point = make_point(prm, label=label, segment=segment)
    make_holding(point, holder)
    return point
