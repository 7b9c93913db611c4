"""Asking for letters in the transaction of what they tell, and rendering them after its commit.

The transaction writes an order, one row to nobody, with what the letters say that may be another by the time they are
rendered; nobody waits for a template under the registry's lock, a kill loses nothing, and what is rolled back asks for
nothing. `tasks.write_letters` changes the row for its letters. Who may learn of it is decided then, not when it was
asked.

    @written("refused")
    def refusal(order: OutgoingEmail, told: Told, now: datetime) -> Iterable[OutgoingEmail]: ...
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from gridgate.notifications.models import OutgoingEmail

Told = dict[str, Any]
Writer = Callable[[OutgoingEmail, Told, datetime], Iterable[OutgoingEmail]]

_WRITERS: dict[str, Writer] = {}


def written(*letters: str) -> Callable[[Writer], Writer]:
    """Register who renders what is asked for under these names."""

    def register(writer: Writer) -> Writer:
        _WRITERS.update(dict.fromkeys(letters, writer))
        return writer

    return register


def ask(letter: str, about: str, told: Told | None = None, *, thread: str = "", now: datetime) -> None:
    """Ask for the letters `letter` of `about`; call it in the transaction of what they tell. A second time while they are
    not rendered, nothing more is asked for.
    """
    OutgoingEmail.objects.bulk_create(
        [
            OutgoingEmail(
                key=f"{letter}:{about}",
                thread=thread,
                attachment=json.dumps(told or {}),
                created_at=now,
                due_at=now,
            )
        ],
        ignore_conflicts=True,
    )


def letters_of(order: OutgoingEmail, *, now: datetime) -> list[OutgoingEmail]:
    """The letters that are asked for, in their order, to whoever may learn of it now."""
    letter = order.key.partition(":")[0]
    return list(_WRITERS[letter](order, json.loads(order.attachment or "{}"), now))


def about(order: OutgoingEmail) -> str:
    return order.key.partition(":")[2]
