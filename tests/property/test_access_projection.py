"""After any sequence of operations, the access lines are what the permissions, titles and collections say."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridgate.core.errors import GridgateError
from gridgate.core.quantities import FlowDirection, Kind, bits
from gridgate.core.quantities import directions_of as directions_said
from gridgate.metering import as_held
from gridgate.metering.imports.points import import_points
from gridgate.metering.models import (
    LoadCurveCollection,
    MeteringPoint,
    PointAsHeld,
    PointVersion,
    TitleHolding,
)
from gridgate.metering.operations.collections import set_collection
from gridgate.metering.operations.titles import close_holding, move_in, open_holding
from gridgate.sharing import history
from gridgate.sharing.models import AccessLine, DataService, Permission, PointLeft
from gridgate.sharing.operations.ending import expire_due, revoke_company, revoke_permission, terminate
from gridgate.sharing.operations.granting import subscribe
from gridgate.sharing.operations.moving_out import invalidate_for_moved_out
from gridgate.sharing.operations.pausing import resume, suspend
from gridgate.sharing.operations.requesting import accept_request, request_permission
from gridgate.sharing.projection import rebuild
from tests.examples import examples
from tests.factories.sharing import make_service
from tests.world import World

PARIS = ZoneInfo("Europe/Paris")
COLUMNS = (
    "reader_id", "metering_point_id", "holder_id", "basis", "permission_id", "kinds", "directions",
    "finest_resolution", "data_from", "data_to", "valid_from", "valid_until",
)  # fmt: skip


# --- The oracle: every line, worked out anew from the facts


def expected() -> Counter[tuple[object, ...]]:
    lines: Counter[tuple[object, ...]] = Counter()
    titles = list(TitleHolding.objects.select_related("metering_point"))
    for title in titles:
        first, last = midnight(title.valid_from), midnight(title.valid_to)
        line = (title.holder_id, title.metering_point_id, title.holder_id, "title", None, bits(Kind))
        lines[(*line, directions_of(title), 0, first, last, first, None)] += 1
    states = LoadCurveCollection.objects.filter(until=None, state="opposed")
    opposed = set(states.values_list("metering_point", "holder"))
    for permission in Permission.objects.filter(state="active").prefetch_related("points"):
        named = {point.metering_point_id for point in permission.points.all()}
        mine = [title for title in titles if title.holder_id == permission.holder_id]
        for data in mine:
            point = data.metering_point_id
            is_opposed = (point, permission.holder_id) in opposed
            kinds = permission.kinds & ~Kind.LOAD_CURVE.bit if is_opposed else permission.kinds
            if not kinds or not (permission.all_points or point in named):
                continue
            for tenure in mine:
                if tenure.metering_point_id != point:
                    continue
                data_from = max(midnight(data.valid_from), midnight(permission.history_from))
                data_to = midnight(data.valid_to)
                valid_from = max(epoch(permission.valid_from), midnight(tenure.valid_from))
                ends = [
                    end
                    for end in (epoch(permission.valid_until), midnight(tenure.valid_to))
                    if end is not None
                ]
                valid_until = min(ends, default=None)
                if (data_to is not None and data_to <= data_from) or (ends and min(ends) <= valid_from):
                    continue
                line = (
                    permission.eligible_party_id,
                    point,
                    permission.holder_id,
                    "permission",
                    permission.pk,
                    kinds,
                )
                terms = (permission.directions, permission.finest_resolution)
                lines[(*line, *terms, data_from, data_to, valid_from, valid_until)] += 1
    for left in PointLeft.objects.select_related("permission"):
        permission, point = left.permission, left.metering_point_id
        back = any(
            (title.holder_id, title.metering_point_id) == (permission.holder_id, point)
            and (title.valid_to is None or title.valid_to > left.left_on)
            for title in titles
        )
        if not back and permission.state in ("active", "suspended", "invalidated"):
            line = (permission.eligible_party_id, point, permission.holder_id, "permission", permission.pk)
            terms = (permission.kinds, permission.directions, permission.finest_resolution)
            lines[(*line, *terms, *4 * [midnight(left.left_on)])] += 1
    return lines


def directions_of(title: TitleHolding) -> int:
    """All that the point has had while the title lasted; both when nothing is known of that time."""
    told = 0
    for version in title.metering_point.versions.all():
        if lasts(title, version.valid_from) or lasts(version, title.valid_from):
            told |= version.directions
    return told or 3


def lasts(period: TitleHolding | PointVersion, day: date) -> bool:
    return period.valid_from <= day and (period.valid_to is None or day < period.valid_to)


def midnight(day: date | None) -> int | None:
    return None if day is None else int(datetime(day.year, day.month, day.day, tzinfo=PARIS).timestamp())


def epoch(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp())


def written() -> Counter[tuple[object, ...]]:
    return Counter(AccessLine.objects.values_list(*COLUMNS))


# --- What each holder is shown of its points, worked out anew for the days on which anything changes


def to_be_shown() -> dict[tuple[int, str, date], object]:
    versions = list(PointVersion.objects.order_by("valid_from"))
    titles = list(TitleHolding.objects.order_by("valid_from"))
    found: dict[tuple[int, str, date], object] = {}
    for one in titles:
        own = [
            t for t in titles if (t.holder_id, t.metering_point_id) == (one.holder_id, one.metering_point_id)
        ]
        for day in days_of_change():
            begun = [title for title in own if title.valid_from <= day]
            title = begun[-1] if begun else own[0]
            last = day if title.valid_to is None else min(day, title.valid_to - timedelta(days=1))
            version = next(
                (v for v in versions if v.metering_point_id == one.metering_point_id and lasts(v, last)), None
            )
            key = (one.holder_id, one.metering_point_id, day)
            found[key] = (title.valid_from, title.valid_to, version.pk if version and begun else None)
    return found


def shown() -> dict[tuple[int, str, date], object]:
    rows = list(PointAsHeld.objects.all())
    return {
        (row.holder_id, row.metering_point_id, day): (row.held_from, row.held_to, row.version_id)
        for day in days_of_change()
        for row in rows
        if row.shown_from <= day and (row.shown_to is None or day < row.shown_to)
    }


def days_of_change() -> set[date]:
    bounds = {
        day
        for model in (TitleHolding, PointVersion)
        for pair in model.objects.values_list("valid_from", "valid_to")
        for day in pair
        if day is not None
    }
    return bounds | {day - timedelta(days=1) for day in bounds}


# --- The operations


@dataclass
class Play:
    """A registry that operations are done to, at moments that only go on."""

    world: World
    services: list[DataService]
    now: datetime
    done: list[str] = field(default_factory=list)

    @property
    def points(self) -> list[str]:
        return [self.world.p1.pk, self.world.p2.pk, self.world.p3.pk, self.world.p4.pk]

    def permission(self, number: int) -> Permission:
        permissions = list(Permission.objects.order_by("valid_from", "pk"))
        return permissions[number % len(permissions)]

    def holding(self, number: int) -> TitleHolding:
        holdings = list(TitleHolding.objects.order_by("valid_from", "pk"))
        return holdings[number % len(holdings)]


Act = Callable[[Play], object]
number = st.integers(0, 11)
days = st.integers(1, 400)
some_points = st.none() | st.sets(st.integers(0, 3), min_size=1, max_size=3)


def chosen(play: Play, which: set[int] | None) -> list[str] | None:
    return None if which is None else [play.points[index] for index in sorted(which)]


def subscribing(service: int, which: set[int] | None, lasts: int) -> Act:
    return lambda play: subscribe(
        actor=play.world.alice,
        service=play.services[service % len(play.services)],
        points=chosen(play, which),
        valid_until=play.now + timedelta(days=lasts, seconds=lasts),
        now=play.now,
    )


def asking(service: int, which: set[int] | None, lasts: int, history_from: int) -> Act:
    def act(play: Play) -> None:
        request = request_permission(
            requester=play.world.tiers1,
            service=play.services[service % 2],
            holder=play.world.acme,
            points=chosen(play, which),
            valid_until=play.now.date() + timedelta(days=lasts),
            history_from=play.now.date() - timedelta(days=history_from),
            now=play.now,
        )
        accept_request(actor=play.world.alice, request_id=request.pk, points=None, now=play.now)

    return act


def on_permission(what: str, which: int) -> Act:
    def act(play: Play) -> None:
        permission, world, now = play.permission(which), play.world, play.now
        match what:
            case "revoke":
                revoke_permission(actor=world.alice, permission_id=permission.pk, now=now)
            case "revoke all":
                revoke_company(actor=world.alice, company=permission.eligible_party, now=now)
            case "terminate":
                terminate(actor=world.tiers1, permission_id=permission.pk, now=now)
            case "suspend":
                suspend(actor=world.operateur, permission_id=permission.pk, reason="", now=now)
            case "resume":
                resume(actor=world.operateur, permission_id=permission.pk, now=now)

    return act


def passing(for_days: int) -> Act:
    def act(play: Play) -> None:
        play.now += timedelta(days=for_days, hours=7)
        expire_due(now=play.now)
        invalidate_for_moved_out(now=play.now)

    return act


def closing(which: int, after: int) -> Act:
    return lambda play: close_holding(
        holding=play.holding(which), valid_to=play.now.date() + timedelta(days=after - 200), now=play.now
    )


def opening(point: int, after: int, lasts: int | None) -> Act:
    def act(play: Play) -> None:
        first = play.now.date() + timedelta(days=after - 200)
        last = None if lasts is None else first + timedelta(days=lasts)
        open_holding(
            metering_point=play.points[point % 4],
            holder=play.world.acme,
            valid_from=first,
            valid_to=last,
            now=play.now,
        )

    return act


def moving(point: int, after: int) -> Act:
    return lambda play: move_in(
        metering_point=play.points[point % 4],
        holder=play.world.client_b,
        on=play.now.date() + timedelta(days=after - 200),
        now=play.now,
    )


def collecting(point: int, state: str) -> Act:
    return lambda play: set_collection(actor=None, points=[play.points[point % 4]], state=state, now=play.now)


def turning(point: int, directions: int, after: int | None) -> Act:
    """A file says which directions the point has, from that day on or from the day of the import."""

    def act(play: Play) -> None:
        said = "+".join(sorted(directions_said(directions)))
        day = "" if after is None else play.now.date() + timedelta(days=after - 200)
        header = "id,segment,directions,address,postcode,city,subscribed_power_kva,activated_on,valid_from"
        line = f"{play.points[point % 4]},C4,{said},,,,,2020-01-01,{day}"
        report = import_points(f"{header}\n{line}\n".encode(), now=play.now)
        assert report.changed + report.unchanged == 1, report.findings

    return act


acts = st.one_of(
    st.builds(subscribing, number, some_points, days),
    st.builds(asking, number, some_points, days, st.integers(0, 1500)),
    st.builds(
        on_permission, st.sampled_from(["revoke", "revoke all", "terminate", "suspend", "resume"]), number
    ),
    st.builds(passing, st.integers(0, 120)),
    st.builds(closing, number, days),
    st.builds(opening, number, days, st.none() | days),
    st.builds(moving, number, days),
    st.builds(collecting, number, st.sampled_from(["opposed", "active", "ended"])),
    st.builds(turning, number, st.integers(1, 3), st.none() | days),
)


@pytest.fixture
def services(world: World) -> list[DataService]:
    """Three services; and titles and collections with a past: ACME came back to p1, and leaves p2 for some
    weeks.
    """
    now = world.now
    open_holding(
        metering_point=world.p1,
        holder=world.acme,
        valid_from=date(2022, 1, 1),
        valid_to=date(2023, 6, 1),
        now=now,
    )
    leaving = TitleHolding.objects.get(metering_point=world.p2.pk)
    close_holding(holding=leaving, valid_to=date(2027, 1, 10), now=now)
    open_holding(metering_point=world.p2, holder=world.acme, valid_from=date(2027, 2, 20), now=now)
    for state in ("opposed", "active"):
        set_collection(actor=None, points=[world.p1.pk], state=state, now=now)
    return [
        make_service(world.third_party_1, kinds=(Kind.LOAD_CURVE, Kind.DAILY_ENERGY), history_months=6),
        make_service(world.third_party_1, kinds=(Kind.LOAD_CURVE,), directions=list(FlowDirection)),
        make_service(world.third_party_2, kinds=(Kind.DAILY_ENERGY,), history_months=36),
    ]


@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(acts, min_size=1, max_size=12))
def test_the_lines_are_what_the_facts_say(
    world: World, services: list[DataService], sequence: list[Act]
) -> None:
    with transaction.atomic():
        play = Play(world, services, datetime(2026, 11, 25, 9, 30, tzinfo=UTC))
        for act in sequence:
            # What an operation refuses, and a permission that is not there yet, change nothing.
            with suppress(GridgateError, ZeroDivisionError), transaction.atomic():
                act(play)
            assert written() == expected()
            assert shown() == to_be_shown()
        before, faces = written(), shown()
        assert rebuild() == before.total()
        assert written() == before
        as_held.rebuild()
        assert shown() == faces
        for permission in Permission.objects.all():
            again, points = history.replay(permission.events.all())
            assert (again.state, again.valid_until) == (permission.state, permission.valid_until)
            assert points == set(permission.points.values_list("metering_point_id", flat=True))
        assert MeteringPoint.objects.count() == 5
        transaction.set_rollback(True)
