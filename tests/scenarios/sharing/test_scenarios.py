"""Each folder here is a scenario: what is `given`, what happens `when`, what is readable `then`; times are
Paris time.

The worker runs where a scenario says so and nowhere else. To add a scenario, copy a folder and change its
files.
"""

import csv
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.sharing import AccessLine, Basis, Granted, LegalBasis, Wanted, decide
from gridgate.core.time import Interval
from gridgate.metering.models import TitleHolding
from gridgate.metering.operations.collections import set_collection
from gridgate.metering.operations.titles import close_holding, open_holding
from gridgate.organisations.models import Organisation
from gridgate.sharing.models import AccessLine as Line
from gridgate.sharing.models import DataService, Permission
from gridgate.sharing.operations.ending import expire_due, revoke_company, terminate
from gridgate.sharing.operations.granting import grant
from gridgate.sharing.operations.moving_out import invalidate_for_moved_out
from gridgate.sharing.operations.pausing import resume, suspend
from gridgate.sharing.operations.requesting import accept_request, request_permission
from tests.factories.metering import make_point
from tests.factories.organisations import make_member
from tests.factories.sharing import make_service
from tests.world import World

PARIS = ZoneInfo("Europe/Paris")
FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/then.csv"))
Row = dict[str, str]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_scenario(world: World, folder: Path) -> None:
    given, when, then = (rows(folder / f"{name}.csv") for name in ("given", "when", "then"))
    story = Story(world)
    for row in given:
        story.give(row)
    happenings = [(moment(row["at"]), 0, row) for row in when] + [(moment(row["at"]), 1, row) for row in then]
    for at, is_reading, row in sorted(happenings, key=lambda happening: happening[:2]):
        if is_reading:
            assert story.read(at, row) == row["answer"], row
        else:
            story.act(at, row)


class Story:
    def __init__(self, world: World) -> None:
        self.world = world
        self.points: dict[str, str] = {}

    def give(self, row: Row) -> None:
        company = self.company(row["company"])
        if row["fact"] == "title":
            begins, until = date.fromisoformat(row["from"]), row["until"]
            ends = date.fromisoformat(until) if until else None
            now = moment(row["from"])
            open_holding(
                metering_point=self.point(row["points"]),
                holder=company,
                valid_from=begins,
                valid_to=ends,
                now=now,
            )
            return
        now, until = moment(row["from"]), moment(row["until"]) if row["until"] else None
        points = None if row["points"] == "all" else [self.point(name) for name in row["points"].split()]
        service = self.service(company, row, by_law=row["fact"] == "law")
        if row["fact"] == "law":
            permission = grant(
                service=service, holder=self.world.acme, points=points, reason="", valid_until=until, now=now
            )
        else:
            request = request_permission(
                requester=self.member_of(company),
                service=service,
                holder=self.world.acme,
                points=points,
                valid_until=until or now,
                history_from=date.fromisoformat(row["history from"]),
                now=now,
            )
            permission = accept_request(actor=self.world.alice, request_id=request.pk, points=None, now=now)
        assert permission.state == "active"

    def act(self, at: datetime, row: Row) -> None:
        who = getattr(self.world, row["who"], None)
        match row["act"]:
            case "revoke company":
                revoke_company(actor=who, company=self.company(row["on"]), now=at)
            case "terminate":
                terminate(actor=who, permission_id=self.permission_of(row["on"]).pk, now=at)
            case "suspend":
                suspend(actor=who, permission_id=self.permission_of(row["on"]).pk, reason="", now=at)
            case "resume":
                resume(actor=who, permission_id=self.permission_of(row["on"]).pk, now=at)
            case "move out":
                point, day = row["on"].split()
                holding = TitleHolding.objects.get(
                    metering_point=self.point(point), holder=self.company(row["who"]), valid_to=None
                )
                close_holding(holding=holding, valid_to=date.fromisoformat(day), now=at)
            case "move in":
                point, day = row["on"].split()
                holder = self.company(row["who"])
                open_holding(
                    metering_point=self.point(point),
                    holder=holder,
                    valid_from=date.fromisoformat(day),
                    now=at,
                )
            case "oppose":
                set_collection(actor=who, points=[self.point(row["on"])], state="opposed", now=at)
            case "activate":
                set_collection(actor=who, points=[self.point(row["on"])], state="active", now=at)
            case "worker":
                expire_due(now=at)
                invalidate_for_moved_out(now=at)
            case other:
                raise AssertionError(other)

    def read(self, at: datetime, row: Row) -> str:
        """What the data plane would answer: the readable days, or why not."""
        period = Interval(moment(row["from"]), moment(row["to"]))
        lines = Line.objects.filter(
            reader=self.company(row["reader"]), metering_point=self.point(row["point"])
        )
        verdict = decide(
            Wanted(row["point"], Kind(row["kind"]), FlowDirection.WITHDRAWAL, period, at), map(_line, lines)
        )
        if not isinstance(verdict, Granted):
            return verdict.reason.value
        assert verdict.readable.end is not None
        return f"{day(verdict.readable.start)} → {day(verdict.readable.end)}"

    def point(self, name: str) -> str:
        if name not in self.points:
            self.points[name] = make_point(label=name).pk
        return self.points[name]

    def company(self, name: str) -> Organisation:
        return Organisation.objects.get(legal_name={"ACME": "ACME Industries"}.get(name, name))

    def member_of(self, company: Organisation) -> Any:
        if company == self.world.third_party_1:
            return self.world.tiers1
        return make_member(company, f"Membre {company.pk}", role="administrator")

    def permission_of(self, company: str) -> Permission:
        return Permission.objects.get(eligible_party=self.company(company))

    def service(self, company: Organisation, row: Row, *, by_law: bool) -> DataService:
        return make_service(
            company,
            kinds=[Kind(word) for word in row["kinds"].split()],
            legal_basis=LegalBasis.LEGAL_OBLIGATION if by_law else LegalBasis.CONSENT,
            duration_months=0,
        )


def _line(row: Line) -> AccessLine:
    permission = None if row.permission_id is None else str(row.permission_id)
    return AccessLine(
        Basis(row.basis), permission, row.holder_id, row.kinds, row.directions, row.finest_resolution,
        row.data_from, row.data_to, row.valid_from, row.valid_until,
    )  # fmt: skip


def rows(path: Path) -> list[Row]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def day(instant: datetime) -> str:
    local = instant.astimezone(PARIS)
    assert (local.hour, local.minute, local.second) == (0, 0, 0)
    return local.date().isoformat()
