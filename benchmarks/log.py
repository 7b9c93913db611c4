"""F and P: what the access log costs once it is written.

One company of 3,000 points, read by three others and by its own people, a million times in 60 days. F: folding those
lines into the registry. P: the pages `/`, `/partage/` and `/journal/`, of who sees all the points and of who sees 300 of
them, and filters of the journal. Then the bytes a read takes: in the segments, before and after past days are packed,
and in the registry. The peers put a row a read into their tables, and their pages count those: the afternoon's for who
sees all points, on PostgreSQL; plain Django's for both and for each filter, on SQLite.
"""

import gc
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.lines import Line, Scale
from benchmarks.peers import plain_django
from benchmarks.peers.afternoon import Afternoon, afternoon

DAYS = 60
PROCESSES = 2
AT_ONCE = 3
SEEN_BY_SOME = 300
LINES = "accesslog/*-00000000000000*"
"""The segments written here: looking at the pages is logged too, beside them."""


def measure(scale: Scale, folder: Path) -> Iterator[Line]:
    """F, then P of who sees all points and of who sees some, then the bytes a read takes once past days are packed."""
    with afternoon(folder) as peer:
        world = World(folder / "log", scale.company)
        world.log(scale.reads)
        written = size(world.data, LINES)
        empty = world.registry_size()
        folder_asked = {"folder": str(world.data), "pattern": LINES}
        theirs = peer.cpu(lambda: peer.post("/fold", params=folder_asked))
        peer.post("/analyse")
        folded, seconds = world.fold()
        assert folded == scale.reads, (folded, scale.reads)
        grown = world.registry_size() - empty
        each = scale.reads / 1e6
        yield Line("F folding the log", "µs a line", [seconds / each], {peer.name: [theirs / each]})
        plain = plain_django.ask(
            folder / "plain",
            "pages",
            log=str(world.data),
            pattern=LINES,
            points=world.points,
            some=SEEN_BY_SOME,
            holder=world.holder.pk,
            rounds=scale.rounds,
            addresses=[world.address(one) for one in ADDRESSES],
        )
        world.pack()
        packed = size(world.data, LINES)
        for part, held in (("log as written", written), ("log packed", packed), ("registry", grown)):
            yield Line(f"M a read, {part}", "bytes", [held / scale.reads])
        yield from pages(world, scale.rounds, peer, plain)


def pages(world: "World", rounds: int, peer: Afternoon, plain: dict[str, list[float]]) -> Iterator[Line]:
    for who, browser in world.browsers.items():
        for address in ADDRESSES:
            ours = world.page(browser, world.address(address), rounds)
            peers = {plain_django.NAME: plain[f"{world.address(address)} {who}"]}
            if who == "all" and address in THEIRS:
                path = f"/companies/{world.holder.pk}/{THEIRS[address]}"
                peers[peer.name] = [_asked(peer, path) for _ in range(rounds)]
            yield Line(f"P `{address.format(point='…')}`, {who} points", "ms", ours, peers)


def _asked(peer: Afternoon, path: str) -> float:
    """Milliseconds of CPU for one of some."""
    peer.get(path)
    return 1000 * peer.cpu(lambda: [peer.get(path) for _ in range(AT_ONCE)]) / AT_ONCE


ADDRESSES = (
    "/",
    "/partage/",
    "/journal/",
    "/journal/?page=20000",
    "/journal/?compteur={point}",
    "/journal/?reponse=refused",
    "/journal/?lectures=vous",
)
THEIRS = {"/": "", "/partage/": "sharing", "/journal/": "journal"}


class World:
    """An instance with its company."""

    def __init__(self, data: Path, points: int) -> None:
        self.data = data
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
        from gridgate.onboarding.operations.terms import accept_terms
        from gridgate.onboarding.terms import terms_in_force
        from gridgate.organisations.models import Membership
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
        from gridgate.config.access_log.folding import fold_access_log

        gc.collect()
        begun = time.process_time()
        folded = fold_access_log(self.environment)
        return folded, time.process_time() - begun

    def pack(self) -> int:
        from gridgate.config.access_log.packing import pack_past_days

        return pack_past_days(self.environment, self.now + timedelta(days=2))

    def address(self, one: str) -> str:
        return one.format(point=self.points[7])

    def page(self, browser: Any, address: str, rounds: int) -> list[float]:
        """Milliseconds of CPU, each round; one before them is for nothing: modules and templates are read."""
        taken = []
        for _ in range(rounds + 1):
            begun = time.process_time()
            answer = browser.get(address)
            taken.append(1000 * (time.process_time() - begun))
            assert answer.status_code == 200, (address, answer.status_code, answer.headers)
        return taken[1:]

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
