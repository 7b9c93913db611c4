"""What a block of this process took: processor time, and the write lock of Django's database."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def worked() -> Iterator[Callable[[], float]]:
    """Milliseconds of CPU that the block took."""
    begun = time.process_time()
    taken = [0.0]
    yield lambda: taken[0]
    taken[0] = 1000 * (time.process_time() - begun)


@contextmanager
def locked() -> Iterator[Callable[[], float]]:
    """The longest that a transaction of the block held the database's write lock, in milliseconds by the clock."""
    from django.db import connection as default

    connection: Any = default
    since, longest = [0.0], [0.0]
    commit = connection._commit

    def beginning(execute: Callable[..., Any], statement: str, *more: Any) -> Any:
        found = execute(statement, *more)
        if statement.startswith("BEGIN"):
            since[0] = time.perf_counter()
        return found

    def committing() -> None:
        commit()
        longest[0] = max(longest[0], time.perf_counter() - since[0])

    connection._commit = committing
    try:
        with connection.execute_wrapper(beginning):
            yield lambda: 1000 * longest[0]
    finally:
        del connection._commit
