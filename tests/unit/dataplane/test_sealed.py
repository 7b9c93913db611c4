"""One way to read: what a dialect may do with a decision, and what it gets before the log has it."""

from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.sharing import AccessLine, Basis, Granted, RefusalReason, Refused, Wanted
from gridgate.core.time import Interval
from gridgate.dataplane.query.answer import Answer
from gridgate.dataplane.reading.reader import Reader
from gridgate.dataplane.reading.sealed import Denied, Judge, Sealed, Widened, take
from gridgate.dataplane.registry.port import Access, PointFacts
from tests.dataplane_world import ACME, BOTH_WAYS, CONSO, EVERY_KIND, NOW, PARIS, TIERS1, TODAY

WEEK = Interval(NOW - timedelta(days=7), NOW)
WANTED = Wanted(CONSO, Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, WEEK, NOW)
POINT = PointFacts(CONSO, "C5", BOTH_WAYS, TODAY, ACME, holder=ACME)


def line(since: timedelta, until: timedelta | None = None) -> AccessLine:
    """Days of data, counted back from now."""
    first, last = int((NOW - since).timestamp()), None if until is None else int((NOW - until).timestamp())
    return AccessLine(Basis.PERMISSION, "p", ACME, EVERY_KIND, BOTH_WAYS, 0, first, last, 0, None)


EARLIER, LATER = line(timedelta(30), timedelta(5)), line(timedelta(3))


class Told:
    """An answer of some values."""

    def __init__(self, *counts: int) -> None:
        self.counts = counts


def taken(
    judge: Judge[Any],
    access: Access,
    *,
    store: Any = None,
    write: Any = lambda window: Told(*(7 for _ in window.parts)),
    wanted: Wanted = WANTED,
) -> Sealed[Any, Any]:
    reader = Reader(TIERS1, "Tiers 1")
    return take(store or Mock(), reader, access, wanted, "api:test", judge=judge, write=write, zone=PARIS)


def as_decided(access: Access, wanted: Wanted, verdict: Granted | Refused) -> Granted | Denied[Answer]:
    if isinstance(verdict, Refused):
        return Denied(verdict, GridgateError(ErrorKind.FORBIDDEN, verdict.reason.value))
    return verdict


def test_what_was_granted_is_read_and_owes_a_line_for_each_part() -> None:
    sealed = taken(as_decided, Access(POINT, (EARLIER, LATER)))
    assert [(entry.outcome, entry.values) for entry in sealed.lines] == [("granted", 7), ("granted", 7)]
    assert sealed.open().counts == (7, 7)


@pytest.mark.parametrize("access", [Access(POINT, ()), Access(None, (LATER,)), Access(None, ())])
def test_what_was_refused_is_not_read_and_owes_a_line(access: Access) -> None:
    store = Mock(side_effect=AssertionError)
    sealed = taken(as_decided, access, store=store)
    assert [entry.outcome for entry in sealed.lines] == [RefusalReason.NO_PERMISSION]
    with pytest.raises(GridgateError, match="no_permission"):
        sealed.open()


def test_a_dialect_may_refuse_what_was_granted_in_its_own_word() -> None:
    store = Mock(side_effect=AssertionError)
    sealed = taken(lambda *_: Denied("too_late", Told()), Access(POINT, (LATER,)), store=store)
    assert [(entry.outcome, entry.values) for entry in sealed.lines] == [("too_late", 0)]
    assert sealed.open().counts == ()


def test_a_dialect_may_narrow_what_was_granted() -> None:
    sealed = taken(
        lambda access, wanted, verdict: verdict.parts[0],
        Access(POINT, (EARLIER, LATER)),
    )
    (entry,) = sealed.lines
    assert (entry.start, entry.end) == (WEEK.start, NOW - timedelta(days=5))


@pytest.mark.parametrize("lines", [(LATER,), ()])
def test_a_dialect_that_widens_what_was_decided_reads_nothing(lines: tuple[AccessLine, ...]) -> None:
    store = Mock(side_effect=AssertionError)
    with pytest.raises(Widened):
        taken(lambda *_: Granted(LATER, WEEK), Access(POINT, lines), store=store)


def test_what_is_no_name_of_a_point_owes_no_line() -> None:
    long = Wanted("1" * 19, WANTED.kind, WANTED.direction, WANTED.period, NOW)
    assert taken(as_decided, Access(None, ()), wanted=long).lines == []
