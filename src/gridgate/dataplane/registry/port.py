"""What the data plane asks of a registry, and what it is told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, bits
from gridgate.core.sharing import AccessLine
from gridgate.core.time import Interval, civil_day_bounds, civil_day_of

BOTH_WAYS = bits(FlowDirection)


class RegistryUnavailable(GridgateError):
    """The registry cannot be read; nothing was decided, so nothing is answered."""

    def __init__(self, message: str, *, remedy: str = "Try again in a moment.") -> None:
        super().__init__(ErrorKind.UNAVAILABLE, f"the registry does not answer: {message}", remedy=remedy)


@dataclass(frozen=True, slots=True)
class Application:
    """A program that calls, and the organisation in whose name it reads."""

    id: int
    client_id: str
    organisation: int
    organisation_name: str


@dataclass(frozen=True, slots=True)
class PointFacts:
    """What the dialects need to know of a metering point, none of which may be told to a caller who has no
    line on it.

    It is as the holder whose data the caller reads is shown it: a former holder, and whoever reads its time, is told
    what the point was then.
    """

    id: str
    segment: str | None
    """None when the registry knows nothing of the holder's time; so is the power."""
    directions: int
    """All that the point has had in the holder's time; both when nothing is known of it."""
    activated_on: date
    journal_of: int | None
    """The organisation whose log shows a refused read: the caller's own if it holds, held or will hold the point,
    else that which holds it today.
    """
    subscribed_power_kva: float | None = None
    holder: int | None = None
    """Whose time it is: the states of collection are this company's, and say nothing of another's time."""
    held: bool = False
    """Whether that company holds the point today."""
    states: str | None = None
    """The states that the collection of its load curve had, as the registry gives them: `state|since|until;…`."""

    @property
    def unknown(self) -> bool:
        """Whether nothing is known of the point in the holder's time: the directions are then no fact about it."""
        return self.segment is None and self.directions == BOTH_WAYS

    @property
    def collection(self) -> str | None:
        """The present state of collection; None when nobody ever asked for one, and when it is another holder's."""
        return next((state for state, _, until in self._states() if not until), None) if self.held else None

    def collected(self, zone: ZoneInfo) -> list[tuple[datetime, datetime | None]]:
        """The civil days of which the collection was active for a part at least (None: still)."""
        return self._days_of("active", zone)

    def opposed(self, zone: ZoneInfo) -> list[tuple[datetime, datetime | None]]:
        """The civil days of which the holder opposed it for a part at least (None: still)."""
        return self._days_of("opposed", zone)

    def _days_of(self, wanted: str, zone: ZoneInfo) -> list[tuple[datetime, datetime | None]]:
        return [
            (_day(since, zone).start, _day(until, zone, ends=True).end if until else None)
            for state, since, until in self._states()
            if state == wanted
        ]

    def _states(self) -> Iterator[list[str]]:
        return (one.split("|") for one in (self.states or "").split(";") if one)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as stored, and all that its bearer needs to be told apart: application, subscription, access to the
    point.
    """

    expires_at: int
    revoked_at: int | None
    active: bool
    """False when the application is switched off."""
    subscribed: bool
    """True when the application may call the API it called."""
    application: Application
    access: "Access"


@dataclass(frozen=True, slots=True)
class Access:
    """A reader's lines on one point, and the facts of that point (None: no such point): nothing of it may be told unless
    there is a valid line.
    """

    point: PointFacts | None
    lines: tuple[AccessLine, ...]

    def valid(self, at: datetime) -> list[AccessLine]:
        """The lines on which a read at `at` may rest: if there is one, the reader may be told facts about the point."""
        return [line for line in self.lines if line.valid_at(at)]


@dataclass(frozen=True, slots=True)
class Perimeter:
    """The points on which a group of a company's users has the measurements."""

    group: int
    name: str


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """An application and the hashes of the secrets that are valid now; several while a secret is being
    replaced.
    """

    application: Application
    secrets: tuple[str, ...]


class Registry(Protocol):
    """What the data plane asks of a registry. Every method raises `RegistryUnavailable`."""

    def token(self, token_sha256: str, *, api: str, metering_point: str, at: datetime) -> TokenRow | None:
        """Everything a request's decision rests on, in one statement; None when there is no such token."""
        ...

    def access(self, reader: int, metering_point: str, *, at: datetime) -> Access:
        """The lines of an organisation on one point, whatever their validity."""
        ...

    def lines(self, reader: int, metering_points: Sequence[str]) -> dict[str, tuple[AccessLine, ...]]:
        """The lines of an organisation on several points, whatever their validity, in one statement. Points whose lines
        say the same share one tuple.
        """
        ...

    def accesses(
        self, application: Application, metering_points: Sequence[str], *, at: datetime
    ) -> dict[str, Access]:
        """What `token` tells of one point, for several, in one statement; a point that does not exist is not there."""
        ...

    def reach(
        self,
        application: Application,
        *,
        at: datetime,
        site: str | None = None,
        perimeter: int | None = None,
    ) -> dict[str, tuple[AccessLine, ...]]:
        """The lines valid at `at` of all points within the application's reach, by id, in one statement. Points whose
        lines say the same share one tuple.

        With a `site` (an address, as the portal writes it), of those that its organisation holds or held there. With a
        `perimeter` (the number of a group), of those within it; of none when it is not among `perimeters`.
        """
        ...

    def perimeters(self, application: Application, *, at: datetime) -> list[Perimeter]:
        """The perimeters that the application may name: of its group, or, in none, of each group of its organisation; in
        force at `at`, by name.
        """
        ...

    def points(self, application: Application, *, after: str, limit: int, at: datetime) -> list[Access]:
        """The points within the application's reach on which its organisation has a line valid at `at`, with those
        lines, by id, following `after`.
        """
        ...

    def credential(self, client_id: str, *, at: datetime) -> CredentialRow | None:
        """The active application of that name and its valid secrets; None when there is no such application."""
        ...

    def check(self) -> None:
        """Succeed when the registry answers and has the tables it should."""
        ...

    def close(self) -> None: ...


def _day(stored: str, zone: ZoneInfo, *, ends: bool = False) -> Interval:
    at = datetime.fromisoformat(stored).replace(tzinfo=UTC)
    return civil_day_bounds(civil_day_of(at - timedelta(microseconds=ends), zone), zone)
