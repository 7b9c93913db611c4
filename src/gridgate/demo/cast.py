"""Who and what the demo world is made of. Names, identifiers and secrets are the same on every run.

The metering points stand in `points.csv`; the first ones are shared with Tiers 1.
"""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from gridgate.core.quantities import FlowDirection
from gridgate.core.time import Resolution

PASSWORD = "demo-gridgate-2026"  # noqa: S105  the demo world is public

OPERATOR = ("Réseau Démo", "100000009")
ACME = ("ACME Industries", "111222337")
CLIENT_B = ("Client B", "123456782")
CLIENT_C = ("Client C", "222222226")
TIERS = (("Tiers 1", "222333445"), ("Tiers 2", "333444552"), ("Tiers 3", "444555668"))


@dataclass(frozen=True, slots=True)
class Person:
    """`organisation` and `role` are empty for somebody who acts for no company."""

    key: str
    name: str
    organisation: str
    role: str

    @property
    def email(self) -> str:
        return f"{self.key}@{host_of(self.organisation) if self.organisation else 'ailleurs.example'}"


def host_of(organisation: str) -> str:
    """The Internet domain of a company."""
    return f"{organisation.lower().replace(' ', '-').replace('é', 'e')}.example"


PEOPLE = (
    Person("alice", "Alice", ACME[0], "administrator"),
    Person("bob", "Bob", ACME[0], "user"),
    Person("charlie", "Charlie", CLIENT_B[0], "administrator"),
    Person("tiers1", "Tiers 1, développement", TIERS[0][0], "administrator"),
    Person("operateur", "Opérateur", OPERATOR[0], "administrator"),
)
VISITOR = Person("visiteur", "Visiteur", "", "")

FIRST_ADMINISTRATOR = Person("premier.administrateur", "Premier administrateur", TIERS[1][0], "administrator")
"""Declared, and has not opened the link yet; for Client C, which has all that it takes, nobody is declared."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What the operator has recorded of a company: its roles, the number of its contract, the 12 characters that its
    own EIC code is made of.
    """

    roles: tuple[str, ...]
    contract: str
    eic: str


REGISTERED = {
    ACME[0]: Registered(("producer", "consumer"), "CARD-2021-0117", "ACME-IND----"),
    CLIENT_B[0]: Registered(("consumer",), "CARD-2022-0048", "CLIENT-B----"),
    CLIENT_C[0]: Registered(("consumer",), "CARD-2022-0233", "CLIENT-C----"),
    TIERS[0][0]: Registered(("third_party",), "DONNEES-2023-0012", "TIERS-1-----"),
    TIERS[1][0]: Registered(("third_party",), "DONNEES-2023-0019", "TIERS-2-----"),
    TIERS[2][0]: Registered(("third_party",), "DONNEES-2023-0031", "TIERS-3-----"),
}
OTHER_OFFICES = (
    ("10XFR-RTE------Q", "RTE", "RTE Réseau de transport d’électricité"),
    ("10YFR-RTE------C", "FR", "France"),
    ("10YCH-SWISSGRIDZ", "CH", "Suisse"),
    ("17T-FR-00000046X", "FR-00000046", "FR-00000046"),
)
"""Codes that are in use; the check character of the last one fails, as published."""


@dataclass(frozen=True, slots=True)
class Group:
    """Users of a company, and the services they have: on these points, or on all (None)."""

    name: str
    organisation: str
    members: tuple[str, ...]
    services: dict[str, tuple[str, ...] | None]


_LYON = ("30001480112233", "30001480112266")
GROUPS = (Group("Site de Lyon", ACME[0], ("bob",), {"meters": _LYON, "measurements": _LYON}),)


@dataclass(frozen=True, slots=True)
class Point:
    """A metering point and how its curve looks: a profile of `curves`, a year's energy, a step."""

    id: str
    holder: str
    segment: str
    label: str
    street: str
    postcode: str
    city: str
    kva: int
    activated_on: date
    profile: str
    annual_mwh: float
    step: Resolution
    directions: tuple[FlowDirection, ...]
    collection: str
    finer_from: Resolution | None
    """The step from noon of one day on: a meter that was set to a finer step within a day."""
    solar_kwp: int
    flawed: bool
    """True for the curve that has a gap, an estimated day and a corrected one."""


YEARS = 2
"""So long ago the first measurements begin."""
FINER_DAYS_AGO = 40
GAP_DAYS_AGO, ESTIMATED_DAYS_AGO, CORRECTED_DAYS_AGO = 17, 19, 24


def _read_points() -> tuple[Point, ...]:
    with Path(__file__).with_name("points.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Point(
                id=row["id"],
                holder=row["holder"],
                segment=row["segment"],
                label=row["label"],
                street=row["street"],
                postcode=row["postcode"],
                city=row["city"],
                kva=int(row["kva"]),
                activated_on=date.fromisoformat(row["activated_on"]),
                profile=row["profile"],
                annual_mwh=float(row["annual_mwh"]),
                step=Resolution.parse(row["step"]),
                directions=tuple(FlowDirection(way) for way in row["directions"].split("+")),
                collection=row["collection"],
                finer_from=Resolution.parse(row["finer_from"]) if row["finer_from"] else None,
                solar_kwp=int(row["solar_kwp"]),
                flawed=bool(row["flawed"]),
            )
            for row in csv.DictReader(file)
        )


POINTS = _read_points()
_OF_ACME = tuple(point.id for point in POINTS if point.holder == ACME[0])

TIERS_1_POINTS = _OF_ACME[:9]
TIERS_2_POINTS = ("30001480112233", "30001480112266", "30002590223301")
TIERS_3_POINTS = _OF_ACME[:8]
