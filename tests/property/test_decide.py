"""`decide()` against an oracle of thirty lines: nothing is granted that no line covers, whatever the lines."""

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.sharing import AccessLine, Basis, Granted, Refused, Wanted, decide
from gridgate.core.time import Interval, Resolution

INSTANTS = st.integers(0, 40)
"""Few, so that bounds meet: an off-by-one shows only when they are equal."""


def at(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


@st.composite
def lines(draw: st.DrawFn) -> AccessLine:
    return AccessLine(
        basis=draw(st.sampled_from(Basis)),
        permission=draw(st.sampled_from([None, "p"])),
        holder=2,
        kinds=draw(st.integers(0, 15)),
        directions=draw(st.integers(0, 3)),
        finest_resolution=draw(st.sampled_from([0, 600, 1800, 3600, 86400])),
        data_from=(data_from := draw(INSTANTS)),
        data_to=draw(st.none() | st.integers(data_from + 1, 42)),
        valid_from=draw(INSTANTS),
        valid_until=draw(st.none() | INSTANTS),
    )


@st.composite
def questions(draw: st.DrawFn) -> Wanted:
    start = draw(INSTANTS)
    return Wanted(
        metering_point="A",
        kind=draw(st.sampled_from(Kind)),
        direction=draw(st.sampled_from(FlowDirection)),
        period=Interval(at(start), at(draw(st.integers(start + 1, 42)))),
        at=at(draw(INSTANTS)),
        resolution=draw(st.none() | st.sampled_from(Resolution)),
    )


def covers(line: AccessLine, wanted: Wanted, second: int) -> bool:
    """May this instant of data be read under this line, by this question? Written anew, from the
    documentation.
    """
    now = wanted.at.timestamp()
    return (
        line.valid_from <= now
        and (line.valid_until is None or now < line.valid_until)
        and bool(line.kinds & wanted.kind.bit)
        and bool(line.directions & wanted.direction.bit)
        and (wanted.resolution is None or wanted.resolution.seconds >= line.finest_resolution)
        and line.data_from <= second
        and (line.data_to is None or second < line.data_to)
    )


def seconds(interval: Interval) -> range:
    assert interval.end is not None
    return range(int(interval.start.timestamp()), int(interval.end.timestamp()))


OPEN = AccessLine(Basis.TITLE, None, 2, 15, 3, 0, 0, None, 0, None)
WEEK = Wanted("A", Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, Interval(at(5), at(9)), at(20))


@given(questions(), st.lists(lines(), max_size=6))
@example(WEEK, [OPEN])
def test_grants_only_what_one_of_the_lines_covers_whole(wanted: Wanted, held: list[AccessLine]) -> None:
    verdict = decide(wanted, held)
    if isinstance(verdict, Granted):
        assert verdict.line in held
        assert wanted.period.covers(verdict.readable)
        told = [second for part in verdict.parts for second in seconds(part.readable)]
        assert len(told) == len(set(told))
        for part in verdict.parts:
            assert part.line in held
            assert all(covers(part.line, wanted, second) for second in seconds(part.readable))


@given(questions(), st.lists(lines(), max_size=6))
@example(WEEK, [OPEN])
def test_refuses_only_when_no_line_covers_any_of_it(wanted: Wanted, held: list[AccessLine]) -> None:
    readable = {sum(covers(line, wanted, second) for second in seconds(wanted.period)) for line in held}
    match verdict := decide(wanted, held):
        case Refused():
            assert readable <= {0}
        case Granted(_, granted):
            # Of several lines the one that reaches furthest, and beside it what the others allow.
            assert len(seconds(granted)) == max(readable)
            assert {second for part in verdict.parts for second in seconds(part.readable)} == {
                second for line in held for second in seconds(wanted.period) if covers(line, wanted, second)
            }


@given(questions(), st.lists(lines(), max_size=4))
def test_the_order_of_lines_changes_neither_verdict_nor_extent(
    wanted: Wanted, held: list[AccessLine]
) -> None:
    one, other = decide(wanted, held), decide(wanted, held[::-1])
    if isinstance(one, Granted) and isinstance(other, Granted):
        assert len(seconds(one.readable)) == len(seconds(other.readable))
        assert one.line.basis == other.line.basis
    else:
        assert one == other


@given(questions())
def test_without_lines_nothing_is_granted(wanted: Wanted) -> None:
    assert isinstance(decide(wanted, []), Refused)


@given(questions(), lines())
def test_dropping_a_line_never_widens_what_is_granted(wanted: Wanted, line: AccessLine) -> None:
    with_both, with_one = decide(wanted, [OPEN, line]), decide(wanted, [line])
    if isinstance(with_one, Granted):
        assert isinstance(with_both, Granted)
        assert len(seconds(with_both.readable)) >= len(seconds(with_one.readable))
