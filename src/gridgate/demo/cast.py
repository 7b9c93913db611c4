"""Who and what the demo world is made of. Names, identifiers and secrets are the same on every run."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from gridgate.core.quantities import FlowDirection
from gridgate.core.time import Resolution

W, I = FlowDirection.WITHDRAWAL, FlowDirection.INJECTION  # noqa: E741

PASSWORD = "demo-gridgate-2026"  # noqa: S105  the demo world is public

OPERATOR = ("Réseau Démo", "100000009")
ACME = ("ACME Industries", "111222337")
CLIENT_B = ("Client B", "123456782")
CLIENT_C = ("Client C", "222222226")
TIERS = (("Tiers 1", "222333445"), ("Tiers 2", "333444552"), ("Tiers 3", "444555668"))


@dataclass(frozen=True, slots=True)
class Person:
    key: str
    name: str
    organisation: str
    role: str
    perimeter: tuple[str, ...] | None = None


PEOPLE = (
    Person("alice", "Alice", ACME[0], "administrator"),
    Person("bob", "Bob", ACME[0], "user", ("30001480112233", "30001480112266")),
    Person("charlie", "Charlie", CLIENT_B[0], "administrator"),
    Person("tiers1", "Tiers 1, développement", TIERS[0][0], "administrator"),
    Person("operateur", "Opérateur", OPERATOR[0], "administrator"),
)


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
    directions: tuple[FlowDirection, ...] = (W,)
    collection: str = "active"
    finer_from: Resolution | None = None
    """The step from noon of `FINER_DAYS_AGO` on: a meter that was set to a finer step within a day."""
    solar_kwp: int = 0
    tags: tuple[str, ...] = field(default=())

    @property
    def power(self) -> Decimal:
        return Decimal(self.kva)


FINER_DAYS_AGO = 40
GAP_DAYS_AGO, ESTIMATED_DAYS_AGO, CORRECTED_DAYS_AGO = 17, 19, 24

_LYON = ("Rue de Gerland", "69007", "Lyon")
_NANTES = ("Boulevard de Beaulieu", "44200", "Nantes")


def _lyon(digits: str, segment: str, label: str, number: int, kva: int, since: date, *rest, **more) -> Point:  # type: ignore[no-untyped-def]
    return Point(digits, ACME[0], segment, f"Lyon Gerland, {label}", f"{number} {_LYON[0]}", *_LYON[1:], kva, since, *rest, **more)


def _nantes(digits: str, segment: str, label: str, number: int, kva: int, since: date, *rest, **more) -> Point:  # type: ignore[no-untyped-def]
    return Point(digits, ACME[0], segment, f"Nantes Beaulieu, {label}", f"{number} {_NANTES[0]}", *_NANTES[1:], kva, since, *rest, **more)


R = Resolution
POINTS = (
    _lyon("30001480112233", "C2", "usine", 12, 250, date(2016, 3, 14), "factory", 890, R.PT10M),
    _lyon("30001480112244", "C4", "atelier sud", 14, 160, date(2016, 3, 14), "factory", 330, R.PT10M, tags=("flaws",)),
    _lyon("30001480112255", "C4", "bureaux", 16, 120, date(2017, 9, 1), "office", 210, R.PT10M),
    _lyon("30001480112266", "C4", "toiture solaire", 18, 240, date(2021, 6, 10), "office", 95, R.PT10M, (W, I), solar_kwp=180),
    _lyon("30001480112277", "C5", "restaurant", 20, 36, date(2018, 2, 5), "office", 62, R.PT30M),
    _lyon("30001480112288", "C5", "poste de garde", 22, 12, date(2018, 2, 5), "home", 9, R.PT30M),
    _lyon("30001480112299", "C5", "recharge de véhicules", 24, 36, date(2022, 5, 2), "charging", 48, R.PT30M, finer_from=R.PT15M),
    _nantes("30002590223301", "C3", "entrepôt", 3, 400, date(2015, 11, 20), "office", 880, R.PT10M),
    _nantes("30002590223312", "C5", "bureaux", 5, 36, date(2019, 1, 15), "office", 54, R.PT30M),
    _nantes("30002590223323", "C4", "chambre froide", 7, 200, date(2019, 1, 15), "cold", 690, R.PT10M),
    _nantes("30002590223334", "C5", "quai", 9, 24, date(2020, 7, 1), "office", 30, R.PT60M),
    _nantes("30002590223345", "C5", "logement du gardien", 11, 9, date(2020, 7, 1), "home", 6, R.PT30M, collection="opposed"),
    Point("30003690334401", CLIENT_B[0], "C4", "Rennes, atelier", "2 Rue de l’Industrie", "35000", "Rennes", 140, date(2017, 4, 3), "factory", 260, R.PT10M),
    Point("30003690334412", CLIENT_B[0], "C5", "Rennes, boutique", "4 Rue de l’Industrie", "35000", "Rennes", 36, date(2017, 4, 3), "office", 58, R.PT30M),
    Point("30003690334423", CLIENT_B[0], "C5", "Rennes, dépôt", "6 Rue de l’Industrie", "35000", "Rennes", 18, date(2019, 10, 1), "office", 21, R.PT30M),
    Point("30004790445501", CLIENT_C[0], "C4", "Ferme, bâtiment", "1 Chemin des Prés", "29000", "Quimper", 100, date(2018, 8, 20), "farm", 150, R.PT10M),
    Point("30004790445512", CLIENT_C[0], "P4", "Ferme, toiture", "1 Chemin des Prés", "29000", "Quimper", 36, date(2022, 3, 1), "none", 0, R.PT30M, (I,), solar_kwp=33),
)

TIERS_1_POINTS = tuple(point.id for point in POINTS if point.holder == ACME[0])[:9]
TIERS_2_POINTS = ("30001480112233", "30001480112266", "30002590223301")
TIERS_3_POINTS = tuple(point.id for point in POINTS if point.holder == ACME[0])[:8]
