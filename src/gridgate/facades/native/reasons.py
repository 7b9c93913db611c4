"""What the routes of the native API have in common when they decide: the channel, and what a refusal is called."""

from collections.abc import Sequence
from typing import Final

from gridgate.core.sharing import AccessLine, Basis, MissingReason, RefusalReason

NAME: Final = "native"
CHANNEL: Final = f"api:{NAME}"

_ABOUT_THE_PERIOD: Final = (
    RefusalReason.BEFORE_HISTORY,
    RefusalReason.AFTER_TITLE,
    RefusalReason.BETWEEN_TITLES,
)


def is_about_the_period(reason: RefusalReason) -> bool:
    """Whether the caller may read the point, and nothing of the period: that is an answer, not a problem."""
    return reason in _ABOUT_THE_PERIOD


def why_nothing(reason: RefusalReason, lines: Sequence[AccessLine]) -> MissingReason:
    if reason is RefusalReason.AFTER_TITLE:
        return MissingReason.AFTER_TITLE
    by_title = all(line.basis is Basis.TITLE for line in lines)
    if by_title and reason is RefusalReason.BETWEEN_TITLES:
        return MissingReason.BETWEEN_TITLES
    return MissingReason.BEFORE_TITLE if by_title else MissingReason.BEFORE_PERMISSION_HISTORY
