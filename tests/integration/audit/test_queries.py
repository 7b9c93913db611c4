from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Sum

from gridgate.audit.models import LogFacet, LogPointDay, LogStretch
from gridgate.audit.queries.entries import first_refusal_after, search
from gridgate.audit.queries.reads import (
    Counts,
    channels_in,
    counts,
    readers_in,
    reads_by_permission,
    reads_by_point,
    reads_in,
)
from gridgate.audit.queries.sums import Read, _matches, facets_of, sums_of
from gridgate.audit.queries.unusual import unusual_day
from gridgate.audit.queries.wanted import ENTITLEMENT, Wanted
from gridgate.core.quantities import Kind
from gridgate.organisations.models import Entitlement, PerimeterPoint
from tests.factories.audit import SEGMENTS, make_reads, read_lines
from tests.factories.sharing import make_permission, make_service


@pytest.fixture
def log(world):
    """Tiers 1 reads p1 twice, p3 once, is refused p4; Tiers 2 reads p2; ACME its own p1; p5 is Client B's."""
    hour = timedelta(hours=1)
    make_reads(world.third_party_1, world.p1, world.acme, at=world.now - 3 * hour, times=2)
    make_reads(world.third_party_1, world.p3, world.acme, at=world.now - 4 * hour)
    make_reads(world.third_party_1, world.p4, world.acme, at=world.now - 2 * hour, outcome="no_permission")
    make_reads(world.third_party_2, world.p2, world.acme, at=world.now - 26 * hour, kind=Kind.MAXIMUM_POWER)
    make_reads(world.acme, world.p1, world.acme, at=world.now - hour, channel="screen")
    make_reads(world.third_party_1, world.p5, world.client_b, at=world.now - hour)
    return world


def points(entries):
    return sorted(entry.metering_point_id for entry in entries)


EVERYTHING = Wanted()


def seen(actor, wanted=EVERYTHING):
    """What the actor is shown; the roll-up says as many."""
    entries = search(actor=actor, wanted=wanted)
    shown = list(entries)
    assert entries.count() == len(shown)
    assert entries[0 : len(shown)] == shown
    return shown


def test_a_company_sees_the_reads_of_its_own_points_and_no_others(log):
    assert points(seen(log.charlie)) == [log.p5.pk]
    assert log.p5.pk not in points(seen(log.alice))
    assert search(actor=log.alice, wanted=Wanted()).count() == 6


def test_a_third_party_does_not_see_the_log_of_those_it_reads(log):
    assert seen(log.tiers1) == []


def test_without_the_entitlement_nothing_is_seen(log):
    assert seen(log.acme_user) == []


def test_a_past_member_sees_nothing(log):
    log.alice.ended_at = log.now
    assert seen(log.alice) == []


def test_a_restricted_member_sees_the_reads_of_their_perimeter(log):
    assert points(seen(log.bob)) == sorted([log.p1.pk] * 3 + [log.p2.pk])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(outcome="refused"), 1),
        (Wanted(outcome="no_permission"), 1),
        (Wanted(outcome="granted"), 5),
        (Wanted(kind="maximum_power"), 1),
        (Wanted(channel="screen"), 1),
        (Wanted(metering_point="30001480112233"), 3),
        (Wanted(metering_point="30001480112233", channel="api:enedis"), 2),
    ],
)
def test_each_filter_narrows(log, wanted, found):
    assert len(seen(log.alice, wanted)) == found


def test_the_period_is_of_whole_days_both_included(log):
    today, yesterday = date(2026, 11, 25), date(2026, 11, 24)
    assert len(seen(log.alice, Wanted(first=today))) == 5
    assert len(seen(log.alice, Wanted(last=yesterday))) == 1
    assert len(seen(log.alice, Wanted(first=yesterday, last=today))) == 6


def test_the_latest_entries_come_first(log):
    found = [entry.at for entry in search(actor=log.alice, wanted=Wanted())]
    assert found == sorted(found, reverse=True)


def test_reads_are_counted_by_civil_day_without_refusals_nor_the_holders_own(log):
    days = [date(2026, 11, day) for day in (23, 24, 25)]
    found = reads_in(actor=log.alice, days=days, but=[log.acme.pk])
    assert found == {log.third_party_1.pk: [0, 0, 3], log.third_party_2.pk: [0, 1, 0]}


def test_a_read_at_local_midnight_belongs_to_the_day_that_begins(world):
    midnight = datetime(2026, 10, 24, 22, tzinfo=UTC)  # 25 October in Paris, a day of 25 hours
    make_reads(world.third_party_1, world.p1, world.acme, at=midnight - timedelta(seconds=1), times=2)
    make_reads(world.third_party_1, world.p1, world.acme, at=datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC))
    days = [date(2026, 10, day) for day in (24, 25)]
    assert reads_in(actor=world.alice, days=days)[world.third_party_1.pk] == [1, 2]


def test_no_days_no_reads(world, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert reads_in(actor=world.alice, days=[]) == {}


def test_who_read_in_a_period_is_named_as_the_log_last_named_it(log):
    make_reads(
        log.third_party_2, log.p2, log.acme, at=log.now - timedelta(hours=25), reader_name="Tiers 2 SAS"
    )
    assert list(readers_in(actor=log.alice, wanted=Wanted()).values()) == ["Tiers 1", "Tiers 2 SAS"]
    recent = Wanted(first=date(2026, 11, 25))
    assert list(readers_in(actor=log.alice, wanted=recent).values()) == ["Tiers 1"]
    assert channels_in(actor=log.alice, wanted=recent) == ["api:enedis", "screen"]
    assert channels_in(actor=log.alice, wanted=replace(recent, own=True)) == ["screen"]


def test_reads_and_refusals_are_counted_apart(log):
    assert counts(actor=log.alice, wanted=Wanted()) == (Counts(4, 1), Counts(1, 0))


def test_reads_by_permission_and_by_point_count_what_was_granted(world):
    permission = make_permission(make_service(world.third_party_1), world.acme, now=world.now)
    make_reads(world.third_party_1, world.p1, world.acme, at=world.now, times=3, permission=permission)
    make_reads(
        world.third_party_1,
        world.p1,
        world.acme,
        at=world.now,
        outcome="before_history",
        permission=permission,
    )
    by_permission = reads_by_permission(actor=world.alice, reader=world.third_party_1.pk)
    assert by_permission[str(permission.pk)].count == 3
    assert by_permission[str(permission.pk)].last_at == world.now + timedelta(seconds=2)
    by_point = reads_by_point(
        actor=world.alice, reader=world.third_party_1.pk, points=[world.p1.pk, world.p2.pk]
    )
    assert {point: reads.count for point, reads in by_point.items()} == {world.p1.pk: 3}


def test_the_first_refusal_after_an_end_is_found(log):
    found = first_refusal_after(actor=log.alice, reader=log.third_party_1.pk, at=log.now - timedelta(hours=3))
    assert found == log.now - timedelta(hours=2)
    assert first_refusal_after(actor=log.alice, reader=log.third_party_1.pk, at=log.now) is None


@pytest.mark.parametrize(
    ("counts", "unusual"),
    [
        ([], None),
        ([0, 0], None),
        ([40, 42, 160], None),
        ([40, 42, 164], 2),
        ([1, 1, 19], None),  # too few to be news
        ([1, 1, 20], 2),
        ([0, 0, 900], None),  # no habit yet
        ([0, 30, 0, 0, 30, 0], None),  # reads once in a while
    ],
)
def test_a_day_is_unusual_when_it_is_many_times_the_habit(counts, unusual):
    found = unusual_day(counts)
    assert (found.index if found else None) == unusual


def test_a_line_that_is_another_companys_is_never_shown_whatever_the_index_says(log, caplog):
    """The index is the registry's; whose data a line is about, the line itself says."""
    ours = LogStretch.objects.filter(holder=log.acme.pk).latest("pk")
    theirs = LogStretch.objects.get(holder=log.client_b.pk)
    assert len(list(search(actor=log.alice, wanted=Wanted()))) == 6
    LogStretch.objects.filter(pk=ours.pk).update(segment=theirs.segment)
    shown = list(search(actor=log.alice, wanted=Wanted()))
    assert log.p5.pk not in points(shown)
    assert len(shown) == 5
    assert "the index says otherwise" in caplog.text


def test_a_restricted_member_is_shown_no_line_of_another_point_whatever_the_index_says(log, caplog):
    mine = LogStretch.objects.filter(holder=log.acme.pk).latest("pk")  # of p1, which Bob sees
    other = LogStretch.objects.filter(holder=log.acme.pk).order_by("pk")[1]  # of p3
    LogStretch.objects.filter(pk=mine.pk).update(segment=other.segment)
    assert log.p3.pk not in points(search(actor=log.bob, wanted=Wanted()))
    assert "the index says otherwise" in caplog.text


def test_lines_that_are_gone_are_left_out_and_told(log, caplog):
    segment = LogStretch.objects.filter(holder=log.acme.pk).latest("pk").segment
    SEGMENTS[segment.name] = b""
    assert len(list(search(actor=log.alice, wanted=Wanted()))) == 5
    assert f"lines of {segment.name} cannot be shown" in caplog.text


def test_a_page_far_down_reads_its_own_lines_only(log, monkeypatch):
    """Counts: the days before are passed over by the roll-up, and of a day only the lines shown are read."""
    for days in range(1, 9):
        make_reads(log.third_party_1, log.p1, log.acme, at=log.now - timedelta(days=days), times=30)
    read = []

    def counting(segment, offsets):
        read.extend(offsets)
        return read_lines(segment, offsets)

    monkeypatch.setattr("tests.factories.audit.counted", counting, raising=False)
    monkeypatch.setattr(settings, "LOG_LINES", "tests.factories.audit.counted")
    entries = search(actor=log.alice, wanted=Wanted())
    shown = entries[200:212]
    assert len(shown) == len(read) == 12
    assert shown == list(entries)[200:212]


def test_the_first_refusal_is_found_among_those_of_its_day(log):
    at = log.now - timedelta(hours=2)
    make_reads(log.third_party_1, log.p4, log.acme, at=at, times=5, outcome="expired")
    make_reads(log.third_party_1, log.p4, log.acme, at=log.now + timedelta(days=9), outcome="expired")

    def first(actor, after):
        return first_refusal_after(actor=actor, reader=log.third_party_1.pk, at=at + timedelta(seconds=after))

    assert first(log.alice, 2.5) == at + timedelta(seconds=3)
    assert first(log.alice, 60) == log.now + timedelta(days=9)
    assert first(log.bob, 0) is None  # p4 is not in his perimeter


def test_the_days_of_one_point_are_found_without_looking_at_the_others(log):
    wanted = Wanted(first=date(2026, 11, 1), last=date(2026, 11, 30), metering_point=log.p1.pk)
    for actor in (log.alice, log.bob):
        assert "(facet_id=? AND day=? AND metering_point_id=?)" in sums_of(actor, wanted).explain()


def test_the_days_of_one_point_cost_the_same_however_many_points_the_perimeter_has(log):
    for back in range(20):
        make_reads(log.third_party_1, log.p1, log.acme, at=log.now - timedelta(days=back))
    sums = (
        sums_of(log.bob, Wanted(metering_point=log.p1.pk))
        .values_list("facet", "day")
        .annotate(Sum("entries"))
    )
    few = steps(sums)
    entitlement = Entitlement.objects.get(code=ENTITLEMENT, perimeter__metering_point_id=log.p1.pk)
    more = [f"399{number:011}" for number in range(100)]
    PerimeterPoint.objects.bulk_create(
        PerimeterPoint(entitlement=entitlement, metering_point_id=point) for point in more
    )
    assert steps(sums) - few < 60 * len(
        more
    )  # to read the perimeter, and not to look for each point on each day


def test_the_days_of_a_small_part_cost_the_same_however_many_points_others_see(log):
    for back in range(20):
        make_reads(log.third_party_1, log.p1, log.acme, at=log.now - timedelta(days=back))
    read_as_well(log.p1.pk, range(100))
    few = steps(days_of(log.bob))
    read_as_well(log.p1.pk, range(100, 400))
    assert steps(days_of(log.bob)) - few < 300  # and not each of them on each day


def test_a_part_that_is_large_is_looked_for_among_all(log):
    make_reads(log.third_party_1, log.p1, log.acme, at=log.now)
    assert "(facet_id=? AND day>? AND day<?)" in days_of(log.bob).explain()
    read_as_well(log.p1.pk, range(100))
    assert "(facet_id=? AND day=? AND metering_point_id=?)" in days_of(log.bob).explain()


def days_of(actor):
    month = Wanted(first=date(2026, 11, 1), last=date(2026, 11, 30))
    return sums_of(actor, month).values_list("facet", "day").annotate(Sum("entries"))


def read_as_well(point, numbers):
    """Other points, on each day on which this one was."""
    told = LogPointDay.objects.filter(metering_point_id=point).values_list("facet", "day", "first", "last")
    LogPointDay.objects.bulk_create(
        LogPointDay(
            facet_id=facet,
            day=day,
            metering_point_id=f"399{number:011}",
            entries=1,
            values=1,
            first=first,
            last=last,
        )
        for facet, day, first, last in list(told)
        for number in numbers
    )


def steps(rows):
    """How many steps, the smallest that it has, the database takes to find these rows."""
    taken = []
    handle = connection.connection.set_progress_handler
    handle(lambda: taken.append(None), 1)
    try:
        assert len(rows.all()) >= 20
    finally:
        handle(None, 0)
    return len(taken)


def test_the_facets_of_a_company_are_read_once_for_all_that_is_counted_and_offered(
    log, django_assert_num_queries
):
    read = Read()
    whole = counts(actor=log.alice, wanted=EVERYTHING, read=read)
    with django_assert_num_queries(0):
        assert counts(actor=log.alice, wanted=Wanted(outcome="refused"), read=read)[0] == Counts(0, 1)
        assert channels_in(actor=log.alice, wanted=Wanted(own=True), read=read) == ["screen"]
        assert counts(actor=log.alice, wanted=EVERYTHING, read=read) == whole


@pytest.mark.parametrize(
    "wanted",
    [
        EVERYTHING,
        Wanted(outcome="refused"),
        Wanted(outcome="granted"),
        Wanted(outcome="no_permission"),
        Wanted(own=True),
        Wanted(own=False),
        Wanted(kind="maximum_power"),
        Wanted(channel="screen", own=False),
        Wanted(channel="screen", outcome="granted"),
    ],
)
def test_a_facet_that_was_read_matches_as_the_statement_says(log, wanted):
    LogFacet.objects.filter(reader=log.third_party_2.pk).update(reader=None)
    company = log.acme.pk
    of_company = LogFacet.objects.filter(holder=company)
    found = {facet.pk for facet in of_company if _matches(facet, wanted, company)}
    assert found == set(facets_of(log.alice, wanted).values_list("pk", flat=True))
    by_reader = replace(wanted, reader=log.third_party_1.pk)
    found = {facet.pk for facet in of_company if _matches(facet, by_reader, company)}
    assert found == set(facets_of(log.alice, by_reader).values_list("pk", flat=True))
