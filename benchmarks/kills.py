"""`python -m benchmarks.kills`: `kill -9`, again and again, of an instance that is at work. Nothing that was acknowledged
may be lost, and nothing done twice.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlencode

import httpx

from benchmarks.living import WORKERS, Served, fill, machine, make, token_for
from benchmarks.races import results
from tests.browser_session import carried_by, submit
from tests.ingest_samples import offset, plain_csv, starts
from tests.mail_server import mail_server

PASSWORD = "une phrase assez longue"
FIRST_DAY = date(2025, 1, 1)
VICTIMS = ("web worker", "background worker", "whole serve", "ingest")
PAUSE = (0.2, 0.9)
"""Seconds between two kills, drawn anew each time."""


class Mailbox:
    """What a mail server was given, by Message-ID."""

    def __init__(self) -> None:
        self.arrived: Counter[str] = Counter()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the server's name
        self.arrived[message_from_bytes(envelope.content)["Message-ID"]] += 1
        return "250 OK"


class World:
    """A holder with a permission to end for each of many points, and a point that goes on being read."""

    def __init__(self, data: Path, ends: int) -> None:
        from gridgate.applications.operations import create_application
        from gridgate.sharing.operations import subscribe
        from tests.factories.metering import make_held_point
        from tests.factories.organisations import make_member, make_organisation
        from tests.factories.sharing import make_service

        self.data, now = data, datetime.now(UTC)
        holder, party = make_organisation("ACME Industries"), make_organisation("Tiers 1")
        self.alice = make_member(holder, "Alice", role="administrator", password=PASSWORD)
        make_member(party, "Tiphaine", role="administrator")
        service = make_service(party, history_months=12)
        self.lasting, self.ingested = make_held_point(holder).pk, make_held_point(holder).pk
        fill(data, [self.lasting], [now.date() - timedelta(days=1)])
        points = [self.lasting, *(make_held_point(holder).pk for _ in range(ends))]
        given = [subscribe(actor=self.alice, service=service, points=[point], now=now) for point in points]
        self.permissions = [permission.pk for permission in given[1:]]
        created = create_application(organisation=party, name="Programme", now=now)
        self.client_id, self.secret = created.application.client_id, created.secret


class Work:
    """What goes on while processes are killed; each kind in a thread, with what was acknowledged to it."""

    def __init__(self, world: World, served: Served) -> None:
        self.world, self.served = world, served
        self.over = Event()
        self.ended: list[Any] = []
        self.read: list[datetime] = []
        self.days: list[date] = []
        self.failed: Counter[str] = Counter()
        self.ingest: subprocess.Popen[bytes] | None = None
        self._token = token_for(served, world.client_id, world.secret)
        self._browser = self._client()
        self._carried = self._sign_in(self._browser)
        self._threads = [Thread(target=act) for act in (self._end, self._read, self._ingest)]

    def __enter__(self) -> "Work":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.served.port}", timeout=30)

    def _sign_in(self, client: httpx.Client) -> dict[str, str]:
        """Sign the holder's administrator in; returns what every form carries."""
        answer = submit(client, "/connexion/", login=self.world.alice.user.email, password=PASSWORD)
        if "/conditions/" in client.get("/compte/").headers.get("Location", ""):
            submit(client, "/conditions/accepter/", terms="on", version="1")
        page = client.get("/compte/")
        if page.status_code != 200:
            raise SystemExit(f"nobody could sign in: {answer.status_code}, {page.headers.get('Location')}")
        return carried_by(page.text)

    def _end(self) -> None:
        """End one permission after another by the page; one whose answer did not come is asked for again."""
        client, waiting = self._browser, list(self.world.permissions)
        while waiting and not self.over.wait(0.3):
            path = f"/partage/autorisations/{waiting[0]}/resilier/"
            try:
                answer = client.post(path, data=self._carried, headers={"Referer": str(client.base_url)})
            except httpx.TransportError:
                self.failed["end"] += 1
                continue
            receipt = answer.headers.get("Location", path)
            if answer.status_code == 302 and receipt != path and "/connexion/" not in receipt:
                self.ended.append(waiting.pop(0))
                with suppress(httpx.TransportError):
                    client.get(receipt)
            elif answer.status_code < 500:
                raise AssertionError(f"{path} answered {answer.status_code}: {answer.text[:2000]}")
        client.close()

    def _read(self) -> None:
        """Read without pause; each read says another `as_of`, by which its line in the log is known."""
        since = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        yesterday = since.date() - timedelta(days=1)
        with self._client() as client:
            for number in count():
                if self.over.is_set():
                    return
                as_of = since + timedelta(milliseconds=number)
                query = {
                    "kind": "load_curve",
                    "direction": "withdrawal",
                    "start": yesterday.isoformat(),
                    "end": since.date().isoformat(),
                    "as_of": as_of.isoformat(),
                }
                path = f"/api/v1/metering-points/{self.world.lasting}/measurements?{urlencode(query)}"
                try:
                    answer = client.get(path, headers={"Authorization": f"Bearer {self._token}"})
                except httpx.TransportError:
                    self.failed["read"] += 1
                    time.sleep(0.05)
                    continue
                if answer.status_code == 200:
                    self.read.append(as_of)
                time.sleep(0.01)

    def _ingest(self) -> None:
        """Take in one day after another by the command; one that was killed is started again."""
        file = self.world.data.with_name("day.csv")
        day = FIRST_DAY
        while not self.over.is_set():
            file.write_bytes(day_file(self.world.ingested, day))
            self.ingest = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gridgate.config.cli", "--data", str(self.world.data)),
                    *("ingest", str(file), "--json"),
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            if self.ingest.wait() == 0:
                self.days.append(day)
                day += timedelta(days=1)
            else:
                self.failed["ingest"] += 1


def day_file(point: str, day: date) -> bytes:
    value = day.toordinal() % 1000
    rows = (
        f"{point},load_curve,withdrawal,{stamp},PT30M,{value + slot},W,"
        for slot, stamp in enumerate(offset(starts(day)))
    )
    return plain_csv(rows)


class Killer:
    """Kills by the ids of processes that this run has started, and starts again what does not come back by itself."""

    def __init__(self, served: Served, work: Work) -> None:
        self.served, self.work = served, work
        self.killed: Counter[str] = Counter()
        self.started_again: Counter[str] = Counter()
        self._draw = random.Random(1)

    def kill(self, victim: str) -> None:
        time.sleep(self._draw.uniform(*PAUSE))
        self.see_that_it_runs()
        {
            "web worker": self._web,
            "background worker": self._background,
            "whole serve": self._whole,
            "ingest": self._one_ingest,
        }[victim]()
        self.killed[victim] += 1

    def _web(self) -> None:
        self._kill(self._draw.choice(self._there(0, WORKERS)))

    def _background(self) -> None:
        self._kill(self._there(1, 1)[0])

    def _whole(self) -> None:
        os.killpg(self.served.process.pid, signal.SIGKILL)
        self.served.process.wait()
        self.served.start()

    def _one_ingest(self) -> None:
        while (process := self.work.ingest) is None or process.poll() is not None:
            time.sleep(0.01)
        time.sleep(self._draw.uniform(0, 0.8))  # anywhere between its start and its end
        process.kill()

    def _there(self, which: int, wanted: int) -> list[int]:
        """The processes of a kind, once there are as many as there should be; they are started again, or it is."""
        for attempt in count():
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and self.served.process.poll() is None:
                found = self.served.workers()[which]
                if len(found) >= wanted:
                    return found
                time.sleep(0.05)
            if attempt == 3:
                break
            self.started_again["a process did not come back"] += 1
            self.see_that_it_runs(anew=True)
        raise SystemExit(f"no process to kill; see {self.served.log}")

    def see_that_it_runs(self, *, anew: bool = False) -> None:
        if self.served.process.poll() is None and not anew:
            return
        if not anew:
            self.started_again["serve had ended"] += 1
        with suppress(ProcessLookupError):  # what it left behind
            os.killpg(self.served.process.pid, signal.SIGKILL)
        self.served.process.wait()
        self.served.start()

    @staticmethod
    def _kill(pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Account:
    """What is there after all, held against what was acknowledged."""

    def __init__(self) -> None:
        self.lost: Counter[str] = Counter()
        self.doubled: Counter[str] = Counter()
        self.seen: dict[str, str] = {}

    def ends(self, world: World, work: Work) -> None:
        from gridgate.sharing.models import AccessLine, Permission

        acknowledged = set(work.ended)
        done = 0
        for permission in Permission.objects.filter(pk__in=world.permissions).prefetch_related(
            "events", "receipts"
        ):
            ends = sum(event.state == "revoked" for event in permission.events.all())
            receipts = len(permission.receipts.all())
            done += ends > 0
            self.lost["ends"] += permission.pk in acknowledged and permission.state != "revoked"
            self.lost["events of ends"] += permission.pk in acknowledged and not ends
            self.lost["receipts"] += ends > 0 and not receipts
            self.doubled["events of ends"] += ends > 1
            self.doubled["receipts"] += receipts > 1
        self.lost["ends"] += AccessLine.objects.filter(permission__in=work.ended).count()
        self.seen["permissions ended"] = f"{len(acknowledged):,} acknowledged, {done:,} there"

    def mails(self, mailbox: Mailbox) -> None:
        from django.conf import settings
        from django.utils.crypto import salted_hmac

        from gridgate.notifications.models import OutgoingEmail
        from gridgate.sharing.models import Receipt

        host = settings.ENVIRONMENT.host
        keys = Counter(OutgoingEmail.objects.values_list("key", flat=True))
        told = Counter(key.split(":")[1] for key in keys if key.startswith("ended:"))
        names = {}
        for email in OutgoingEmail.objects.all():
            digest = salted_hmac("gridgate.notifications.message", email.key).hexdigest()[:32]
            names[f"<{digest}@{host}>"] = email
            self.lost["e-mails"] += not mailbox.arrived[f"<{digest}@{host}>"] or email.sent_at is None
        for number in Receipt.objects.values_list("number", flat=True):
            self.lost["e-mails of ends"] += told[number] < 2
            self.doubled["e-mails of ends"] += told[number] > 2
        self.doubled["e-mails by key"] += sum(found > 1 for found in keys.values())
        self.doubled["e-mails of no key"] += sum(name not in names for name in mailbox.arrived)
        again = sum(found - 1 for found in mailbox.arrived.values())
        self.seen["e-mails"] = f"{len(keys):,} by their key, all sent; copies of one that came again: {again}"

    def days(self, world: World, work: Work) -> None:
        from gridgate.config.environment import read_environment
        from gridgate.core.quantities import FlowDirection, Kind
        from gridgate.dataplane.store import open_store

        zone = read_environment().zone
        last = FIRST_DAY + timedelta(days=len(work.days) + 1)
        with open_store(world.data / "measurements.sqlite3", read_only=True, zone=zone) as store:
            blocks = store.read(world.ingested, Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, FIRST_DAY, last)
            there = Counter(block.day for block in blocks)
            for block in blocks:
                value = block.day.toordinal() % 1000
                whole = [int(one) for one in block.values] == [
                    value + slot for slot in range(len(starts(block.day)))
                ]
                self.lost["values of days"] += not whole
                self.doubled["versions of days"] += len(store.versions(block.key, block.day)) > 1
        self.lost["days"] += sum(day not in there for day in work.days)
        self.doubled["days"] += sum(found > 1 for found in there.values())
        self.seen["ingested days"] = f"{len(work.days):,} acknowledged, {len(there):,} there"

    def log(self, world: World, work: Work) -> None:
        from gridgate.audit.models import AccessLogEntry
        from gridgate.dataplane.accesslog import read_segment
        from gridgate.dataplane.accesslog.segments import segment_paths

        lines: Counter[str] = Counter()
        for path in segment_paths(world.data / "accesslog"):
            for entry in read_segment(path).entries:
                if entry.get("as_of"):
                    lines[instant(entry["as_of"])] += 1
        folded = Counter(
            instant(at.isoformat())
            for at in AccessLogEntry.objects.exclude(as_of=None).values_list("as_of", flat=True)
        )
        read = [instant(at.isoformat()) for at in work.read]
        self.lost["log lines"] += sum(not lines[at] for at in read)
        self.doubled["log lines"] += sum(found > 1 for found in lines.values())
        self.lost["folded lines"] += sum((lines - folded).values())
        self.doubled["folded lines"] += sum((folded - lines).values())
        self.seen["reads"] = (
            f"{len(read):,} answered, {sum(lines.values()):,} lines in the log, as many folded"
        )
        proof = subprocess.run(
            [sys.executable, "-m", "gridgate.config.cli", "--data", str(world.data), "audit", "verify"],
            capture_output=True,
            check=False,
        )
        self.lost["proof of the log"] += proof.returncode != 0
        self.seen["gridgate audit verify"] = f"ended with {proof.returncode}"


def instant(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="milliseconds")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many, of each kind in turn (200)")
    options = parser.parse_args(arguments)
    mailbox, account = Mailbox(), Account()
    with tempfile.TemporaryDirectory(dir=results(), prefix="kills-") as folder, mail_server(mailbox) as port:
        os.environ.update(GRIDGATE_SMTP_HOST="127.0.0.1", GRIDGATE_SMTP_PORT=str(port))
        print("Making an instance…", file=sys.stderr)
        world = World(make(Path(folder)), options.kills + 20)
        served = Served(world.data)
        began = time.monotonic()
        try:
            with Work(world, served) as work:
                killer = Killer(served, work)
                for number in range(options.kills):
                    killer.kill(VICTIMS[number % len(VICTIMS)])
                    print(f"\rKilled {number + 1} of {options.kills}", end="", file=sys.stderr)
            print("\nLetting it finish…", file=sys.stderr)
            killer.see_that_it_runs()
            _settle(world)
        finally:
            served.stop()
        took = time.monotonic() - began
        _send_what_is_leased()
        account.ends(world, work)
        account.mails(mailbox)
        account.days(world, work)
        account.log(world, work)
    return _report(account, killer, work, took)


def _settle(world: World) -> None:
    """Until the worker has folded the log, as far as it was written."""
    from django.db import connection

    from gridgate.audit.models import AccessLogEntry
    from gridgate.dataplane.accesslog import read_segment
    from gridgate.dataplane.accesslog.segments import segment_paths

    def settled() -> bool:
        connection.close()
        written = sum(len(read_segment(path).entries) for path in segment_paths(world.data / "accesslog"))
        return AccessLogEntry.objects.count() >= written

    _until(settled, seconds=60)


def _send_what_is_leased() -> None:
    """What a killed worker had taken is sent when its lease runs out: five minutes later, which is not waited for."""
    from gridgate.notifications import tasks

    def later() -> datetime:
        return datetime.now(UTC) + 2 * tasks.LEASE

    while (email := tasks.claim(now=later())) is not None:
        tasks.send(email, clock=later)


def _until(reached: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.2)


def _report(account: Account, killer: Killer, work: Work, took: float) -> int:
    print(
        f"{sum(killer.killed.values())} kills in {took:.0f} s ({machine()}): "
        + ", ".join(f"{number} of the {name}" for name, number in killer.killed.items())
    )
    print(
        f"Asked again, as no answer came: {dict(work.failed)}. Started by hand: {dict(killer.started_again)}."
    )
    for name, said in account.seen.items():
        print(f"{name:<24}{said}")
    for name, found in (("lost", account.lost), ("doubled", account.doubled)):
        faults = {what: number for what, number in found.items() if number}
        print(f"{name + ':':<24}{faults or 0} (looked at: {', '.join(found)})")
    idle = not (work.ended and work.read and work.days)
    if idle:
        print("Nothing was acknowledged of one kind of work: the run proves nothing of it.")
    return 1 if idle or sum(account.lost.values()) or sum(account.doubled.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
