"""How long the access log is kept."""

from datetime import datetime

YEARS_KEPT = 3
"""The least: Directive (EU) 2019/944, annex I(4), by Regulation (EU) 2023/1162, article 5."""


def latest_erasable(now: datetime) -> datetime:
    """Up to when entries may be erased by `now`.

    >>> from datetime import UTC
    >>> latest_erasable(datetime(2028, 2, 29, tzinfo=UTC)).isoformat()
    '2025-02-28T00:00:00+00:00'
    """
    return now.replace(year=now.year - YEARS_KEPT, day=min(now.day, 28))
