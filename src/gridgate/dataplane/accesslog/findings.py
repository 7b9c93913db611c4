"""What a check of the log finds, and what it goes by: where segments must have stood."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from gridgate.dataplane.accesslog.checkpoints import Checkpoint
from gridgate.dataplane.accesslog.reading import Fault
from gridgate.dataplane.accesslog.segments import CHANGES_SUFFIX, end_of_segment


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a segment must have stood, and who says so."""

    lines: int
    head: str
    said_by: str
    place: int = 0
    """Which of the checkpoints that is, from 0, if it is one: what the one before did not know cannot be much older."""


@dataclass(slots=True)
class Verification:
    """What `verify` found. The log is intact when there are no faults."""

    segments: int = 0
    entries: int = 0
    changes: int = 0
    signed: int = 0
    """Entries and changes that the last checkpoint covers; later ones rest on their chain alone."""
    checkpoints: int = 0
    torn: list[Fault] = field(default_factory=list)
    """Ends of segments that a dying process left half written. Not a fault: what they were to log was not
    answered.
    """
    notes: list[Fault] = field(default_factory=list)
    """What is as it was written, and says less than it could; and what is none of the log."""
    faults: list[Fault] = field(default_factory=list)
    signatures: list[Checkpoint] = field(default_factory=list)
    """The checkpoints that can be read, oldest first."""
    located: dict[str, dict[str, int]] = field(default_factory=dict)
    """By segment, after how many lines its chain had each of the values that were sought."""
    given_up: dict[str, int] = field(default_factory=dict)
    """Segments that were not read to their end, as they have too many faults: how many lines were."""

    erased: datetime | None = None
    """Up to when reads were erased for being old, as a signed checkpoint says."""

    @property
    def intact(self) -> bool:
        return not self.faults

    def has_erased(self, name: str) -> bool:
        """Whether a segment need not be there, all of its reads being erased; that of changes is kept for good."""
        end = end_of_segment(name)
        if name.endswith(CHANGES_SUFFIX) or end is None or self.erased is None:
            return False
        return end <= self.erased


def utc_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
