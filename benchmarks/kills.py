"""`python -m benchmarks.kills`: `kill -9`, again and again, of an instance that is at work. Nothing that was acknowledged
may be lost, and nothing done twice.

Before each kill, one of each kind of work has been acknowledged since the one before; then it waits until the kind at
which this kill aims is under way, and kills within it, or just after its answer.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks.kill_account import Account
from benchmarks.kill_work import Mailbox, Task, Work, World
from benchmarks.living import WORKERS, Served, machine, make
from benchmarks.races import results
from tests.mail_server import mail_server

VICTIMS = ("web worker", "background worker", "whole serve", "ingest")
PATIENCE = 180.0
"""Seconds within which each kind of work must go on after a kill."""
BEYOND = 1.3
"""A kill comes at any moment of what usually takes 1, or a little after it."""


class Killer:
    """Kills by the ids of processes that this run has started, and starts again what does not come back by itself."""

    def __init__(self, served: Served, work: Work, *, seed: int) -> None:
        self.served, self.work = served, work
        self.killed: Counter[str] = Counter()
        self.started_again: Counter[str] = Counter()
        self.to_lose: Counter[str] = Counter()
        """By kind of work, the kills since whose last one some was acknowledged."""
        self.under_way: Counter[str] = Counter()
        self.ago: defaultdict[str, list[float]] = defaultdict(list)
        """How long before each kill the last one was acknowledged, in seconds."""
        self._draw = random.Random(seed)
        aims = (work.ends, work.rights, work.reads)
        self._aims = {
            "web worker": aims,
            "background worker": (work.mails, work.ends, work.mails, work.rights),
            "whole serve": (*aims, work.mails),
            "ingest": (work.days,),
        }

    def kill(self, victim: str) -> None:
        aims = self._aims[victim]
        aim = aims[self.killed[victim] % len(aims)]
        self.work.aim = aim
        self.see_that_it_runs()
        strike = {
            "web worker": self._web,
            "background worker": self._background,
            "whole serve": self._whole,
            "ingest": self._one_ingest,
        }[victim]()
        self._until_all_went_on({self.work.ends, self.work.rights, self.work.reads, aim} - {self.work.mails})
        self._within(aim)
        self._note()
        strike()
        self.work.aim = None
        for task in self.work.tasks:
            task.since_the_kill = 0
        self.killed[victim] += 1
        if victim == "whole serve":
            self.served.process.wait()
            self.served.start()

    def _until_all_went_on(self, tasks: set[Task]) -> None:
        for task in tasks:
            self._until(task, lambda task=task: task.since_the_kill > 0)

    def _within(self, aim: Task) -> None:
        """Until the kind of work is under way, and then some part of what it usually takes."""
        self._until(aim, lambda: aim.began is not None)
        time.sleep(self._draw.uniform(0, BEYOND) * aim.usually)

    def _until(self, task: Task, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not reached():
            if self.work.fault is not None:
                raise SystemExit(f"the work broke off: {self.work.fault}")
            if time.monotonic() > deadline:
                raise SystemExit(f"no {task.name} in {PATIENCE:.0f} s")
            time.sleep(0.001)

    def _note(self) -> None:
        now = time.monotonic()
        for task in self.work.tasks:
            self.under_way[task.name] += task.began is not None
            if task.since_the_kill:
                self.to_lose[task.name] += 1
                self.ago[task.name].append(now - task.at)

    def _web(self) -> Callable[[], None]:
        # The one that has been there longest surely answers.
        pid = min(self._there(0, WORKERS), key=_started)
        return lambda: self._kill(pid)

    def _background(self) -> Callable[[], None]:
        pid = self._there(1, 1)[0]
        return lambda: self._kill(pid)

    def _whole(self) -> Callable[[], None]:
        return lambda: os.killpg(self.served.process.pid, signal.SIGKILL)

    def _one_ingest(self) -> Callable[[], None]:
        def kill() -> None:
            while (process := self.work.ingest) is None or process.poll() is not None:
                time.sleep(0.001)
            process.kill()

        return kill

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


def _started(pid: int) -> int:
    """When a process was started, in ticks since the machine was."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many, of each kind in turn (200)")
    parser.add_argument("--minutes", type=float, help="kill no more after so long")
    parser.add_argument("--seed", type=int, default=1, help="of the moments at which it kills (1)")
    options = parser.parse_args(arguments)
    mailbox, account = Mailbox(), Account()
    with tempfile.TemporaryDirectory(dir=results(), prefix="kills-") as folder, mail_server(mailbox) as port:
        os.environ.update(GRIDGATE_SMTP_HOST="127.0.0.1", GRIDGATE_SMTP_PORT=str(port))
        print("Making an instance…", file=sys.stderr)
        world = World(make(Path(folder)), options.kills * 4 + 40)
        served = Served(world.data)
        began = time.monotonic()
        try:
            with Work(world, served, mailbox.task) as work:
                killer = Killer(served, work, seed=options.seed)
                for number in range(options.kills):
                    if options.minutes is not None and time.monotonic() - began > options.minutes * 60:
                        break
                    killer.kill(VICTIMS[number % len(VICTIMS)])
                    print(f"\rKilled {number + 1} of {options.kills}", end="", file=sys.stderr)
            print("\nLetting it finish…", file=sys.stderr)
            killer.see_that_it_runs()
            _settle(world)
            _sign()
        except (Exception, SystemExit):
            print(f"\n{served.log.read_text(errors='replace')[-4000:]}", file=sys.stderr)
            raise
        finally:
            served.stop()
        took = time.monotonic() - began
        _send_what_is_leased()
        account.ends(world, work)
        account.rights(world, work)
        account.changes()
        account.mails(world, mailbox)
        account.days(world, work)
        account.log(world, work)
        account.said(served)
    return _report(account, killer, work, took)


def _settle(world: World) -> None:
    """Until the worker has folded the log, as far as it was written."""
    from django.db import connection

    from gridgate.audit.models import LogDay
    from gridgate.dataplane.accesslog import read_segment
    from gridgate.dataplane.accesslog.segments import segment_paths

    def settled() -> bool:
        connection.close()
        written = sum(len(read_segment(path).entries) for path in segment_paths(world.data / "accesslog"))
        return sum(LogDay.objects.values_list("entries", flat=True)) >= written

    _until(settled, seconds=60)


def _sign() -> None:
    """Until the worker has signed the receipts that deaths left."""
    from django.db import connection

    from gridgate.sharing.receipts.asking import awaited

    def signed() -> bool:
        connection.close()
        return not awaited().exists()

    _until(signed, seconds=60)


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
    kills = killer.killed.total()
    print(
        f"{kills} kills in {took:.0f} s ({machine()}): "
        + ", ".join(f"{number} of the {name}" for name, number in killer.killed.items())
    )
    columns = ("acknowledged", "broken off", "not reached", "kills with some to lose", "under way")
    print(f"{'':<20}{''.join(f'{name:>25}' for name in columns)}{'acknowledged before, ms':>28}")
    for task in work.tasks:
        figures = (task.acknowledged, task.broken_off, task.not_reached)
        at_kills = (killer.to_lose[task.name], killer.under_way[task.name])
        ago = killer.ago[task.name] or [0.0]
        before = f"{min(ago) * 1000:.0f} / {median(ago) * 1000:.0f}"
        print(f"{task.name:<20}{''.join(f'{figure:>25,}' for figure in (*figures, *at_kills))}{before:>28}")
    print(f"Other answers: {dict(work.otherwise)}. Started by hand: {dict(killer.started_again)}.")
    for name, said in account.seen.items():
        print(f"{name:<24}{said}")
    for name, found in (("lost", account.lost), ("doubled", account.doubled)):
        faults = {what: number for what, number in found.items() if number}
        print(f"{name + ':':<24}{faults or 0} (looked at: {', '.join(found)})")
    idle = not all(task.acknowledged for task in work.tasks)
    if idle:
        print("Nothing was acknowledged of one kind of work: the run proves nothing of it.")
    return 1 if idle or account.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
