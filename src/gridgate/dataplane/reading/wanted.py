"""Who reads, and what is asked for."""

from dataclasses import dataclass
from datetime import datetime

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Interval, Resolution


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: an organisation, through a user of the portal or an application."""

    organisation: int
    organisation_name: str
    user: int | None = None
    user_name: str | None = None
    application: str | None = None
    """The client_id."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. `resolution` None means as stored; `as_of` None means what is known now."""

    metering_point: str
    kind: Kind
    direction: FlowDirection
    period: Interval
    resolution: Resolution | None = None
    as_of: datetime | None = None
