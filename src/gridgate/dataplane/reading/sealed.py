"""One way to read: it is decided, it is read, and what was read is sealed until the log says so.

What asks is a dialect: a façade, or the screens. It judges the decision in its words, which may narrow what was granted,
and writes what it answers from what it may see of the store. It is given that once the lines of the log are durable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from gridgate.core.errors import GridgateError
from gridgate.core.sharing import Granted, Refused, Wanted, decide
from gridgate.dataplane.accesslog.entry import AccessEntry, Encoded, Entry
from gridgate.dataplane.reading.log_lines import entries
from gridgate.dataplane.reading.reader import Reader
from gridgate.dataplane.reading.window import Window
from gridgate.dataplane.registry.port import Access
from gridgate.dataplane.store.port import MeasurementStore

LONGEST_ID = 18
"""What is longer is no metering point, and no line of the log."""

L = TypeVar("L", bound=Entry | Encoded)
T = TypeVar("T")


class Written(Protocol):
    """An answer, which tells how many values it holds."""

    @property
    def counts(self) -> Sequence[int]:
        """Of each part of what was granted, in their order; nothing when no part was read."""
        ...


W = TypeVar("W", bound=Written)


@dataclass(frozen=True, slots=True)
class Denied(Generic[T]):
    """A read that a dialect refuses: what the log says, and what the caller is told, an error or an answer without
    values.
    """

    outcome: Refused | str
    """A `str` is a refusal in a word of the dialect."""
    told: GridgateError | T


Judge = Callable[[Access, Wanted, Granted | Refused], Granted | Denied[T]]


class Sealed(Generic[L, T]):
    """What was read, or why not, and the lines of the log that it owes: whoever has made these durable opens it."""

    __slots__ = ("_told", "lines")

    def __init__(self, lines: Sequence[L], told: GridgateError | T) -> None:
        self.lines = lines
        self._told = told

    def open(self) -> T:
        if isinstance(self._told, GridgateError):
            raise self._told
        return self._told


class Widened(RuntimeError):
    """A dialect granted what was not decided: a defect, which gives nothing away."""


def authorise(access: Access, wanted: Wanted) -> Granted | Refused:
    """Decide a read. Lines without a point, or a point without lines, are refused like everything else."""
    return decide(wanted, access.lines if access.point is not None else ())


def take(
    store: Callable[[], MeasurementStore],
    reader: Reader,
    access: Access,
    wanted: Wanted,
    channel: str,
    *,
    judge: Judge[W],
    write: Callable[[Window], W],
    zone: ZoneInfo,
) -> Sealed[AccessEntry, W]:
    """Decide and read. Raises `StoreUnavailable`."""
    point = access.point
    decided = authorise(access, wanted)
    verdict = judge(access, wanted, decided)
    if isinstance(verdict, Denied):
        named = len(wanted.metering_point) <= LONGEST_ID
        lines = entries(reader, wanted, verdict.outcome, channel=channel, point=point) if named else []
        return Sealed(lines, verdict.told)
    if point is None or (verdict is not decided and not _within(verdict, decided)):
        raise Widened(channel)
    written = write(Window(store(), wanted, verdict, point=point, zone=zone))
    return Sealed(
        entries(reader, wanted, verdict, channel=channel, point=point, counts=written.counts), written
    )


def _within(verdict: Granted, decided: Granted | Refused) -> bool:
    return isinstance(decided, Granted) and set(verdict.parts) <= set(decided.parts)
