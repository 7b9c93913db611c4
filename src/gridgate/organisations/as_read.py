"""What somebody has read before they change it: what a colleague has changed meanwhile is changed by nobody who has not
read it.
"""

import json
from hashlib import sha256

from gridgate.core.errors import ErrorKind, GridgateError


class ChangedMeanwhile(GridgateError):
    """It says something else than whoever saves it has read; nothing is saved."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.CONFLICT, "this was changed since it was read", remedy="Read it again, then save."
        )


def fingerprint(said: object) -> str:
    """Differs when what is said does.

    >>> fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1}) != fingerprint({"a": 1})
    True
    """
    return sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]


def require_read(seen: str | None, said: object) -> None:
    """Raises `ChangedMeanwhile` when `seen` is the fingerprint of something else; None asks nothing."""
    if seen is not None and seen != fingerprint(said):
        raise ChangedMeanwhile
