"""Points and titles, through the operations that the product uses."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

from gridgate.core.quantities import FlowDirection
from gridgate.metering.models import MeteringPoint, TitleHolding
from gridgate.metering.operations import create_point, open_holding
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
        now=_RECORDED,
    )


def make_holding(
    point: MeteringPoint, holder: Organisation, *, since: date = SINCE, until: date | None = None
) -> TitleHolding:
    return open_holding(metering_point=point, holder=holder, valid_from=since, valid_to=until, now=_RECORDED)


def make_held_point(
    holder: Organisation, prm: str | None = None, *, label: str = "", segment: str = "C4"
) -> MeteringPoint:
    """A point that `holder` has held since 1 January 2024."""
    point = make_point(prm, label=label, segment=segment)
    make_holding(point, holder)
    return point
