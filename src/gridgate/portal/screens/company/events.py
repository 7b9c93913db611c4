"""Events of the history as lines of a table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gridgate.audit.models import AuditEvent
from gridgate.portal.screens.company import history_details, history_sentences
from gridgate.portal.screens.company.history_details import Detail


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
        details = history_details.details(event)
        rows.append(
            EventRow(
                at=event.at,
                who=history_sentences.who(event),
                on_behalf=history_sentences.on_behalf(event),
                what=history_sentences.sentence(event),
                before=[one for one in details if one.was],
                after=[one for one in details if one.became],
            )
        )
    return rows
