"""What the access log costs once it is written: `python -m benchmarks.log [--reads N] [--points N] [--data FOLDER]`.

One company of 3,000 points, read by three others and by its own people, a million times in 60 days. F: folding those
lines into the registry. P: the pages `/`, `/partage/` and `/journal/`, of who sees all the points and of who sees 300 of
them, and filters of the journal. Then the bytes a read takes: in the segments, before and after past days are packed,
and in the registry. All in this process, and told in its CPU, which other work on the machine changes little.
"""

import argparse
import gc
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

DAYS = 60
PROCESSES = 2
ROUNDS = 5
SEEN_BY_SOME = 300
LINES = "accesslog/*-00000000000000*"
"""The segments written here: looking at the pages is logged too, beside them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=1_000_000)
    parser.add_argument("--points", type=int, default=3000)
    parser.add_argument("--data", type=Path, help="an empty folder, which is left there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="log-") as folder:
        report(asked.data or Path(folder), asked.reads, asked.points)


def report(data: Path, reads: int, points: int) -> None:
    world = World(data, points)
    world.log(reads)
    written = size(data, LINES)
    empty = world.registry_size()
    folded, seconds = world.fold()
    assert folded == reads, (folded, reads)
    grown = world.registry_size() - empty
    print(f"{reads:,} reads of {points:,} points in {DAYS} days\n")
    print(f"F: {seconds:.1f} s of CPU, {seconds / reads * 1e6:.1f} µs a line\n")
    print_pages(world)
    print(f"\nbytes a read: segments {written / reads:.0f}, registry {grown / reads:.0f}")
    if world.pack():
        packed = size(data, LINES)
        grown = world.registry_size() - empty
        print(
            f"past days packed: segments {packed / reads:.0f}, registry {grown / reads:.0f}, "
            f"together {(packed + grown) / reads:.0f}\n"
        )
        print_pages(world)


def print_pages(world: "World") -> None:
    print("| page | who sees | CPU, ms |\n|---|---|---|")
    for who, browser in world.browsers.items():
        for address in ADDRESSES:
            print(f"| `{address.format(point=point_id(7))}` | {who} | {world.page(browser, address):.0f} |")


ADDRESSES = (
    "/",
    "/partage/",
    "/journal/",
    "/journal/?page=20000",
    "/journal/?compteur={point}",
    "/journal/?reponse=refused",
    "/journal/?lectures=vous",
)


class World:
    """An instance with its company."""

    def __init__(self, data: Path, points: int) -> None:
        command = [
            sys.executable,
            "-m",
            "gridgate.config.cli",
            "--data",
            str(data),
            "init",
            "--operator",
            "Réseau",
        ]
        subprocess.run(command, check=True, capture_output=True)
        os.environ.update(GRIDGATE_DATA=str(data), DJANGO_SETTINGS_MODULE="gridgate.config.settings")
        import django

        django.setup()
        from django.conf import settings

        settings.ALLOWED_HOSTS = ["*"]
        self.environment = settings.ENVIRONMENT
        self.points = [point_id(place) for place in range(points)]
        self.now = datetime.now(UTC)
        self._registry(self.now)
        self._measurements(self.now.date())

    def _registry(self, now: datetime) -> None:
        from django.db import connection

        from gridgate.core.quantities import Kind
        from gridgate.metering import as_held
        from gridgate.metering.models import MeteringPoint, PointVersion, TitleHolding
        from gridgate.organisations.models import Membership
        from gridgate.organisations.operations.terms import accept_terms, terms_in_force
        from tests.factories.organisations import make_member, make_organisation
        from tests.factories.sharing import make_permission, make_service

        self.holder = make_organisation("Banc")
        self.readers = [make_organisation(f"Tiers {number}") for number in (1, 2, 3)]
        long_ago = date(2020, 1, 1)
        MeteringPoint.objects.bulk_create(MeteringPoint(id=one, activated_on=long_ago) for one in self.points)
        PointVersion.objects.bulk_create(
            PointVersion(
                metering_point_id=one, valid_from=long_ago, segment="C5", directions=1, label=f"Site {one}"
            )
            for one in self.points
        )
        TitleHolding.objects.bulk_create(
            TitleHolding(metering_point_id=one, holder=self.holder, valid_from=long_ago)
            for one in self.points
        )
        as_held.rebuild()
        self.permissions = [
            make_permission(
                make_service(reader, kinds=[Kind.LOAD_CURVE, Kind.DAILY_ENERGY]), self.holder, now=now
            )
            for reader in self.readers
        ]
        everything = make_member(self.holder, "Alice", role=Membership.Role.ADMINISTRATOR)
        some = make_member(
            self.holder, "Bob", entitlements=["data_services"], perimeter=self.points[:SEEN_BY_SOME]
        )
        self.alice = everything
        terms = terms_in_force(now=now)
        for member in (everything, some) if terms else ():
            accept_terms(user=member.user, terms=terms, organisation=self.holder, now=now)
        self.browsers = {"all": browser_of(everything), f"{SEEN_BY_SOME}": browser_of(some)}
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def _measurements(self, today: date) -> None:
        import numpy as np

        from gridgate.core.quantities import FlowDirection, Kind
        from gridgate.core.time import Resolution
        from gridgate.dataplane.store import open_store
        from gridgate.dataplane.store.port import DayBlock, SeriesKey, Source
        from tests.dataplane_world import PARIS

        day = today - timedelta(days=1)
        store = open_store(self.environment.measurements, zone=PARIS)
        blocks = [
            DayBlock(
                SeriesKey(one, Kind.DAILY_ENERGY, FlowDirection.WITHDRAWAL, Resolution.P1D),
                day,
                np.array([9000]),
                np.zeros(1, np.uint8),
            )
            for one in self.points
        ]
        source = Source("benchmark", "0" * 64, "benchmark", None)
        store.put(blocks, source=source, quarantined=[], recorded_at=int(self.now.timestamp() * 1000))
        store.close()

    def log(self, reads: int) -> None:
        """Segments as the writer makes them, two processes a day: each point several times a day, at scattered instants,
        by the calls of programs; now and then by the company's own people, or refused.
        """
        from gridgate.dataplane.accesslog.segments import ORIGIN, digest

        dice = random.Random(1)
        a_day = -(-reads // DAYS)
        left = reads
        for back in range(DAYS, 0, -1):
            start = datetime.combine(self.now.date() - timedelta(days=back), datetime.min.time(), UTC)
            count = min(a_day, left)
            left -= count
            instants = sorted(dice.uniform(0, 86_399) for _ in range(count))
            entries = list(self._entries(dice, start, instants))
            for process in range(PROCESSES):
                head = ORIGIN
                name = f"{start.date()}-{process:016x}.jsonl"
                with (self.environment.access_log / name).open("wb") as file:
                    bodies = [b'{"genesis":{"process":"banc","follows":null}}', *entries[process::PROCESSES]]
                    for body in bodies:
                        line = b'{"prev":"%b",%b' % (head.encode(), body[1:])
                        head = digest(line)
                        file.write(line + b"\n")

    def _entries(self, dice: random.Random, start: datetime, instants: list[float]) -> Iterator[bytes]:
        from gridgate.dataplane.accesslog import AccessEntry

        kinds = ("load_curve", "load_curve", "daily_energy")
        for number, seconds in enumerate(instants):
            at = start + timedelta(microseconds=int(seconds * 1e6))
            place = dice.randrange(100)
            own = place < 2
            reader = 0 if place < 50 else 1 if place < 85 else 2
            yield AccessEntry(
                at=at,
                channel="screen" if own else "api:enedis",
                outcome="no_permission" if place == 99 else "granted",
                reader=self.holder.pk if own else self.readers[reader].pk,
                reader_name=self.holder.legal_name if own else self.readers[reader].legal_name,
                metering_point=self.points[number * 7919 % len(self.points)],
                holder=self.holder.pk,
                kind=kinds[reader],
                direction="withdrawal",
                start=start - timedelta(days=7),
                end=start,
                user=self.alice.user_id if own else None,
                user_name="Alice" if own else None,
                application=None if own else f"tiers{reader}-programme",
                permission=None if own or place == 99 else self.permissions[reader].pk.hex,
                basis="title" if own else "permission",
                values=0 if place == 99 else 336,
            ).encode()

    def fold(self) -> tuple[int, float]:
        from gridgate.config.access_log import fold_access_log

        gc.collect()
        begun = time.process_time()
        folded = fold_access_log(self.environment)
        return folded, time.process_time() - begun

    def pack(self) -> int:
        from gridgate.config.access_log import pack_past_days

        return pack_past_days(self.environment, self.now + timedelta(days=2))

    def page(self, browser: Any, address: str) -> float:
        """Milliseconds of CPU, the median of some; the first is for nothing: modules and templates are read."""
        address = address.format(point=self.points[7])
        taken = []
        for _ in range(ROUNDS + 1):
            begun = time.process_time()
            answer = browser.get(address)
            taken.append(time.process_time() - begun)
            assert answer.status_code == 200, (address, answer.status_code, answer.headers)
        return 1000 * median(taken[1:])

    def registry_size(self) -> int:
        """Its pages in use, whatever the write-ahead log holds."""
        with closing(sqlite3.connect(self.environment.registry)) as file:
            pages, free, length = (
                file.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * length)


def point_id(place: int) -> str:
    return f"3{place:013}"


def size(data: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in data.glob(pattern))


def browser_of(member: Any) -> Any:
    from django.test import Client

    browser = Client()
    browser.force_login(member.user)
    session = browser.session
    session["membership"] = member.pk
    session.save()
    return browser


if __name__ == "__main__":
    main()
