"""What a line of the log says: of one read, or of one change of who may read. Stored for years: fields may be added,
never renamed or removed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson


class Entry(Protocol):
    """What the writer needs of an entry."""

    @property
    def at(self) -> datetime: ...

    def encode(self) -> bytes:
        """One JSON object; instants in UTC with a Z."""
        ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """Entries of one instant that were encoded together; one at least."""

    at: datetime
    bodies: Sequence[bytes]


GRANTED = "granted"
"""The outcome of a read that was answered; any other outcome is the reason of a refusal."""


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """One read, granted or refused."""

    at: datetime
    channel: str
    """`api:enedis`, `api:native`, `screen`, `export` or `file`."""
    outcome: str
    """`granted`, or why not (`core.sharing.RefusalReason`, or a word of the façade)."""
    reader: int
    """The organisation that reads."""
    reader_name: str
    metering_point: str
    holder: int | None
    """The organisation whose data it is: the holder of the line read under, or of the point at the time of a
    refusal.
    """
    kind: str
    direction: str
    start: datetime | None = None
    """The period that could be read; for a refusal, the one that was asked for."""
    end: datetime | None = None
    user: int | None = None
    user_name: str | None = None
    application: str | None = None
    """The client_id, for a program."""
    permission: str | None = None
    basis: str | None = None
    as_of: datetime | None = None
    values: int = 0
    """How many values the answer held."""

    def encode(self) -> bytes:
        """One JSON object; instants in UTC with a Z."""
        return orjson.dumps(self, option=orjson.OPT_UTC_Z)


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    """One change that the registry has made: which, by its digest, and all that is needed to make it again."""

    at: datetime
    """When the line was written; when the change was made is in what it says."""
    change: str
    """`permission`, `receipt`, `rights` or `reconciliation`."""
    id: str
    digest: str
    says: Mapping[str, Any]

    def encode(self) -> bytes:
        """One JSON object; instants in UTC with a Z."""
        return orjson.dumps(self, option=orjson.OPT_UTC_Z)
