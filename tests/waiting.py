"""Waiting for what a process, a thread or a page does in its own time."""

import time
from collections.abc import Callable

PATIENCE = 120.0
"""Seconds after which something never comes: far more than a busy machine takes."""


def until(true: Callable[[], object], what: str) -> None:
    """Return when `true()` is; `what` is the one that does not come."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.02)
