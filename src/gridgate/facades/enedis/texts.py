"""The text of days of load curve, kept while there is room.

A text is known by the bytes of which it is made, never by whose they are or when they came: what the store holds is read
each time, and a day that was corrected is another one. So nothing that is kept can be out of date, and no reader can be
given what they may not read: the bytes were read for them. What was erased is not kept in memory either, once anything is
read.
"""

from collections import OrderedDict
from collections.abc import Hashable

from gridgate.dataplane.http.metrics import DAY_TEXT_BYTES, DAY_TEXTS

KEPT_BYTES = 64 * 2**20
"""Of one process: two weeks of 1,000 points at half hours."""
_OVERHEAD = 1024
"""Of a text, beside itself: the bytes that it is known by, and what Python needs to find it."""


class DayTexts:
    """Those used last stay longest. Belongs to one thread."""

    def __init__(self, largest: int = KEPT_BYTES) -> None:
        self._largest = largest
        self._texts: OrderedDict[Hashable, tuple[bytes, int]] = OrderedDict()
        self._of: object = None
        self.bytes = 0
        self._found, self._made = (DAY_TEXTS.labels(was) for was in ("kept", "made"))
        self._put_by, self._let_go = (DAY_TEXT_BYTES.labels(were) for were in ("put_by", "let_go"))

    def __len__(self) -> int:
        return len(self._texts)

    def keep_while(self, state: object) -> None:
        """Let go of all that was made in another state of the store (`MeasurementStore.state`)."""
        if state != self._of:
            self._of = state
            self._texts.clear()
            self._let_go.inc(self.bytes)
            self.bytes = 0

    def get(self, key: Hashable) -> tuple[bytes, int] | None:
        """A text and how many values it holds."""
        found = self._texts.get(key)
        if found is not None:
            self._texts.move_to_end(key)
        return found

    def put(self, key: Hashable, text: tuple[bytes, int]) -> None:
        size, gone = len(text[0]) + _OVERHEAD, 0
        self._texts[key] = text
        self.bytes += size
        while self.bytes > self._largest:
            _, (last, _) = self._texts.popitem(last=False)
            self.bytes -= len(last) + _OVERHEAD
            gone += len(last) + _OVERHEAD
        self._put_by.inc(size)
        if gone:
            self._let_go.inc(gone)

    def tell(self, found: int, made: int) -> None:
        """Count days that were answered."""
        if found:
            self._found.inc(found)
        if made:
            self._made.inc(made)
