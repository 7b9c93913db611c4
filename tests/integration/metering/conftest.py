"""A company with four points, its members, and a neighbour."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gridgate.metering.models import MeteringPoint
from gridgate.metering.operations.points import create_point
from gridgate.organisations.models import Membership, Organisation, User
from tests.factories.metering import make_holding
from tests.factories.organisations import make_group

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@dataclass
class Registry:
    """What the tests of this folder start from; `alice` holds every entitlement, `bob` sees two points."""

    acme: Organisation
    other: Organisation
    alice: Membership
    bob: Membership
    clerk: Membership
    stranger: Membership
    points: list[MeteringPoint] = field(default_factory=list)
    foreign: MeteringPoint | None = None


@pytest.fixture
def member(db: None) -> Callable[..., Membership]:
    def build(organisation: Organisation, name: str, role: str = "user") -> Membership:
        user = User.objects.create(email=f"{name}@example.com", full_name=name.title(), created_at=NOW)
        return Membership.objects.create(user=user, organisation=organisation, role=role, created_at=NOW)

    return build


@pytest.fixture
def point(db: None) -> Callable[..., MeteringPoint]:
    def build(number: int, **columns: object) -> MeteringPoint:
        values: dict[str, Any] = {
            "id": f"3000148{number:07d}",
            "segment": "C5",
            "directions": 1,
            "label": f"Site {number}",
            "address": f"{number} rue des Forges",
            "postcode": "69200",
            "city": "Vénissieux",
            "subscribed_power_kva": 36,
            "activated_on": date(2020, 1, 1),
            "valid_from": date(2020, 1, 1),
        }
        return create_point(**(values | columns), now=NOW)

    return build


@pytest.fixture
def registry(member: Callable[..., Membership], point: Callable[..., MeteringPoint]) -> Registry:
    acme = Organisation.objects.create(legal_name="ACME Industries", siren="111222337", created_at=NOW)
    other = Organisation.objects.create(legal_name="Client B", siren="123456782", created_at=NOW)
    built = Registry(
        acme=acme,
        other=other,
        alice=member(acme, "alice", "administrator"),
        bob=member(acme, "bob"),
        clerk=member(acme, "clerk"),
        stranger=member(other, "charlie", "administrator"),
    )
    built.points = [point(number) for number in range(1, 5)]
    built.foreign = point(5)
    for held in built.points:
        make_holding(held, acme)
    make_holding(built.foreign, other)
    lyon = [held.pk for held in built.points[:2]]
    make_group(acme, "Lyon", [built.bob], dict.fromkeys(["meters", "data_services"], lyon))
    make_group(acme, "Siège", [built.clerk], {"meters": None})
    return built
