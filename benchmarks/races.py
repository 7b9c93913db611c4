"""`python -m benchmarks.races`: reads that race the ends of what they rest on. No read that was sent after an end was
acknowledged may be served.
"""

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from benchmarks.living import Served, fill, machine, make, token_for
from benchmarks.race_readers import BROKEN, SERVED, Call, Reads, read_on

PROCESSES, CONNECTIONS = 4, 4
FRONT = 12
DAYS = 2
HERE = Path(__file__).resolve().parent
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(slots=True)
class End:
    """One thing that will end: the read that rests on it, what ends it, and when that was begun and acknowledged."""

    kind: str
    call: Call
    act: Callable[[], int | None]
    """Does it; returns the instant at which it is over when that is not the return, as nanoseconds of the clock."""
    begun: int = 0
    acknowledged: int = 0


class World:
    """A network operator, two companies that hold points, and for each end a third party of its own."""

    def __init__(self, data: Path, ends: int) -> None:
        from gridgate.organisations.models import Organisation
        from tests.factories.metering import make_held_point
        from tests.factories.organisations import make_member, make_organisation

        self.data = data
        self.now = datetime.now(UTC)
        operator = Organisation.objects.get(is_operator=True)
        self.staff = make_member(operator, "Olivier", role="administrator")
        self.holder, self.own = make_organisation("ACME Industries"), make_organisation("Client B")
        self.next = make_organisation("Client C")
        self.alice = make_member(self.holder, "Alice", role="administrator")
        self.charlie = make_member(self.own, "Charlie", role="administrator")
        self.kinds = list(islice(cycle(KINDS), ends))
        self.points = [
            make_held_point(self.own if kind == "group narrowed away" else self.holder).pk
            for kind in self.kinds
        ]
        self.spare = make_held_point(self.own).pk
        today = self.now.date()
        fill(data, self.points, [today - timedelta(days=days) for days in range(DAYS, 0, -1)])
        self.period = urlencode(
            {
                "kind": "load_curve",
                "direction": "withdrawal",
                "start": (today - timedelta(days=DAYS)).isoformat(),
                "end": (today - timedelta(days=DAYS - 1)).isoformat(),
            }
        )

    def ends(self, served: Served) -> list[End]:
        return [
            Program(self, served, number, point).end(kind)
            for number, (kind, point) in enumerate(zip(self.kinds, self.points, strict=True))
        ]


class Program:
    """A third party's (or the holder's own) program, that reads one point."""

    def __init__(self, world: World, served: Served, number: int, point: str) -> None:
        from gridgate.applications.operations import create_application
        from tests.factories.organisations import make_member, make_organisation
        from tests.factories.sharing import make_service

        self.world, self.served, self.point = world, served, point
        self.of_holder = world.kinds[number] == "group narrowed away"
        self.company = world.own if self.of_holder else make_organisation(f"Tiers {number}")
        self.member = (
            world.charlie
            if self.of_holder
            else make_member(self.company, f"T {number}", role="administrator")
        )
        created = create_application(organisation=self.company, name=f"Programme {number}", now=world.now)
        self.application, self.secret = created.application, created.secret
        if not self.of_holder:
            self.service = make_service(self.company, history_months=12)
        self.token = token_for(served, self.application.client_id, self.secret)

    def end(self, kind: str) -> End:
        return End(
            kind,
            self._asks_for_tokens() if kind == "credential revoked" else self._reads(),
            KINDS[kind](self),
        )

    def given(self, valid_until: datetime | None = None) -> Any:
        from gridgate.sharing.operations.granting import subscribe

        return subscribe(
            actor=self.world.alice,
            service=self.service,
            points=[self.point],
            valid_until=valid_until,
            now=datetime.now(UTC),
        )

    def _reads(self) -> Call:
        path = f"/api/v1/metering-points/{self.point}/measurements?{self.world.period}"
        return Call("GET", path, {"Authorization": f"Bearer {self.token}"}, "", b'"values":[')

    def _asks_for_tokens(self) -> Call:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.application.client_id,
            "client_secret": self.secret,
        }
        return Call("POST", "/oauth2/token", FORM, urlencode(form), b'"access_token"')

    def in_a_group(self) -> Any:
        """Let the program read its point and another one only."""
        from gridgate.applications.operations import set_group
        from gridgate.organisations.operations.groups import create_group
        from gridgate.organisations.operations.services import give

        world, now = self.world, datetime.now(UTC)
        group = create_group(
            organisation=self.company, name=f"Groupe {self.point}", actor=self.member, now=now
        )
        give(group=group, code="measurements", points=[self.point, world.spare], actor=self.member, now=now)
        set_group(application=self.application, group=group, actor=self.member, now=now)
        return group


Act = Callable[[], int | None]


def _revoked(program: Program) -> Act:
    from gridgate.sharing.operations.ending import revoke_permission

    permission = program.given()
    return lambda: _done(
        revoke_permission(actor=program.world.alice, permission_id=permission.pk, now=datetime.now(UTC))
    )


def _company_revoked(program: Program) -> Act:
    from gridgate.sharing.operations.ending import revoke_company

    program.given()
    return lambda: _done(
        revoke_company(actor=program.world.alice, company=program.company, now=datetime.now(UTC))
    )


def _terminated(program: Program) -> Act:
    from gridgate.sharing.operations.ending import terminate

    permission = program.given()
    return lambda: _done(terminate(actor=program.member, permission_id=permission.pk, now=datetime.now(UTC)))


def _expired(program: Program) -> Act:
    def give_for_a_moment() -> int:
        over = datetime.fromtimestamp(int(time.time()) + 3, UTC)
        program.given(over)
        return time.monotonic_ns() + int((over.timestamp() - time.time()) * 1e9)

    return give_for_a_moment


def _moved_out(program: Program) -> Act:
    from gridgate.metering.imports.holders import import_holders

    program.given()
    world = program.world

    def take() -> None:
        line = f"{program.point},{world.next.siren},{world.next.legal_name},{datetime.now(UTC).date()},"
        content = f"metering_point_id,siren,legal_name,valid_from,valid_to\n{line}\n"
        report = import_holders(content.encode(), now=datetime.now(UTC))
        assert not report.rejected, report.as_json()

    return take


def _opposed(program: Program) -> Act:
    from gridgate.metering.operations.collections import set_collection

    program.given()
    return lambda: _done(
        set_collection(
            actor=program.world.alice, points=[program.point], state="opposed", now=datetime.now(UTC)
        )
    )


def _suspended(program: Program) -> Act:
    from gridgate.sharing.operations.pausing import suspend

    permission = program.given()
    return lambda: _done(
        suspend(actor=program.world.staff, permission_id=permission.pk, reason="essai", now=datetime.now(UTC))
    )


def _switched_off(program: Program) -> Act:
    program.given()

    def switch_off() -> None:
        program.application.active = False
        program.application.save(update_fields=["active"])

    return switch_off


def _token_revoked(program: Program) -> Act:
    program.given()

    def revoke() -> None:
        httpx.post(
            f"http://127.0.0.1:{program.served.port}/oauth2/revoke",
            data={"token": program.token},
            auth=(program.application.client_id, program.secret),
            timeout=30,
        ).raise_for_status()

    return revoke


def _credential_revoked(program: Program) -> Act:
    def revoke() -> None:
        program.application.credentials.update(revoked_at=datetime.now(UTC))

    return revoke


def _narrowed(program: Program) -> Act:
    from gridgate.organisations.operations.services import set_perimeter

    group = program.in_a_group()
    return lambda: _done(
        set_perimeter(
            group=group,
            codes=["measurements"],
            points=[program.world.spare],
            actor=program.member,
            now=datetime.now(UTC),
        )
    )


KINDS: dict[str, Callable[[Program], Act]] = {
    "permission revoked": _revoked,
    "company revoked": _company_revoked,
    "terminated by the third party": _terminated,
    "expired by time": _expired,
    "moved out by import": _moved_out,
    "load curve opposed": _opposed,
    "suspended": _suspended,
    "application switched off": _switched_off,
    "token revoked": _token_revoked,
    "credential revoked": _credential_revoked,
    "group narrowed away": _narrowed,
}
AT_ITS_TIME = "expired by time"


def _done(_: object) -> None:
    return None


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.races", description=__doc__)
    parser.add_argument("--reads", type=int, default=100_000, help="at least so many reads (100000)")
    parser.add_argument("--ends", type=int, default=200, help="so many ends, of every kind in turn (200)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=results(), prefix="races-") as folder:
        print("Making an instance…", file=sys.stderr)
        world = World(make(Path(folder)), options.ends)
        served = Served(world.data)
        try:
            ends = world.ends(served)
            print("Racing…", file=sys.stderr)
            began = time.monotonic()
            reads = race(served.port, ends, options.reads)
            took = time.monotonic() - began
        finally:
            served.stop()
    return report(ends, reads, took)


def race(port: int, ends: list[End], wanted: int) -> list[Reads]:
    """Read from other processes while everything ends, one after another; what they saw."""
    context = multiprocessing.get_context("spawn")
    front: Any = context.Array("l", [0] * FRONT)
    counts: Any = context.Array("l", PROCESSES * CONNECTIONS)
    over, results = context.Event(), context.Queue()
    calls = [end.call for end in ends]
    readers = [
        context.Process(target=read_on, args=(port, calls, CONNECTIONS, number, front, counts, over, results))
        for number in range(PROCESSES)
    ]
    for reader in readers:
        reader.start()
    try:
        for number, end in enumerate(ends):
            front[:] = [max(0, min(len(ends) - 1, number + 1 - back)) for back in range(FRONT)]
            _wait(lambda: sum(counts[:]) >= (number + 0.5) * wanted / len(ends))  # noqa: B023
            end.begun = time.monotonic_ns()
            over_at = end.act()
            end.acknowledged = over_at or time.monotonic_ns()
        last = max(end.acknowledged for end in ends)
        _wait(lambda: sum(counts[:]) >= wanted and time.monotonic_ns() > last + 1e9)
    finally:
        over.set()
    seen = [one for _ in readers for one in results.get(timeout=120)]
    for reader in readers:
        reader.join()
    return seen


def _wait(until: Callable[[], bool]) -> None:
    while not until():
        time.sleep(0.002)


def report(ends: list[End], reads: list[Reads], took: float) -> int:
    """Print what was seen; 1 when a read was served that was sent after the end of what it rested on."""
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    first: dict[int, int] = {}
    for seen in reads:
        for target, sent, answered, outcome in zip(
            seen.target, seen.sent, seen.answered, seen.outcome, strict=True
        ):
            end = ends[target]
            after = sent > end.acknowledged
            count = outcomes[end.kind]
            if outcome == BROKEN:
                count["broken"] += 1
            elif outcome == SERVED:
                count["late" if after else "served"] += 1
                # Sent before, answered after: begun under a permission that was there.
                count["overtaken"] += not after and answered > end.acknowledged
            else:
                count["refused"] += 1
                early = answered < end.begun and end.kind != AT_ITS_TIME
                count["early"] += early
                if after:
                    first[target] = min(first.get(target, answered), answered)
    columns = ("ends", "served", "refused", "overtaken", "late", "early")
    print(f"{'end':<32}{''.join(f'{name:>11}' for name in columns)}{'first refusal, ms':>20}")
    total: Counter[str] = Counter()
    for kind, count in outcomes.items():
        mine = [number for number, end in enumerate(ends) if end.kind == kind]
        waits = [(first[number] - ends[number].acknowledged) / 1e6 for number in mine if number in first]
        wait = f"{min(waits):.1f} / {statistics.median(waits):.1f}" if waits else "none seen"
        figures = (len(mine), *(count[name] for name in columns[1:]))
        print(f"{kind:<32}{''.join(f'{figure:>11,}' for figure in figures)}{wait:>20}")
        total += count
    waits = [(at - ends[number].acknowledged) / 1e6 for number, at in first.items()]
    served, refused, late, early = (total[name] for name in ("served", "refused", "late", "early"))
    print(
        f"\n{served + late + refused:,} reads on {PROCESSES * CONNECTIONS} kept connections in {took:.0f} s raced "
        f"{len(ends)} ends ({machine()}): {served + late:,} served, {refused:,} refused, {total['broken']} unanswered.\n"
        f"Served though sent after the end was acknowledged: {late}. Refused before it was begun: {early}.\n"
        f"First refusal after an acknowledgement: {min(waits):.1f} ms at the soonest, "
        f"{statistics.median(waits):.1f} in the middle."
    )
    unseen = [end.kind for number, end in enumerate(ends) if number not in first]
    if unseen:
        print(f"Of {len(unseen)} ends no read was seen refused: {Counter(unseen)}.")
    return 1 if total["late"] or total["early"] or total["broken"] or unseen else 0


def results() -> Path:
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
