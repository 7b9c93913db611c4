"""Whether pages that count reads count all of them, and what they say when they do not."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings

from gridgate.audit.operations.progress import being_counted
from gridgate.dataplane.accesslog.segments import FOLDED

LATE = timedelta(minutes=5)
"""The worker counts within seconds."""


@dataclass(frozen=True, slots=True)
class Counting:
    """That counts are incomplete: since they begin anew, or of what was read after an instant."""

    whole_until: datetime | None
    """None while all is counted anew."""


def counting(now: datetime) -> Counting | None:
    """None when all reads are counted, but those of the last minutes."""
    if being_counted():
        return Counting(None)
    try:
        at = datetime.fromtimestamp((settings.ENVIRONMENT.access_log / FOLDED).stat().st_mtime, UTC)
    except OSError:  # no worker has counted here yet
        return None
    return Counting(at) if at < now - LATE else None
