"""What `gridgate check` says of the access log: what pages cannot show or count of it, and when it was signed."""

from collections.abc import Iterator
from datetime import datetime

from gridgate.audit.operations.progress import being_counted
from gridgate.config.access_log.losses import lost_segments
from gridgate.config.access_log.signing import signed_ahead
from gridgate.config.environment import Environment
from gridgate.core.errors import GridgateError
from gridgate.core.text import counted

SHOWN = 3
"""So many of the segments that are lost are named."""


def log_not_shown(environment: Environment) -> Iterator[str]:
    """What pages cannot show or count of the access log; that what is there is as it was written, `audit verify` says."""
    lost = lost_segments(environment)
    for name, what in list(lost.items())[:SHOWN]:
        yield (
            f"{environment.access_log / name}: {what}, so pages count reads that they cannot show. "
            "Put it back from the last backup."
        )
    if len(lost) > SHOWN:
        yield f"{environment.access_log}: the same of {counted(len(lost) - SHOWN, 'more segment')}."
    if being_counted():
        yield (
            "The access log is being counted anew: pages say that their counts are incomplete, and receipts wait. "
            "`gridgate worker`, which `gridgate serve` runs, does it, and says in its log why it cannot."
        )


def log_signed_ahead(environment: Environment, now: datetime) -> Iterator[str]:
    """That the clock was ahead when the log was last signed, or is behind now."""
    try:
        last = signed_ahead(environment, now)
    except (GridgateError, OSError):
        return  # which `audit verify` tells
    if last is not None:
        yield (
            f"{environment.access_log}: checkpoint {last.number} was signed at {last.at:%Y-%m-%d %H:%M} UTC, which is to "
            "come: the clock was ahead then, or is behind now. Set it right; `gridgate worker`, which `gridgate serve` "
            "runs, then signs anew, and `gridgate audit verify` tells of it from then on."
        )
