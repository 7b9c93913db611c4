"""The store as far as one decision reaches: whoever writes an answer looks through this, and sees no further."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from gridgate.core.sharing import Granted, Wanted
from gridgate.dataplane.query.answer import Answer, Segment
from gridgate.dataplane.query.columns import Columns
from gridgate.dataplane.reading.answering import answer
from gridgate.dataplane.reading.days import columns_of_days, read_packed, read_segments
from gridgate.dataplane.registry.port import PointFacts
from gridgate.dataplane.store.port import MeasurementStore, PackedDay


class Part:
    """What one line of a grant allows."""

    __slots__ = ("_store", "_wanted", "_zone", "line", "readable")

    def __init__(self, store: MeasurementStore, wanted: Wanted, granted: Granted, zone: ZoneInfo) -> None:
        self._store = store
        self._wanted = wanted
        self._zone = zone
        self.line = granted.line
        self.readable = granted.readable

    def packed(self) -> list[PackedDay]:
        """The days that it touches, as they are kept. Raises `StoreUnavailable`."""
        return read_packed(self._store, self._wanted, self.readable, zone=self._zone)

    def columns(self, days: Sequence[PackedDay]) -> list[Columns]:
        """What such days say, no finer than the line allows."""
        return columns_of_days(days, self._wanted, self.line, self.readable, zone=self._zone)

    def segments(self) -> list[Segment]:
        """The same of all its days. Raises `StoreUnavailable`."""
        return read_segments(self._store, self._wanted, self.line, self.readable, zone=self._zone)

    @property
    def state(self) -> object:
        """What changes when the store does."""
        return self._store.state


class Window:
    """What was granted of what is wanted."""

    __slots__ = ("_granted", "_point", "_store", "_zone", "wanted")

    def __init__(
        self, store: MeasurementStore, wanted: Wanted, granted: Granted, *, point: PointFacts, zone: ZoneInfo
    ) -> None:
        self._store = store
        self._granted = granted
        self._point = point
        self._zone = zone
        self.wanted = wanted

    @property
    def parts(self) -> list[Part]:
        """In the order of time."""
        return [Part(self._store, self.wanted, part, self._zone) for part in self._granted.parts]

    def answer(self) -> Answer:
        """The values and what is missing, with its reason. Raises `StoreUnavailable`."""
        return answer(self._store, self.wanted, self._granted, point=self._point, zone=self._zone)
