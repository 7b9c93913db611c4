"""A company with thousands of points beside the cast of `world`."""

from collections.abc import Callable

import pytest

from gridgate.organisations.models import Organisation
from tests.factories.metering import make_many_held


@pytest.fixture
def many_points(db: None) -> Callable[[Organisation, int], None]:
    """Gives a company that many points, written in bulk."""

    def build(holder: Organisation, count: int) -> None:
        make_many_held(
            holder,
            (
                {
                    "id": f"30005{number:09d}",
                    "segment": "C5" if number % 3 else "C4",
                    "directions": 1 + number % 2,
                    "label": f"Site {number:05d}",
                    "address": f"{number} rue des Forges",
                    "postcode": "69200",
                    "city": ("Vénissieux", "Écully", "Bron")[number % 3],
                    "subscribed_power_kva": 9 + number % 200,
                }
                for number in range(count)
            ),
        )

    return build
