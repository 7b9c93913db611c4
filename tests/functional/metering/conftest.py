"""A company with thousands of points beside the cast of `world`."""

from collections.abc import Callable
from datetime import date

import pytest

from gridgate.metering.models import MeteringPoint, TitleHolding
from gridgate.organisations.models import Organisation


@pytest.fixture
def many_points(db: None) -> Callable[[Organisation, int], None]:
    """Gives a company that many points, written in bulk."""

    def build(holder: Organisation, count: int) -> None:
        points = [
            MeteringPoint(
                id=f"30005{number:09d}",
                segment="C5" if number % 3 else "C4",
                directions=1 + number % 2,
                label=f"Site {number:05d}",
                address=f"{number} rue des Forges",
                postcode="69200",
                city=("Vénissieux", "Écully", "Bron")[number % 3],
                subscribed_power_kva=9 + number % 200,
                activated_on=date(2020, 1, 1),
            )
            for number in range(count)
        ]
        for point in points:
            point.search_text = point.folded_text()
        MeteringPoint.objects.bulk_create(points)
        TitleHolding.objects.bulk_create(
            TitleHolding(metering_point=point, holder=holder, valid_from=date(2024, 1, 1)) for point in points
        )

    return build
