"""Of what is set aside: why in one word, and of which point, kind, direction, day and time it is, where that is sure."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.dataplane.ingest import aside, port
from gridgate.dataplane.ingest.directory import PointInfo
from gridgate.dataplane.ingest.local_time import LocalClock
from gridgate.dataplane.ingest.port import Observations, Stamp
from gridgate.dataplane.ingest.report import FileReport
from gridgate.dataplane.ingest.series.settle import settle
from gridgate.dataplane.store.quarantine import Cause, Quarantined, Subject
from tests.ingest_samples import (
    PLAIN,
    PLAIN_HEADER,
    R63_HEADER,
    as_json,
    ends,
    green_button,
    naive,
    plain_csv,
    r6x,
    r63,
    r64,
)
from tests.unit.dataplane.ingest.conftest import C4, C5, INJECTING, Directory, Taken

Take = Callable[..., Taken]
OUT = FlowDirection.WITHDRAWAL
JUNE = date(2026, 6, 1)


def curve(
    *rows: tuple[str, Any], point: str = C5, step: str = "PT30M", way: str = "withdrawal", unit: str = "W"
) -> bytes:
    return plain_csv(f"{point},load_curve,{way},{stamp},{step},{value},{unit}," for stamp, value in rows)


def day(stamp: str) -> bytes:
    return plain_csv([f"{C5},daily_energy,withdrawal,{stamp},,5,Wh,"])


def told(taken: Taken) -> list[tuple[Cause | None, date | None, tuple[str, str] | None]]:
    """Cause, day and span of each, the span by the clock of UTC."""

    def clock(seconds: int) -> str:
        return datetime.fromtimestamp(seconds, UTC).strftime("%d %H:%M")

    found = []
    for item in taken.report.quarantined:
        span = item.subject and item.subject.span
        found.append(
            (
                item.cause,
                item.subject.day if item.subject else None,
                (clock(span[0]), clock(span[1])) if span else None,
            )
        )
    return found


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (curve(("2026-06-01T21:30:00Z", -5)), (Cause.NEGATIVE, JUNE, ("01 21:30", "01 22:00"))),
        (curve(("2026-06-01T22:00:00Z", -5)), (Cause.NEGATIVE, date(2026, 6, 2), ("01 22:00", "01 22:30"))),
        (curve(("2026-06-01 00:00", -5)), (Cause.NEGATIVE, JUNE, ("31 22:00", "31 22:30"))),
        (curve(("2026-06-01 00:00", "9" * 15), unit="kW"), (Cause.BEYOND, JUNE, ("31 22:00", "31 22:30"))),
        (curve(("2026-06-01 00:00", 5), step="PT20M"), (Cause.STEP, JUNE, None)),
        (curve(("2026-06-01T10:10:00Z", 5)), (Cause.OFF_GRID, JUNE, ("01 10:10", "01 10:40"))),
        (curve(("2026-03-29 02:30", 5)), (Cause.NO_SUCH_TIME, date(2026, 3, 29), None)),
        (curve(("2026-10-25 02:30", 5)), (Cause.AMBIGUOUS_TIME, date(2026, 10, 25), None)),
        (curve(("2026-10-25 02:30", -5)), (Cause.NEGATIVE, date(2026, 10, 25), None)),
        (curve(("2026-10-25 03:00", -5)), (Cause.NEGATIVE, date(2026, 10, 25), ("25 02:00", "25 02:30"))),
        (curve(("1969-01-01T00:00:00Z", 5)), (Cause.OUT_OF_RANGE, None, None)),
        (curve(("1969-01-01T00:00:00Z", -5)), (Cause.NEGATIVE, None, None)),
        (day("2026-06-01T05:00:00+02:00"), (Cause.NOT_A_DAY, JUNE, None)),
        (day("2026-06-01T23:00:00+02:00"), (Cause.NOT_A_DAY, None, None)),
    ],
)
def test_names_cause_day_and_time_where_they_are_sure(
    take: Take, file: bytes, expected: tuple[Cause, date | None, tuple[str, str] | None]
) -> None:
    taken = take(file)

    assert told(taken) == [expected]
    (item,) = taken.store.quarantined
    assert item.subject is not None
    assert (item.subject.metering_point, item.subject.direction) == (C5, OUT)


@pytest.mark.parametrize(
    ("kind", "unit", "most"),
    [
        ("load_curve", "kW", 10**8),
        ("load_curve", "kWh", 5 * 10**7),  # of half an hour
        ("maximum_power", "kVA", 10**8),
        ("daily_energy", "kWh", 24 * 10**8),
        ("register_reading", "kWh", 10**12),
    ],
)
def test_what_no_connection_carries_is_beyond_any_meter(take: Take, kind: str, unit: str, most: int) -> None:
    step = "PT30M" if kind == "load_curve" else ""

    def taken(value: int) -> Taken:
        return take(plain_csv([f"{C5},{kind},withdrawal,2026-06-01,{step},{value},{unit},"]))

    assert [cause for cause, _, _ in told(taken(most))] == []
    assert [cause for cause, _, _ in told(taken(most + 1))] == [Cause.BEYOND]


@pytest.mark.parametrize(
    ("file", "of"),
    [
        (curve(("2031-01-01T23:30:00+01:00", 5), ("2031-01-02T00:30:00+01:00", 5)), ("01 23:30", "02 00:00")),
        (day("2031-01-01") + day("2031-01-03").splitlines()[-1], None),
    ],
)
def test_what_is_of_a_time_still_to_come_was_not_measured(
    take: Take, file: bytes, of: tuple[str, str] | None
) -> None:
    """More than a day ahead: clocks and zones are no cause."""
    taken = take(file)

    (found,) = told(taken)
    assert found[:2] == (Cause.FUTURE, date(2031, 1, 2 if of else 3))
    assert found[2] == of
    assert taken.report.stored == 1


def test_an_end_is_of_the_day_in_which_its_step_lies(take: Take) -> None:
    """`C5` stamps ends: the last half hour of a day bears the midnight after it."""
    (midnight,) = naive(ends(PLAIN)[-1:])

    taken = take(as_json(r63(C5, [midnight], [-1])))

    assert told(taken) == [(Cause.NEGATIVE, PLAIN, ("01 21:30", "01 22:00"))]


def test_an_end_whose_step_nobody_can_tell_is_of_the_day_before_it(take: Take) -> None:
    (midnight,) = naive(ends(PLAIN)[-1:])

    taken = take("\n".join([R63_HEADER, f"{C5};;;PA;CONS;BRUT;W;{midnight};5;;PT2H"]))

    assert told(taken) == [(Cause.STEP, PLAIN, None)]


def test_of_two_readings_that_lie_in_two_days_none_is_told(take: Take, directory: Directory) -> None:
    """Where clocks go back at midnight, the end `00:00` is that of a day or of half an hour in the next one."""
    midnight = int(datetime(2026, 10, 25, tzinfo=UTC).timestamp())
    batch = Observations(
        meter=C5,
        kind=Kind.LOAD_CURVE,
        direction=OUT,
        stamp=Stamp.END,
        times=np.array([midnight, midnight + 7200]),
        wall=np.ones(2, bool),
        steps=np.full(2, 1800),
        values=np.array([-1, -1]),
        quality=np.full(2, Quality.MEASURED, np.uint8),
        rows=np.arange(2),
        raw=["-1", "-1"],
    )

    settled = settle([batch], OUT, directory.points[C5], LocalClock(ZoneInfo("Atlantic/Azores")), at=midnight)

    days = [item.subject.day for item in settled.quarantined if item.subject]
    assert days == [None, date(2026, 10, 25)]


def test_a_value_beside_one_that_is_kept_is_a_repeat_or_reaches_beyond_it(take: Take) -> None:
    rows = [
        f"{C5},load_curve,withdrawal,2026-06-01T00:00:00Z,PT30M,1,W,",
        f"{C5},load_curve,withdrawal,2026-06-01T00:00:00Z,PT30M,1,W,",
        f"{C5},load_curve,withdrawal,2026-06-01T00:00:00Z,PT60M,1,W,",
    ]

    assert told(take(plain_csv(rows))) == [
        (Cause.REPEATED, JUNE, ("01 00:00", "01 00:30")),
        (Cause.OVERLAPPING, JUNE, ("01 00:00", "01 01:00")),
    ]


def test_of_two_accounts_that_differ_both_are_contradicted(take: Take) -> None:
    (stamp,) = naive(ends(PLAIN)[:1])
    rows = [f"{C5};;;PA;CONS;{stage};W;{stamp};{value};;PT30M" for stage, value in (("BRUT", 3), ("BEST", 9))]

    taken = take("\n".join([R63_HEADER, *rows]))

    assert told(taken) == [(Cause.CONTRADICTED, PLAIN, ("31 22:00", "31 22:30"))] * 2


def test_a_curve_after_an_opposition(take: Take, directory: Directory) -> None:
    opposed = datetime(2026, 6, 1, 0, 30, tzinfo=UTC)
    directory.points[C5] = PointInfo(C5, "C5", frozenset(FlowDirection), opposed)

    taken = take(curve(("2026-06-01T00:00:00Z", 1), ("2026-06-01T00:30:00Z", 2)))

    assert told(taken) == [(Cause.OPPOSITION, JUNE, ("01 00:30", "01 01:00"))]


@pytest.mark.parametrize("last", ["v48", "v50"])
def test_a_slot_is_of_its_day_which_may_not_have_it(take: Take, last: str) -> None:
    slots = [f"v{n}" for n in range(1, int(last[1:]) + 1)]
    header = f"metering_point_id,kind,direction,date,resolution,unit,{','.join(slots)}"
    row = f"{C5},load_curve,withdrawal,2026-06-01,PT30M,W,{','.join('1' for _ in slots[:-1])},-1"

    taken = take(f"{header}\n{row}\n")

    if last == "v48":
        assert told(taken) == [(Cause.NEGATIVE, JUNE, ("01 21:30", "01 22:00"))]
    else:
        assert (Cause.NO_SUCH_SLOT, JUNE, None) in told(taken)


def test_a_direction_that_is_not_said_or_not_there(take: Take) -> None:
    unsaid = take(curve(("2026-06-01T00:00:00Z", 1), point=INJECTING, way=""))
    absent = take(curve(("2026-06-01T00:00:00Z", 1), point=C4, way="injection"))

    span = ("01 00:00", "01 00:30")
    assert told(unsaid) == [(Cause.DIRECTION_UNSAID, JUNE, span)]
    assert told(absent) == [(Cause.DIRECTION_ABSENT, JUNE, span)]
    about = [item.subject for taken in (unsaid, absent) for item in taken.report.quarantined]
    assert [one and (one.metering_point, one.direction) for one in about] == [
        (INJECTING, None),
        (C4, FlowDirection.INJECTION),
    ]


def test_nothing_is_said_of_what_leads_to_no_point(take: Take) -> None:
    unknown = take(curve(("2026-06-01T00:00:00Z", 1), point="12345678901234"))
    neither = take(curve(("2026-06-01T00:00:00Z", "x"), point="12345678901234"))
    no_stamp = take(curve(("soon", 1), point="12345678901234"))

    taken = (unknown, neither, no_stamp)
    assert [(item.cause, item.subject) for one in taken for item in one.report.quarantined] == [
        (None, None)
    ] * 3


@pytest.mark.parametrize(
    "line",
    [
        f"{C5},load_curve,withdrawal,soon,PT30M,1,W,",
        f"{C5},gas,withdrawal,2026-06-01T22:30:00Z,PT30M,1,W,",
        f"{C5},load_curve,sideways,2026-06-01T22:30:00Z,PT30M,1,W,",
    ],
    ids=["stamp", "kind", "direction"],
)
@pytest.mark.parametrize("beside", [[], [f"{C5},load_curve,withdrawal,2026-06-01T22:30:00Z,PT30M,1,W,"]])
def test_of_what_says_no_day_or_kind_the_point_is_told(take: Take, line: str, beside: list[str]) -> None:
    """It is erased with its point."""
    (item,) = take(plain_csv([line, *beside])).report.quarantined
    assert item.subject == Subject(C5)


def of_no_class() -> dict[str, Any]:
    document = r64(C5, {("Distributeur", "HPH"): [("2026-06-01 00:00:00", 5, 0)]})
    calendar = document["mesures"][0]["contexte"][0]["grandeur"][0]["calendrier"][0]
    calendar["classeTemporelle"][0] |= {"idClasseTemporelle": None, "codeCadran": None}
    return document


@pytest.mark.parametrize(
    "document",
    [
        r63(C5, ["2026-06-01 00:30:00"], [1], physical="ERC"),
        r63(C5, ["2026-06-01 00:30:00"], [1], trade="AUTRE"),
        of_no_class(),
        r6x("R63", [{"idPrm": C5, "grandeur": "none"}]),
        r6x("R64", [{"idPrm": C5, "contexte": [7]}]),
    ],
    ids=["quantity", "trade", "class", "list", "object"],
)
def test_the_point_of_what_r6x_in_json_does_not_keep_is_told(take: Take, document: dict[str, Any]) -> None:
    (item,) = take(as_json(document)).report.quarantined
    assert item.subject == Subject(C5)


@pytest.mark.parametrize(
    "section",
    [
        f"{C5};Courbe de charge;Energie reactive;Consommation;VAR;30\nHorodate;Valeur\n{{stamp}};1",
        f"{C5};Courbe de charge;Puissance phase 1;Consommation;W;30\nHorodate;Valeur\n{{stamp}};1",
        f"{C5};Courbe de charge;Energie active;Consommation;W;30\nHorodate;Valeur\nsoon;1",
        f"{C5};Factures;;;\nHorodate;Valeur",
        f"{C5};Courbe de charge;;;\nHorodate;Puissance",
        f"{C5};Courbe de charge;;;",
    ],
    ids=["quantity", "phase", "stamp", "kind", "column", "end"],
)
@pytest.mark.parametrize("beside", [C5, C4])
def test_the_point_of_what_a_customers_export_has_and_is_not_kept_is_told(
    take: Take, section: str, beside: str
) -> None:
    stamp = "2026-06-01T00:30:00+02:00"
    head = "Identifiant PRM;Type de donnees;Grandeur physique;Grandeur metier;Unite;Pas en minutes"
    good = f"{beside};Courbe de charge;Energie active;Consommation;W;30\nHorodate;Valeur\n{stamp};1"

    taken = take("\n".join([head, good, head, section.format(stamp=stamp)]))

    (item,) = taken.report.quarantined
    assert (taken.report.stored, item.subject) == (1, Subject(C5))


NOON = 1_780_308_000  # 2026-06-01T10:00:00Z
GOOD = green_button([(NOON, 900, 100)])
METER = "4217A3D3-60E0-46CD-A5AF-2A2D091F397E"


@pytest.mark.parametrize(
    "feed",
    [
        GOOD.replace(">100<", ">1.5<"),
        GOOD.replace(f">{NOON}</start", ">soon</start"),
        GOOD.replace(">900</duration", ">15 min</duration"),
        GOOD.replace("<value>100</value>", "<cost>100</cost>"),
        GOOD.replace("<value>", "<tou>peak</tou><value>"),
        green_button([(NOON, 900, 100)], quality=12),
        green_button([(NOON, 900, 100)], described="<defaultQuality>12</defaultQuality>"),
        green_button([(NOON, 900, 100)], unit=119),
        green_button([(NOON, 900, 100)], service=1),
        green_button([(NOON, 900, 100)], accumulation=12),
        green_button([(NOON, 900, 100)], described="<phase>64</phase>"),
        green_button([(NOON, 900, 100)], interval=(NOON + 86400, 3600)),
        green_button([(NOON, 0, 100)]),
        green_button([(NOON, 86400, 100)], unit=38, accumulation=6, qualifier=2),
        GOOD.replace("resource/ReadingType/07", "resource/ReadingType/08"),
    ],
    ids=[
        *("value", "start", "duration", "cost", "share", "projection", "projections", "unit", "service"),
        *("accumulation", "phase", "outside", "length", "power of a day", "no type"),
    ],
)
@pytest.mark.parametrize("named", [{"single": C5}, {"table": {METER: C5}}], ids=["option", "table"])
def test_the_point_of_what_green_button_tells_and_is_not_kept_is_told(
    take: Take, feed: str, named: dict[str, Any]
) -> None:
    (item,) = take(feed, **named).report.quarantined
    assert item.subject == Subject(C5)


def test_each_reading_that_is_not_kept_is_of_the_meter_of_its_entry(take: Take) -> None:
    """The names of which come with an entry that may follow."""
    readings = [(NOON, 900, 100), (NOON + 900, 900, "1.5")]
    entries = [
        feed[feed.index("<entry>") : feed.index("</feed>")]
        for feed in (green_button(readings), green_button(readings).replace("UsagePoint/01", "UsagePoint/02"))
    ]
    feed = GOOD[: GOOD.index("<entry>")] + "".join(entries[::-1]) + "</feed>"

    both = take(feed, table={"RetailCustomer/1/UsagePoint/01": C5, "RetailCustomer/1/UsagePoint/02": C4})
    first = take(feed, table={"RetailCustomer/1/UsagePoint/01": C5})

    assert [(item.value, item.subject) for item in both.report.quarantined] == [
        ("1.5", Subject(C4)),
        ("1.5", Subject(C5)),
    ]
    assert [(item.value, item.subject) for item in first.report.quarantined] == [
        ("100", None),
        ("1.5", None),
        ("1.5", Subject(C5)),
    ]


def test_what_is_no_number_is_of_its_day_all_the_same(take: Take) -> None:
    rows = [("2026-06-01T00:00:00Z", "x"), ("2026-06-01T00:30:00Z", "9" * 30), ("2026-06-01T01:00:00Z", 1)]
    expected = [
        (Cause.UNREADABLE, JUNE, ("01 00:00", "01 00:30")),
        (Cause.BEYOND, JUNE, ("01 00:30", "01 01:00")),
    ]

    some, all_of_it = take(curve(*rows)), take(curve(*rows[:2]))
    foreign = take(curve(*rows[:2], point="meter 7"), single=C5)

    assert told(some) == told(all_of_it) == told(foreign) == expected
    assert {item.subject and item.subject.metering_point for item in foreign.report.quarantined} == {C5}


@pytest.mark.parametrize("unit", ["VA", "kVArh"])
def test_a_value_in_a_unit_of_another_quantity_is_of_its_day_all_the_same(take: Take, unit: str) -> None:
    taken = take(curve(("2026-06-01T00:00:00Z", 5), ("soon", 6), ("2026-06-01T01:00:00Z", ""), unit=unit))

    assert told(taken) == [(Cause.UNIT, JUNE, ("01 00:00", "01 00:30")), (None, None, None)]
    assert {reason.split("; ")[1] for _, reason in taken.reasons} == {"this quantity is not kept"}
    assert taken.blocks == []


def test_a_value_of_an_unknown_quality_is_of_its_day_all_the_same(take: Take) -> None:
    good = curve(("2026-06-01T00:00:00Z", 5), ("2026-06-01T00:30:00Z", 6))
    header = "metering_point_id,kind,direction,date,resolution,unit,quality,v1,v2"

    long = take(good.replace(b"5,W,", b"5,W,good"))
    wide = take(f"{header}\n{C5},load_curve,withdrawal,2026-06-01,PT30M,W,good,1,")

    assert told(long) == [(Cause.QUALITY, JUNE, ("01 00:00", "01 00:30"))]
    assert told(wide) == [(Cause.QUALITY, JUNE, ("31 22:00", "31 22:30"))]
    assert (long.report.stored, wide.report.stored, wide.report.holes) == (1, 0, 1)


def test_a_meter_of_which_nothing_is_read_is_not_the_one_that_the_option_names(take: Take) -> None:
    rows = [
        f"{meter},load_curve,withdrawal,2026-06-01T00:00:00Z,PT30M,{value},W,"
        for meter, value in (("meter 7", 1), ("meter 8", "x"))
    ]

    taken = take(plain_csv(rows), single=C5)

    assert (taken.report.stored, told(taken)) == (1, [(None, None, None)])


def test_the_option_names_none_of_two_meters_of_which_nothing_is_read(take: Take) -> None:
    rows = [
        f"{meter},load_curve,withdrawal,{stamp},PT30M,{value},W,"
        for meter, stamp, value in (("meter 7", "2026-06-01T00:00:00Z", "x"), ("meter 8", "soon", 1))
    ]

    taken = take(plain_csv(rows), single=C5)

    assert [item.subject for item in taken.report.quarantined] == [None, None]


def test_a_reading_is_of_the_day_of_its_moment_and_of_no_time(take: Take) -> None:
    file = "\n".join([PLAIN_HEADER, f"{C5},register_reading,withdrawal,2026-06-01T21:45:00Z,,-5,Wh,"])

    (item,) = take(file).report.quarantined

    assert item.subject == Subject(C5, Kind.REGISTER_READING, OUT, JUNE)


def test_the_report_for_programs_names_cause_point_and_day() -> None:
    about = Subject(C5, Kind.LOAD_CURVE, day=JUNE)
    items = [Quarantined("line 2", "because", "-5", Cause.NEGATIVE, about), Quarantined("file", "so", "")]

    told = json.loads("".join(FileReport("a.csv", "csv", quarantined=items).as_json()))["quarantined"]

    names = "where", "reason", "value", "cause", "metering_point", "day"
    assert [tuple(one[name] for name in names) for one in told] == [
        ("line 2", "because", "-5", "negative", C5, "2026-06-01"),
        ("file", "so", "", None, None, None),
    ]


class TestMoreThanFitsInMemory:
    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            (f"{C5},load_curve,withdrawal,1900-01-01T00:00:00Z,PT30M,1,W,", "not between 1970 and 2099"),
            (f"{C5},load_curve,withdrawal,2026-06-01T00:00:00Z,PT30M,1,W,", "is already told"),
            (f"{C5},load_curve,withdrawal,2026-06-01T00:00:00Z,PT30M,-1,W,", "negative"),
            (f"{C5},load_curve,withdrawal,2026-06-01T00:00:00Z,PT30M,many,W,", "is not a number"),
            (f"{C5},load_curve,withdrawal,2026-06-01T00:00:00Z,PT30M,1,VA,", "VA"),
            (f"{C5},load_curve,withdrawal,soon,PT30M,1,W,", "is no instant"),
            (f"{C5},load_curve,injection,2026-06-01T00:00:00Z,PT30M,1,W,", "has no injection"),
            (f"{C5},temperature,withdrawal,2026-06-01T00:00:00Z,PT30M,1,W,", "is no kind"),
            ("meter 7,load_curve,withdrawal,2026-06-01T00:00:00Z,PT30M,1,W,", "meter 7"),
        ],
    )
    def test_is_told_one_by_one_from_the_disk_as_from_memory(
        self, take: Take, monkeypatch: pytest.MonkeyPatch, row: str, reason: str
    ) -> None:
        whole = f"{C4},load_curve,withdrawal,2026-06-01T00:00:00Z,PT30M,1,W,"
        file = plain_csv([whole, *[row] * 100])
        known = take(file)
        monkeypatch.setattr(aside, "HELD", 20)
        monkeypatch.setattr(port, "_MUCH", 20)

        taken = take(file)

        assert (taken.report.stored, len(taken.report.quarantined)) == (
            known.report.stored,
            len(known.reasons),
        )
        assert list(taken.report.quarantined) == known.report.quarantined
        assert [one for chunk in taken.store.chunks for one in chunk] == known.report.quarantined
        assert max(map(len, taken.store.chunks)) <= 20
        assert reason in taken.reasons[-1][1]
