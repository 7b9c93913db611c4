"""Changes of who may read what, said outside the registry too: they become lines of the chained log.

The registry commits first; then the line is written, durably, and only then is whoever asked for the change answered.
So whatever was answered is in both, and an end that a damaged registry has lost is seen (ADR 0015). This app knows
nothing of files: `settings.CHANGE_LOG` names the function that writes.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from gridgate.core.errors import GridgateError
from gridgate.core.text import counted

PERMISSION = "permission"
"""An event of a permission; its id is `permission:sequence`."""
RECEIPT = "receipt"
"""A receipt, by its number."""
RIGHTS = "rights"
"""An event of the history of rights and requests, by its number."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """One row that the registry has gained: what it is, the SHA-256 of all that it says, and what it says."""

    kind: str
    id: str
    digest: str
    says: Mapping[str, Any]


def say(*changes: Change) -> None:
    """Write changes into the log as soon as their transaction is committed; what is rolled back is not written.

    A log that cannot be written undoes nothing: the change holds, nobody is served from an unwritable log, and the
    worker writes the line later.
    """
    connection = transaction.get_connection()
    # Those of one transaction share a line's flush to disk; a savepoint may yet be rolled back without the others.
    if connection.run_on_commit:
        savepoints, last, _ = connection.run_on_commit[-1]
        if isinstance(last, _Writing) and savepoints == set(connection.savepoint_ids):
            last.changes += changes
            return
    transaction.on_commit(_Writing([*changes]))


@dataclass(slots=True)
class _Writing:
    changes: list[Change]

    def __call__(self) -> None:
        write: Callable[[Sequence[Change]], None] = import_string(settings.CHANGE_LOG)
        try:
            write(self.changes)
        except GridgateError as error:
            count = counted(len(self.changes), "change")
            _log.error("%s committed, and not in the log yet: %s", count, error)
