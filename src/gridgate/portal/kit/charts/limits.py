"""A power not to exceed: what a chart is given of it, and which one holds at an instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """A power not to exceed, over all the chart or between two instants; `label` defaults to "Souscrite 250
    kW".
    """

    value: float
    start: datetime | None = None
    end: datetime | None = None
    label: str = ""


def limit_at(limits: Sequence[Limit], at: float) -> float | None:
    for limit in limits:
        if (limit.start is None or limit.start.timestamp() <= at) and (
            limit.end is None or at < limit.end.timestamp()
        ):
            return limit.value
    return None
