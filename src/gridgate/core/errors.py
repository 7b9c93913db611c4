"""One error type inside, one rendering per door.

Every failure that a caller can meet is a `GridgateError` of one of the kinds below. Each façade, the screens and
the command line turn a kind into their own words; whatever is not a `GridgateError` is a defect and shows as
`INTERNAL` with a reference to quote and nothing else.
"""

from enum import StrEnum


class ErrorKind(StrEnum):
    """The closed list of what can go wrong. Adding one means giving it a rendering at every door."""

    MALFORMED = "malformed"
    """The request or file cannot be understood."""
    INVALID = "invalid"
    """Understood, but a value breaks a rule."""
    UNAUTHENTICATED = "unauthenticated"
    """Nobody proved who they are, or the proof has ended."""
    FORBIDDEN = "forbidden"
    """Known, and not allowed."""
    NOT_FOUND = "not_found"
    """Absent, or not readable by this caller: the two look the same."""
    CONFLICT = "conflict"
    """The present state does not allow it."""
    TOO_MANY = "too_many"
    """A quota or a limit on attempts is reached."""
    UNAVAILABLE = "unavailable"
    """A part of the system does not answer; nothing was done."""
    INTERNAL = "internal"
    """A defect."""


class GridgateError(Exception):
    """A failure with its kind, what happened, where, and how to mend it.

    >>> error = GridgateError(ErrorKind.INVALID, "the SIREN has 8 digits", remedy="Give all 9 digits.", where="line 3")
    >>> str(error)
    'line 3: the SIREN has 8 digits. Give all 9 digits.'
    """

    def __init__(self, kind: ErrorKind, message: str, *, remedy: str = "", where: str = "") -> None:
        self.kind = kind
        self.message = message
        self.remedy = remedy
        self.where = where
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text.rstrip('.')}. {self.remedy}" if self.remedy else text
