"""When each checkpoint was signed, as far as the others and the present clock bear out its stamp."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from gridgate.dataplane.accesslog.checkpoints import Checkpoint

LATE = timedelta(hours=1)
"""How much earlier than the last checkpoint a new line may be stamped: clocks differ, and a request may be long."""


@dataclass(slots=True)
class When:
    """Between which instants a checkpoint was signed: its stamp twice, unless the others contradict its clock."""

    not_before: datetime | None
    not_after: datetime

    @property
    def is_told(self) -> bool:
        """Whether its own stamp tells."""
        return self.not_before == self.not_after


def signed_when(signatures: Sequence[Checkpoint], now: datetime) -> list[When]:
    """When each was signed. They are a chain, so their sequence is sure and their clocks are not: the stamps of as many
    days as can be are taken for right, in order and none of them to come; the others were stamped by a clock that was
    wrong, and were signed between those.
    """
    right = _in_order([checkpoint.at for checkpoint in signatures], now + LATE)
    signed = []
    before: datetime | None = None
    for place, checkpoint in enumerate(signatures):
        if place in right:
            before = checkpoint.at
        signed.append(When(before, checkpoint.at))
    after = now
    for place in reversed(range(len(signatures))):
        if place in right:
            after = signatures[place].at
        signed[place].not_after = after
    return signed


def _in_order(stamps: Sequence[datetime], until: datetime) -> set[int]:
    """The places of stamps that do not go back, none after `until`: of as many days as can be, and of these as many as
    can be. Days come first, as the log is signed by itself once in each: signing often by a wrong clock gains nothing.
    """
    there = sorted({at for at in stamps if at <= until})
    best: list[_Chain] = [(0, 0, -1)] * (len(there) + 1)
    came_from: dict[int, int] = {}
    for place, at in enumerate(stamps):
        if at > until:
            continue
        day = at.astimezone(UTC).date()
        days, count, last = _best(best, bisect_left(there, datetime.combine(day, time.min, UTC)))
        days += 1
        same_days, same_count, same_last = _best(best, bisect_right(there, at))
        if same_last >= 0 and stamps[same_last].astimezone(UTC).date() == day:
            days, count, last = max((days, count, last), (same_days, same_count, same_last))
        came_from[place] = last
        index = bisect_right(there, at)
        while index < len(best):
            best[index] = max(best[index], (days, count + 1, place))
            index += index & -index
    places = set()
    at_place = _best(best, len(there))[2]
    while at_place >= 0:
        places.add(at_place)
        at_place = came_from[at_place]
    return places


_Chain = tuple[int, int, int]
"""Of stamps in order: how many days and how many stamps, and the place of the last."""


def _best(best: Sequence[_Chain], index: int) -> _Chain:
    """Of the chains whose last stamp is among the first `index`; `best` is a Fenwick tree."""
    chain = best[0]
    while index:
        chain = max(chain, best[index])
        index -= index & -index
    return chain
