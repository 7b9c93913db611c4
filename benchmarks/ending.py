"""C: ending a sharing, and what the past adds to it.

In an instance of its own a holder ends permissions one after another, by the operation and by the form, before anything
was read and after so many reads by the company concerned, folded as the worker folds them: this process's CPU, and for
how long a transaction held the registry's write lock at most, the flush included. The form waits for the receipt, which
counts the reads. The afternoon ends a consent by a call: a row changed, a row written, no receipt. Plain Django has the
form, checks its token, and writes letters too; no receipt either, and nothing is in a log.
"""

import itertools
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.lines import Line, Scale
from benchmarks.living import make
from benchmarks.peers import plain_django
from benchmarks.peers.afternoon import Afternoon, afternoon
from benchmarks.spent import locked, worked
from tests.browser_session import carried_by

CHUNK = 5000
"""Lines folded at once."""
THEIRS = 100
"""Consents that the peer ends in a round: the clock of other processes tells ten milliseconds."""


def measure(scale: Scale, folder: Path) -> Iterator[Line]:
    """Ends by the operation and by the form, before anything was read and after so many reads by the company."""
    rounds = 5 * scale.rounds
    make(folder)
    with afternoon(folder) as peer:
        world = World(4 * (rounds + 1))
        peer.token(1, (f"{number:014d}" for number in range(2 * THEIRS * scale.rounds)))
        plain = plain_django.ask(folder / "plain", "ends", count=rounds)
        numbers = itertools.count(1)
        for reads in (0, scale.reads):
            if reads:
                world.read(reads)
            theirs = [
                1000 * peer.cpu(lambda: _revoke(peer, itertools.islice(numbers, THEIRS))) / THEIRS
                for _ in range(scale.rounds)
            ]
            yield from world.ends(reads, rounds, {peer.name: theirs}, plain)


def _revoke(peer: Afternoon, numbers: Iterable[int]) -> None:
    for number in numbers:
        peer.post(f"/consents/{number}/revoke")


class World:
    """A holder with a permission for each end, and the company that reads."""

    def __init__(self, ends: int) -> None:
        from django.conf import settings
        from django.test import Client

        from gridgate.sharing.operations.granting import subscribe
        from tests.factories.metering import make_held_point
        from tests.factories.organisations import make_member, make_organisation
        from tests.factories.sharing import make_service

        settings.ALLOWED_HOSTS = ["*"]
        self.now = datetime.now(UTC)
        self.holder, self.party = make_organisation("ACME Industries"), make_organisation("Tiers 1")
        self.alice = make_member(self.holder, "Alice", role="administrator")
        make_member(self.holder, "Anne", role="administrator")
        make_member(self.party, "Tiphaine", role="administrator")
        service = make_service(self.party, history_months=12)
        given = (
            subscribe(
                actor=self.alice,
                service=service,
                points=[make_held_point(self.holder).pk],
                now=self.now - timedelta(days=1),
            )
            for _ in range(ends)
        )
        self.permissions = [permission.pk for permission in given]
        self.browser = Client()
        self.browser.force_login(self.alice.user)
        session = self.browser.session
        session["membership"] = self.alice.pk
        session.save()
        self.browser.post("/conditions/accepter/", {"terms": "on", "version": "1"})
        self.carried = carried_by(self.browser.get("/compte/").content.decode())

    def read(self, count: int) -> None:
        """The log of reads by the company, spread over the permissions that are still there."""
        from gridgate.audit.operations.folding import fold
        from gridgate.audit.operations.progress import Position
        from gridgate.audit.operations.roll_up import LogLine

        entry = {
            "channel": "api:native",
            "outcome": "granted",
            "holder": self.holder.pk,
            "reader": self.party.pk,
            "reader_name": self.party.legal_name,
            "kind": "load_curve",
            "direction": "withdrawal",
            "values": 48,
        }
        reached = Position()
        for first in range(0, count, CHUNK):
            numbers = range(first, min(first + CHUNK, count))
            lines = [
                LogLine(
                    number + 2,
                    {
                        **entry,
                        "at": (self.now - timedelta(seconds=(count - number) / 100)).isoformat(),
                        "permission": self.permissions[number % len(self.permissions)].hex,
                    },
                )
                for number in numbers
            ]
            start, reached = reached, Position(first + len(lines), first + len(lines), "a" * 64)
            fold(segment="2026-11-25-a.jsonl", lines=lines, start=start, reached=lambda there=reached: there)

    def ends(
        self, reads: int, rounds: int, rows: dict[str, list[float]], plain: dict[str, list[float]]
    ) -> Iterator[Line]:
        from gridgate.notifications import tasks

        while tasks.write_letters(now=datetime.now(UTC)):
            pass  # of what the world was made of
        for name, end in (("operation", self._by_operation), ("form", self._by_form)):
            end()  # once for nothing: modules and templates are read
            cpu, held, proof = (list(told) for told in zip(*(end() for _ in range(rounds)), strict=True))
            told = f"C an end by the {name}, after {reads:,} reads"
            form = name == "form"  # plain Django has one, and the afternoon a call alone
            yield Line(told, "ms", cpu, {plain_django.NAME: plain["cpu"]} if form else rows)
            theirs = {plain_django.NAME: plain["locked"]} if form else {}
            yield Line(f"{told}, the registry locked by the clock", "ms", held, theirs)
            yield Line(f"{told}, its {'letters' if form else 'receipt and letters'} afterwards", "ms", proof)

    def _by_operation(self) -> tuple[float, float, float]:
        from gridgate.notifications import tasks
        from gridgate.sharing.operations.ending import revoke_permission
        from gridgate.sharing.receipts.completing import complete

        permission = self.permissions.pop()
        with locked() as held, worked() as cpu:
            receipt = revoke_permission(actor=self.alice, permission_id=permission, now=datetime.now(UTC))
        with worked() as proof:
            complete(receipt, now=datetime.now(UTC))
            written = tasks.write_letters(now=datetime.now(UTC))
        assert written == 1
        return cpu(), held(), proof()

    def _by_form(self) -> tuple[float, float, float]:
        from django.urls import reverse

        from gridgate.notifications import tasks

        address = reverse("sharing_revoke", args=[self.permissions.pop()])
        with locked() as held, worked() as cpu:
            answer = self.browser.post(address, self.carried)
        assert answer.headers.get("Location", "").startswith("/partage/recus/"), (
            answer.status_code,
            answer.headers,
        )
        with worked() as letters:
            written = tasks.write_letters(now=datetime.now(UTC))
        assert written == 1
        return cpu(), held(), letters()
