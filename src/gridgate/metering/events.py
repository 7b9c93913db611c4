"""What metering tells the apps above it, inside the transaction that changes it.

Receivers connect in their `AppConfig.ready()`; what one raises undoes the change, so that a title and the
access projection never disagree.
"""

from django.dispatch import Signal

titles_changed = Signal()
"""Titles or points changed: `point_ids: list[str]`, `now: datetime`."""

collection_changed = Signal()
"""Load-curve collections took a new state: `point_ids: list[str]`, `state: str`, `now: datetime`,
`actor: Membership | None`. Sent once for each state that some points took."""
