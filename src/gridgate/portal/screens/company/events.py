"""Events of the history as lines of a table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gridgate.audit.models import AuditEvent
from gridgate.portal.screens.company import words
from gridgate.portal.screens.company.words import Detail


@dataclass(frozen=True, slots=True)
class EventRow:
    """When, who and for whom, what; what was and what became."""

    at: datetime
    who: str
    on_behalf: str
    what: str
    before: list[Detail]
    after: list[Detail]


def event_rows(events: Iterable[AuditEvent]) -> list[EventRow]:
    rows = []
    for event in events:
        details = words.details(event)
        rows.append(
            EventRow(
                at=event.at,
                who=words.who(event),
                on_behalf=words.on_behalf(event),
                what=words.sentence(event),
                before=[one for one in details if one.was],
                after=[one for one in details if one.became],
            )
        )
    return rows
