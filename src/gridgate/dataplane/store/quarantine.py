"""What could not be taken and was set aside: why, of which point and day as far as that is sure."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gridgate.core.quantities import FlowDirection, Kind


class Cause(StrEnum):
    """Why a value was set aside, in a word that does not change: what a screen makes its own sentence of."""

    UNREADABLE = "unreadable"
    """No number."""
    NEGATIVE = "negative"
    BEYOND = "beyond"
    """Beyond anything a meter counts."""
    STEP = "step"
    """Of no step that is known here, or of one that nobody can tell."""
    OFF_GRID = "off_grid"
    NO_SUCH_TIME = "no_such_time"
    """Of the hour that the clocks leave out in spring."""
    AMBIGUOUS_TIME = "ambiguous_time"
    """Of an hour that the clocks showed twice, and of which nobody can tell which it is."""
    OUT_OF_RANGE = "out_of_range"
    """Stamped before 1970 or after 2099."""
    NOT_A_DAY = "not_a_day"
    """Said to be of a day, which begins or ends at another time than midnight."""
    NO_SUCH_SLOT = "no_such_slot"
    """Of a step that its day does not have."""
    REPEATED = "repeated"
    """Of a time that another value tells wholly, which is kept."""
    OVERLAPPING = "overlapping"
    """Of a time that another value, which is kept, tells in part."""
    CONTRADICTED = "contradicted"
    """Told twice and differently by one file: neither is kept."""
    OPPOSITION = "opposition"
    """Of a load curve whose collection the holder opposes: no error."""
    DIRECTION_UNSAID = "direction_unsaid"
    DIRECTION_ABSENT = "direction_absent"
    UNIT = "unit"
    """In a unit of another quantity, or in none."""
    FUTURE = "future"
    """Of a time that was more than a day ahead when it came."""
    QUALITY = "quality"
    """Of a quality that is none of ours."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a quarantined value is of, as far as it is sure; None is what nobody can tell."""

    metering_point: str
    kind: Kind | None = None
    direction: FlowDirection | None = None
    day: date | None = None
    span: tuple[int, int] | None = None
    """The epoch seconds from which and up to which the value of a load curve tells."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One thing of a source that could not be taken: where it stood, why, and what it said."""

    where: str
    reason: str
    value: str
    cause: Cause | None = None
    subject: Subject | None = None


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A quarantined item as it is kept, with the source it came from."""

    source: str
    sha256: str
    recorded_at: int
    where: str
    reason: str
    value: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """Values of one civil day that were set aside for one cause. Told again by other files, they count once."""

    day: date
    cause: Cause
    count: int = 1
    span: tuple[int, int] | None = None
    """The epoch seconds from the first of their times to the end of the last; None when nobody can tell, or when the
    values are of the whole day."""
    of_curve: bool = False
    """True for values of the load curve that are told of the energy of a day, which they would have made."""
