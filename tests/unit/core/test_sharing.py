"""The states of a permission, and the decision of every read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind, bits
from gridgate.core.sharing import (
    AccessLine,
    Basis,
    Granted,
    LegalBasis,
    PermissionState,
    RefusalReason,
    Refused,
    Wanted,
    decide,
    describe,
    transition,
)
from gridgate.core.time import Interval, Resolution

S = PermissionState
ENDS = {S.REVOKED, S.TERMINATED, S.EXPIRED, S.FULFILLED, S.INVALIDATED}
ALLOWED = {
    S.REQUESTED: {S.VALIDATED, S.MALFORMED, S.REFUSED, S.TIMED_OUT},
    S.VALIDATED: {S.ACTIVE, S.REFUSED, S.TIMED_OUT},
    S.ACTIVE: {S.SUSPENDED} | ENDS,
    S.SUSPENDED: {S.ACTIVE} | ENDS,
}


@pytest.mark.parametrize("to", S)
@pytest.mark.parametrize("state", S)
def test_each_state_leads_where_the_regulation_says_and_nowhere_else(state: S, to: S) -> None:
    if to in ALLOWED.get(state, set()):
        assert transition(state, to) is to
        return
    with pytest.raises(GridgateError, match=f"{state} cannot become {to}") as caught:
        transition(state, to)
    assert caught.value.kind is ErrorKind.CONFLICT


@pytest.mark.parametrize("state", S)
def test_a_state_that_leads_nowhere_has_ended(state: S) -> None:
    assert state.ended is (state in ENDS | {S.MALFORMED, S.REFUSED, S.TIMED_OUT})


@pytest.mark.parametrize("basis", LegalBasis)
def test_what_rests_on_the_holders_will_is_terminable(basis: LegalBasis) -> None:
    assert basis.terminable is (basis in (LegalBasis.CONSENT, LegalBasis.CONTRACT))


# --- decide

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def day(number: int) -> datetime:
    return datetime(2026, 11, number, tzinfo=UTC)


def epoch(instant: datetime) -> int:
    return int(instant.timestamp())


LINE = AccessLine(
    basis=Basis.PERMISSION,
    permission="p",
    holder=1,
    kinds=bits([Kind.LOAD_CURVE, Kind.DAILY_ENERGY]),
    directions=FlowDirection.WITHDRAWAL.bit,
    finest_resolution=1800,
    data_from=epoch(day(1)),
    data_to=epoch(day(20)),
    valid_from=epoch(NOW - timedelta(days=10)),
    valid_until=epoch(NOW + timedelta(days=10)),
)
WANTED = Wanted("A", Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, Interval(day(5), day(12)), NOW)


def refusal(wanted: Wanted, *lines: AccessLine) -> RefusalReason:
    verdict = decide(wanted, lines)
    assert isinstance(verdict, Refused)
    return verdict.reason


def readable(wanted: Wanted, *lines: AccessLine) -> Interval:
    verdict = decide(wanted, lines)
    assert isinstance(verdict, Granted), verdict
    return verdict.readable


def test_without_a_line_nothing_is_readable() -> None:
    assert refusal(WANTED) is RefusalReason.NO_PERMISSION


def test_a_line_grants_what_it_covers() -> None:
    assert decide(WANTED, [LINE]) == Granted(LINE, Interval(day(5), day(12)))


@pytest.mark.parametrize(
    ("seconds_from_start", "reason"),
    [
        (-1, RefusalReason.NOT_YET_VALID),
        (0, None),
        (20 * 86400 - 1, None),
        (20 * 86400, RefusalReason.EXPIRED),
    ],
)
def test_a_line_is_valid_from_its_first_instant_up_to_not_including_its_last(
    seconds_from_start: int, reason: RefusalReason | None
) -> None:
    at = replace(WANTED, at=NOW - timedelta(days=10) + timedelta(seconds=seconds_from_start))
    verdict = decide(at, [LINE])
    assert (verdict.reason if isinstance(verdict, Refused) else None) is reason


def test_a_line_without_an_end_is_valid_for_good() -> None:
    later = replace(WANTED, at=NOW + timedelta(days=9999))
    assert readable(later, replace(LINE, valid_until=None))


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (replace(WANTED, kind=Kind.MAXIMUM_POWER), RefusalReason.KIND_NOT_COVERED),
        (replace(WANTED, direction=FlowDirection.INJECTION), RefusalReason.DIRECTION_NOT_COVERED),
        (replace(WANTED, resolution=Resolution.PT10M), RefusalReason.RESOLUTION_TOO_FINE),
        (
            replace(WANTED, period=Interval(datetime(2026, 10, 1, tzinfo=UTC), day(1))),
            RefusalReason.BEFORE_HISTORY,
        ),
        (replace(WANTED, period=Interval(day(20), day(22))), RefusalReason.AFTER_TITLE),
    ],
)
def test_what_a_line_does_not_cover_is_refused_with_the_reason(wanted: Wanted, reason: RefusalReason) -> None:
    assert refusal(wanted, LINE) is reason


@pytest.mark.parametrize("resolution", [Resolution.PT30M, Resolution.P1D, None])
def test_the_finest_step_and_coarser_ones_are_readable(resolution: Resolution | None) -> None:
    assert readable(replace(WANTED, resolution=resolution), LINE)


def test_any_step_is_readable_when_the_line_sets_none() -> None:
    assert readable(replace(WANTED, resolution=Resolution.PT5M), replace(LINE, finest_resolution=0))


def test_the_readable_part_is_cut_to_the_data_that_the_line_covers() -> None:
    wide = replace(WANTED, period=Interval(datetime(2026, 10, 1, tzinfo=UTC), day(25)))
    assert readable(wide, LINE) == Interval(day(1), day(20))
    assert readable(wide, replace(LINE, data_to=None)) == Interval(day(1), day(25))
    endless = replace(WANTED, period=Interval(day(5), None))
    assert readable(endless, replace(LINE, data_to=None)) == Interval(day(5), None)


def test_the_line_that_allows_most_is_taken_and_the_title_when_equal() -> None:
    short = replace(LINE, data_from=epoch(day(8)))
    assert decide(WANTED, [short, LINE]) == Granted(LINE, WANTED.period)
    title = replace(LINE, basis=Basis.TITLE, permission=None)
    for lines in ([LINE, title], [title, LINE]):
        verdict = decide(WANTED, lines)
        assert isinstance(verdict, Granted)
        assert verdict.line is title
    endless = replace(WANTED, period=Interval(day(5), None))
    verdict = decide(endless, [LINE, replace(LINE, permission="q", data_to=None)])
    assert isinstance(verdict, Granted)
    assert verdict.line.permission == "q"


def test_what_other_lines_allow_beside_the_widest_is_a_part_of_its_own() -> None:
    former = replace(LINE, permission="former", data_from=epoch(day(1)), data_to=epoch(day(7)))
    again = replace(LINE, permission="again", data_from=epoch(day(10)), data_to=None)
    verdict = decide(replace(WANTED, period=Interval(day(2), day(20))), [former, again])
    assert isinstance(verdict, Granted)
    assert [(part.line.permission, part.readable) for part in verdict.parts] == [
        ("former", Interval(day(2), day(7))),
        ("again", Interval(day(10), day(20))),
    ]


def test_one_line_that_allows_is_enough_whatever_the_others_refuse() -> None:
    assert readable(WANTED, replace(LINE, kinds=0), replace(LINE, valid_until=epoch(NOW)), LINE)


def test_of_several_refusals_the_one_nearest_to_a_grant_is_told() -> None:
    expired, other_kind = replace(LINE, valid_until=epoch(NOW)), replace(LINE, kinds=Kind.DAILY_ENERGY.bit)
    assert refusal(WANTED, other_kind, expired) is RefusalReason.KIND_NOT_COVERED


def test_a_line_in_words() -> None:
    assert describe(LINE) == {
        "basis": "permission",
        "permission": "p",
        "kinds": ["daily_energy", "load_curve"],
        "directions": ["withdrawal"],
        "finest_resolution": 1800,
    }
    assert describe(replace(LINE, finest_resolution=0))["finest_resolution"] is None
