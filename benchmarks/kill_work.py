"""What an instance is at work with while `benchmarks.kills` kills its processes, and what of it was acknowledged."""

import asyncio
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from itertools import count
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx

from benchmarks.living import Served, fill, token_for
from tests.browser_session import carried_by, submit
from tests.handles import handle
from tests.ingest_samples import offset, plain_csv, starts

T = TypeVar("T")
PASSWORD = "une phrase assez longue"
FIRST_DAY = date(2025, 1, 1)
PACE = 0.05
"""Seconds between two of a kind."""
TAKES_A_MAIL = 0.05
"""Seconds until the mail server says that it has a letter, as one that is elsewhere takes."""


class World:
    """A holder with many points, of each of which a permission can be ended and a group's right can be made the only
    one, and a point that goes on being read.
    """

    def __init__(self, data: Path, acts: int) -> None:
        from gridgate.applications.operations import create_application
        from gridgate.sharing.operations.granting import subscribe
        from tests.factories.metering import make_held_point
        from tests.factories.organisations import make_group, make_member, make_organisation
        from tests.factories.sharing import make_service

        self.data, now = data, datetime.now(UTC)
        holder, party = make_organisation("ACME Industries"), make_organisation("Tiers 1")
        self.alice, self.anne = (
            make_member(holder, name, role="administrator", password=PASSWORD) for name in ("Alice", "Anne")
        )
        make_member(party, "Tiphaine", role="administrator")
        self.told = 3  # of an end: the administrators of both sides
        service = make_service(party, history_months=12)
        self.lasting, self.ingested = make_held_point(holder).pk, make_held_point(holder).pk
        fill(data, [self.lasting], [now.date() - timedelta(days=1)])
        self.points = [make_held_point(holder).pk for _ in range(acts)]
        given = [
            subscribe(actor=self.alice, service=service, points=[point], now=now)
            for point in (self.lasting, *self.points)
        ]
        self.permissions = [permission.pk for permission in given[1:]]
        members = [make_member(holder, "Bob")]
        self.group = make_group(holder, "Lyon", members, {"meters": None, "measurements": [self.lasting]})
        created = create_application(organisation=party, name="Programme", now=now)
        self.client_id, self.secret = created.application.client_id, created.secret


@dataclass(eq=False)
class Task:
    """One kind of work: how often it was acknowledged, and whether it is under way."""

    name: str
    acknowledged: int = 0
    since_the_kill: int = 0
    at: float = 0.0
    """When it was acknowledged last."""
    began: float | None = None
    """When what is under way was sent."""
    broken_off: int = 0
    """Sent, and never answered."""
    not_reached: int = 0
    sent: float = 0.0
    """When what was answered last, or got no answer, was sent."""
    took: "deque[float]" = field(default_factory=lambda: deque([0.1], maxlen=20))

    def attempt(self, act: Callable[[], T]) -> T | None:
        """What the act was answered; None when no answer came."""
        self.began = self.sent = time.monotonic()
        try:
            return act()
        except (httpx.ConnectError, httpx.ConnectTimeout):
            self.not_reached += 1
        except httpx.TransportError:
            self.broken_off += 1
        finally:
            self.began = None
        return None

    def acknowledge(self) -> None:
        """What was sent last was answered with what it asked for."""
        self.at = time.monotonic()
        self.took.append(self.at - self.sent)
        self.acknowledged += 1
        self.since_the_kill += 1

    @property
    def usually(self) -> float:
        return median(self.took)


class Mailbox:
    """What a mail server was given, by Message-ID."""

    def __init__(self) -> None:
        self.arrived: Counter[str] = Counter()
        self.task = Task("e-mails")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the server's name
        self.task.began = self.task.sent = time.monotonic()
        self.arrived[message_from_bytes(envelope.content)["Message-ID"]] += 1
        await asyncio.sleep(TAKES_A_MAIL)
        self.task.began = None
        self.task.acknowledge()
        return "250 OK"


class Work:
    """What goes on while processes are killed; each kind in a thread, with what was acknowledged to it.

    Of ends and changes of rights, one is done between two kills, and more while a kill aims at them; a day is taken in
    while a kill aims at that.
    """

    def __init__(self, world: World, served: Served, mails: Task) -> None:
        self.world, self.served = world, served
        self.over = Event()
        self.aim: Task | None = None
        self.ends, self.rights, self.reads, self.days = map(
            Task, ("ends", "changes of rights", "reads", "ingested days")
        )
        self.mails = mails
        self.tasks = (self.ends, self.rights, self.reads, self.days, self.mails)
        self.ended: list[Any] = []
        self.narrowed: list[str] = []
        self.read: list[datetime] = []
        self.ingested: list[date] = []
        self.otherwise: Counter[str] = Counter()
        """Answers that were neither what was asked for nor none."""
        self.ingest: subprocess.Popen[bytes] | None = None
        self.fault: BaseException | None = None
        self._token = token_for(served, world.client_id, world.secret)
        self._threads = [
            Thread(target=self._until_over, args=(act,))
            for act in (self._end, self._narrow, self._read, self._ingest)
        ]

    def __enter__(self) -> "Work":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()

    def _until_over(self, act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as error:
            self.fault = error
            raise

    def _awaits(self, task: Task) -> bool:
        """Wait for the turn of a kind of work; False when all is over."""
        while not self.over.wait(PACE):
            aimed_at = self.aim is task or (self.aim is self.mails and task is self.ends)
            if aimed_at or not (task.since_the_kill or task is self.days):
                return True
        return False

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.served.port}", timeout=60)

    def _signed_in(self, member: Any) -> tuple[httpx.Client, dict[str, str]]:
        """A browser of an administrator, and what every form carries."""
        client = self._client()
        answer = submit(client, "/connexion/", login=member.user.email, password=PASSWORD)
        if "/conditions/" in client.get("/compte/").headers.get("Location", ""):
            submit(client, "/conditions/accepter/", terms="on", version="1")
        page = client.get("/compte/")
        if page.status_code != 200:
            raise SystemExit(f"nobody could sign in: {answer.status_code}, {page.headers.get('Location')}")
        client.headers["Referer"] = str(client.base_url)
        return client, carried_by(page.text)

    def _otherwise(self, task: Task, answer: httpx.Response) -> None:
        self.otherwise[f"{task.name}: {answer.status_code}"] += 1
        if answer.status_code < 500:
            raise AssertionError(f"{answer.url} answered {answer.status_code}: {answer.text[:2000]}")

    def _end(self) -> None:
        """End one permission after another by the page; one whose answer did not come is asked for again."""
        client, carried = self._signed_in(self.world.alice)
        waiting = iter(self.world.permissions)
        permission = next(waiting)
        while self._awaits(self.ends):
            path = f"/partage/autorisations/{permission}/resilier/"
            answer = self.ends.attempt(lambda path=path: client.post(path, data=carried))
            if answer is None:
                continue
            receipt = answer.headers.get("Location", path)
            if answer.status_code == 302 and receipt != path and "/connexion/" not in receipt:
                self.ended.append(permission)
                self.ends.acknowledge()
                permission = next(waiting)
                with suppress(httpx.TransportError):
                    client.get(receipt)
            else:
                self._otherwise(self.ends, answer)
        client.close()

    def _narrow(self) -> None:
        """Give a group its service on one other point after the other, and on none of those before, by the page: what
        that does is read first, and confirmed.
        """
        client, carried = self._signed_in(self.world.anne)
        path = f"/administration/groupes/{handle(self.world.group)}/perimetre/measurements/"
        waiting = iter(self.world.points)
        point = next(waiting)
        while self._awaits(self.rights):
            form = {**carried, "scope": "some", "chosen": point, "shown": "", "do": "save"}
            with suppress(httpx.TransportError):  # which the attempt then meets, too
                form["seen"] = seen_on(client.post(path, data=form).text)
            answer = self.rights.attempt(lambda form=form: client.post(path, data=form))
            if answer is None:
                continue
            if answer.status_code == 302 and "/connexion/" not in answer.headers["Location"]:
                self.narrowed.append(point)
                self.rights.acknowledge()
                point = next(waiting)
            elif answer.status_code != 200:  # to be read again: what was sent before it is done meanwhile
                self._otherwise(self.rights, answer)
        client.close()

    def _read(self) -> None:
        """Read without end; each read says another `as_of`, by which its line in the log is known."""
        since = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        yesterday = since.date() - timedelta(days=1)
        with self._client() as client:
            client.headers["Authorization"] = f"Bearer {self._token}"
            for number in count():
                if self.over.wait(PACE):
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
                answer = self.reads.attempt(lambda path=path: client.get(path))
                if answer is None:
                    continue
                if answer.status_code == 200:
                    self.read.append(as_of)
                    self.reads.acknowledge()
                else:
                    self._otherwise(self.reads, answer)

    def _ingest(self) -> None:
        """Take in one day after another by the command; one that was killed is started again."""
        file = self.world.data.with_name("day.csv")
        day = FIRST_DAY
        while self._awaits(self.days):
            file.write_bytes(day_file(self.world.ingested, day))
            ended, said = self.days.attempt(lambda: self._run_ingest(file)) or (0, b"")
            if ended == 0:
                self.ingested.append(day)
                self.days.acknowledge()
                day += timedelta(days=1)
            elif ended < 0:
                self.days.broken_off += 1
            else:
                raise AssertionError(f"gridgate ingest ended with {ended}: {said.decode()[-2000:]}")

    def _run_ingest(self, file: Path) -> tuple[int, bytes]:
        command = (sys.executable, "-m", "gridgate.config.cli", "--data", str(self.world.data))
        self.ingest = subprocess.Popen(
            [*command, "ingest", str(file), "--json"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        _, said = self.ingest.communicate()
        return self.ingest.returncode, said


def seen_on(page: str) -> str:
    """What a page says of the consequences that it shows; empty when it shows none."""
    _, found, rest = page.partition('name="seen" value="')
    return rest.partition('"')[0] if found else ""


def day_file(point: str, day: date) -> bytes:
    value = day.toordinal() % 1000
    rows = (
        f"{point},load_curve,withdrawal,{stamp},PT30M,{value + slot},W,"
        for slot, stamp in enumerate(offset(starts(day)))
    )
    return plain_csv(rows)
