"""Whose entries of the access log are asked for, and which.

A holder's members who have the entitlement *Gestion des services de données* see the entries of their own
company's points, within their perimeter; nobody else sees any. (Regulation (EU) 2023/1162, articles 5 and 7:
the log is shown to the final customer.)
"""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from django.db.models import Q

ENTITLEMENT = "data_services"


class Actor(Protocol):
    """What this app, which knows no organisation, needs of a membership."""

    organisation_id: int

    def has(self, code: str) -> bool: ...

    def within(self, code: str, field: str) -> Q: ...

    def count_within(self, code: str) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries: what is left empty does not narrow. `first` and `last` are civil days of the network, both included;
    `outcome` is "granted", "refused" or one reason; `own` says whose: the company's own (True) or all others' (False).
    """

    first: date | None = None
    last: date | None = None
    reader: int | None = None
    metering_point: str = ""
    kind: str = ""
    outcome: str = ""
    channel: str = ""
    own: bool | None = None
