"""What `gridgate check` says of letters."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from gridgate.core.text import counted
from gridgate.notifications.tasks import unwritten

LATE = timedelta(minutes=10)
SHOWN = 3
"""So many of the changes whose letters are late are named."""


def awaited_letters(now: datetime) -> Iterator[str]:
    """Those that are asked for with what they tell, and should have been written long since: they are tried again for
    good.
    """
    late = unwritten().filter(created_at__lt=now - LATE)
    if (oldest := late.first()) is None:
        return
    yield (
        f"Not written yet: the letters of {counted(late.count(), 'change')}, the oldest since "
        f"{oldest.created_at:%Y-%m-%d %H:%M} UTC: nobody was told by e-mail. The changes hold. `gridgate worker`, which "
        "`gridgate serve` runs, writes them, and says in its log why it cannot."
    )
    for change in late.exclude(failure="")[:SHOWN]:
        yield f"{change.key}: its letters cannot be written: {change.failure}"
