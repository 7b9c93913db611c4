"""What is there after all the kills, held against what was acknowledged."""

import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

from benchmarks.kill_work import FIRST_DAY, Mailbox, Work, World
from benchmarks.living import Served
from tests.ingest_samples import starts


class Account:
    """What was lost, what was doubled, and what there is."""

    def __init__(self) -> None:
        self.lost: Counter[str] = Counter()
        self.doubled: Counter[str] = Counter()
        self.seen: dict[str, str] = {}
        self.tracebacks = 0

    @property
    def faults(self) -> int:
        return self.lost.total() + self.doubled.total() + self.tracebacks

    def ends(self, world: World, work: Work) -> None:
        from gridgate.sharing.models import AccessLine, Permission

        acknowledged = set(work.ended)
        done = 0
        for permission in Permission.objects.filter(pk__in=world.permissions).prefetch_related(
            "events", "receipts"
        ):
            ends = sum(event.state == "revoked" for event in permission.events.all())
            receipts = len(permission.receipts.all())
            signed = sum(not receipt.awaited for receipt in permission.receipts.all())
            done += ends > 0
            self.lost["ends"] += permission.pk in acknowledged and permission.state != "revoked"
            self.lost["events of ends"] += permission.pk in acknowledged and not ends
            self.lost["receipts"] += ends > 0 and not receipts
            self.lost["signatures of receipts"] += receipts - signed
            self.doubled["events of ends"] += ends > 1
            self.doubled["receipts"] += receipts > 1
        self.lost["ends"] += AccessLine.objects.filter(permission__in=work.ended).count()
        self.seen["permissions ended"] = f"{len(acknowledged):,} acknowledged, {done:,} there"

    def rights(self, world: World, work: Work) -> None:
        from gridgate.audit.events import broken_links
        from gridgate.audit.models import AuditEvent
        from gridgate.organisations.models import PerimeterPoint

        said = Counter(
            point
            for event in AuditEvent.objects.filter(
                action="group.perimeter_changed", subject_kind="group", subject=str(world.group.pk)
            )
            for point in event.after["points"]
        )
        self.lost["events of rights"] += sum(not said[point] for point in work.narrowed)
        self.doubled["events of rights"] += sum(found > 1 for found in said.values())
        self.lost["links of the history"] += sum(1 for _ in broken_links())
        # The one acknowledged last, or the one that was asked for after it.
        newest = world.points[max(len(work.narrowed) - 1, 0) : len(work.narrowed) + 1]
        here = PerimeterPoint.objects.filter(entitlement__group=world.group)
        reached = list(here.values_list("metering_point_id", flat=True))
        self.lost["rights"] += len(reached) != 1 or reached[0] not in newest
        self.seen["changes of rights"] = f"{len(work.narrowed):,} acknowledged, {len(said):,} there"

    def changes(self) -> None:
        """What the registry has changed and what the chained log says of it (ADR 0015)."""
        from django.conf import settings

        from gridgate.config.changes import compare

        found = compare(settings.ENVIRONMENT)
        self.lost["changes of the log in the registry"] += len(found.lost)
        self.lost["changes of the registry in the log"] += len(found.unlogged)

    def mails(self, world: World, mailbox: Mailbox) -> None:
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
            self.lost["e-mails of ends"] += told[number] < world.told
            self.doubled["e-mails of ends"] += told[number] > world.told
        self.doubled["e-mails by key"] += sum(found > 1 for found in keys.values())
        self.doubled["e-mails of no key"] += sum(name not in names for name in mailbox.arrived)
        again = sum(found - 1 for found in mailbox.arrived.values())
        self.seen["e-mails"] = f"{len(keys):,} by their key, all sent; copies of one that came again: {again}"

    def days(self, world: World, work: Work) -> None:
        from gridgate.config.environment import read_environment
        from gridgate.core.quantities import FlowDirection, Kind
        from gridgate.dataplane.store import open_store

        zone = read_environment().zone
        last = FIRST_DAY + timedelta(days=len(work.ingested) + 1)
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
        self.lost["days"] += sum(day not in there for day in work.ingested)
        self.doubled["days"] += sum(found > 1 for found in there.values())
        self.seen["ingested days"] = f"{len(work.ingested):,} acknowledged, {len(there):,} there"

    def log(self, world: World, work: Work) -> None:
        from gridgate.audit.lines import Columns
        from gridgate.audit.models import LogStretch
        from gridgate.dataplane.accesslog import read_segment
        from gridgate.dataplane.accesslog.segments import read_lines, segment_paths

        lines: Counter[str] = Counter()
        for path in segment_paths(world.data / "accesslog"):
            for entry in read_segment(path).entries:
                if entry.get("as_of"):
                    lines[instant(entry["as_of"])] += 1
        folded: Counter[str] = Counter()
        for stretch in LogStretch.objects.select_related("segment"):
            offsets = Columns.unpack(bytes(stretch.columns), most=stretch.segment.lines).offset.tolist()
            for said in read_lines(world.data / "accesslog", stretch.segment.name, offsets):
                if said.get("as_of"):
                    folded[instant(said["as_of"])] += 1
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

    def said(self, served: Served) -> None:
        """What the server itself said went wrong."""
        log = served.log.read_text(errors="replace")
        self.tracebacks = log.count("Traceback (most recent call last)")
        self.seen["log of serve"] = f"{len(log.splitlines()):,} lines, {self.tracebacks} tracebacks"
        if self.tracebacks:
            self.seen["the first"] = log[log.index("Traceback (most recent call last)") :][:3000]


def instant(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="milliseconds")
