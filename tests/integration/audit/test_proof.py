"""What somebody without the key does to the log and to the registry shows, whichever of the two they can write."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
import time_machine
from django.db import connection, transaction
from pytest_django import Settings
from typer.testing import CliRunner

from gridgate.audit.events import Subject, hash_of, record
from gridgate.audit.models import AccessLogSegment, AuditEvent, Checkpoint, LogDay, LogPointDay, LogRetention
from gridgate.audit.operations.folding import rebuild
from gridgate.config.access_log.erasing import erase_reads
from gridgate.config.access_log.faults import log_signed_ahead
from gridgate.config.access_log.folding import fold_access_log
from gridgate.config.access_log.packing import pack_past_days
from gridgate.config.access_log.signing import sign_due_checkpoint, sign_now
from gridgate.config.changes import changes_segments, refuse_contradiction
from gridgate.config.commands.audit import app
from gridgate.config.environment import Environment
from gridgate.core.errors import GridgateError
from gridgate.dataplane.accesslog import AccessEntry, AccessLog
from gridgate.dataplane.accesslog.packing import pack
from gridgate.dataplane.accesslog.segments import (
    CHANGES_SUFFIX,
    CHECKPOINTS,
    ORIGIN,
    digest,
    is_changes,
    segment_name,
    segment_paths,
)
from gridgate.notifications.models import OutgoingEmail
from gridgate.sharing.models import AccessLine, Permission, PermissionEvent, Receipt
from gridgate.sharing.operations.ending import revoke_permission
from gridgate.sharing.operations.granting import subscribe
from gridgate.sharing.receipts.asking import signed
from gridgate.sharing.receipts.completing import complete
from gridgate.sharing.receipts.keys import verify
from gridgate.sharing.signing import Valid, make_key
from tests.factories.sharing import make_service
from tests.world import World

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def environment(
    world: World, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Environment:
    monkeypatch.setenv("GRIDGATE_DATA", str(tmp_path))
    environment = Environment(data=tmp_path, checkpoint_copies="proofs@audit.example")
    settings.ENVIRONMENT = environment
    environment.access_log.mkdir()
    make_key(environment.receipt_key)
    # The tables are those of the tests' own database, not of a file.
    monkeypatch.setattr("gridgate.config.loading.load_django", lambda **_: environment)
    return environment


@pytest.fixture
def day(world: World, environment: Environment) -> Iterator[Callable[[int], None]]:
    """A day of the instance: somebody reads, rights change, a receipt is issued, and the night signs it."""
    service = make_service(world.third_party_1)

    def live(number: int) -> None:
        now = world.now + number * DAY
        log = AccessLog(environment.access_log, "test", started_at=now)
        log.append(*(entry(world, now + timedelta(seconds=n)) for n in range(3)))
        log.close()
        fold_access_log(environment)
        permission = subscribe(actor=world.alice, service=service, points=[world.p1.pk], now=now)
        ended = revoke_permission(actor=world.alice, permission_id=permission.pk, now=now + HOUR)
        complete(ended, now=now + HOUR)
        for n in range(2):
            record("group.created", subject=Subject("group", f"{number}{n}", "G"), organisation=1, now=now)
        with time_machine.travel(now + HOUR, tick=False):  # the tests' transaction is never committed
            refuse_contradiction(environment)
        sign_due_checkpoint(environment, now + 2 * HOUR)

    return live


@pytest.fixture
def lived(world: World, environment: Environment, day: Callable[[int], None]) -> Environment:
    """Three days, after which whoever holds the database may change everything in it."""
    sign_due_checkpoint(environment, world.now - HOUR)
    for number in (1, 2, 3):
        day(number)
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_%'")
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {name}")
    return environment


def entry(world: World, at: datetime) -> AccessEntry:
    return AccessEntry(
        at,
        "api:native",
        "granted",
        world.third_party_1.pk,
        "Tiers 1",
        world.p1.pk,
        world.acme.pk,
        "load_curve",
        "withdrawal",
        values=48,
    )


def verdict(world: World, *arguments: str, days: float = 3.2) -> tuple[int, str]:
    with time_machine.travel(world.now + days * DAY, tick=False):
        done = CliRunner().invoke(app, ["verify", *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def found(world: World, said: str, **more: float) -> bool:
    code, output = verdict(world, **more)
    assert code == 1, output
    return said in output


def rechain(path: Path, bodies: list[bytes]) -> None:
    """Write a segment as the writer would, of lines that may have been written before."""
    head, lines = ORIGIN, []
    for body in bodies:
        said = {**orjson.loads(body), "prev": None}
        line = b'{"prev":"%b",%b' % (
            head.encode(),
            orjson.dumps({k: v for k, v in said.items() if k != "prev"})[1:],
        )
        head = digest(line)
        lines.append(line + b"\n")
    path.write_bytes(b"".join(lines))


def rewrite(environment: Environment) -> None:
    """Take one read out of the first segment, and make its chain good again."""
    path = next(path for path in segment_paths(environment.access_log) if not is_changes(path))
    lines = path.read_bytes().splitlines()
    rechain(path, [*lines[:2], *lines[3:]])


def segment(directory: Path, at: datetime, *, changes: bool = False, run: str = "0") -> Path:
    path = directory / f"{at:%Y-%m-%d}-{run * 16}{CHANGES_SUFFIX if changes else '.jsonl'}"
    logged = {"change": "rights", "id": 1, "digest": "x"} if changes else {"values": 1}
    rechain(
        path,
        [
            orjson.dumps({"genesis": {"follows": None}}),
            orjson.dumps({"at": at.isoformat(), "channel": "screen", "outcome": "granted", **logged}),
        ],
    )
    return path


class TestIntact:
    def test_a_log_of_several_days(self, world: World, lived: Environment) -> None:
        code, output = verdict(world)
        assert (code, output.count("\n")) == (0, 1), output
        assert re.match(
            r"intact: 9 entries and (\d+) changes in 6 segments, (\d+) of them under 4 signed checkpoints; ",
            output,
        )

    def test_changes_in_segments_that_somebody_packed(self, world: World, lived: Environment) -> None:
        """The portal packs none; a copy of the log may have come that way."""
        plain = verdict(world)
        before = changes_segments(lived.access_log)
        for path in before[:-1]:  # the last one is still written
            assert pack(path)
        assert verdict(world) == plain
        refuse_contradiction(lived)  # which writes nothing anew
        assert [segment_name(path) for path in changes_segments(lived.access_log)] == [
            path.name for path in before
        ]

    def test_a_packed_segment_of_changes_that_is_damaged(self, world: World, lived: Environment) -> None:
        first, *_ = changes_segments(lived.access_log)
        pack(first)
        packed = first.with_name(f"{first.name}.zst")
        packed.write_bytes(packed.read_bytes()[:-20])
        code, output = verdict(world)
        assert (code, f"{first.name}:1: its file is damaged" in output) == (1, True)

    def test_changes_and_receipts_outlive_the_reads_of_their_days(
        self, world: World, lived: Environment
    ) -> None:
        """Packed and erased, some days and then all: ends and their proofs stay, and nothing is written again."""
        pack_past_days(lived, world.now + 9 * DAY)
        kept = [(path.name, path.read_bytes()) for path in changes_segments(lived.access_log)]
        for number, left in ((3, 2), (9, 0)):
            later = world.now + timedelta(days=1461 + number)
            with time_machine.travel(later, tick=False):
                erase_reads(lived, before=(world.now + number * DAY).date(), now=later)
                reads = [path for path in segment_paths(lived.access_log) if not is_changes(path)]
                assert len(reads) == left
                refuse_contradiction(lived)
            assert [(path.name, path.read_bytes()) for path in changes_segments(lived.access_log)] == kept
            code, output = verdict(world, days=1461 + number)
            assert (code, output.split(";")[-1]) == (0, " the registry agrees\n"), output
        for receipt in signed():
            assert isinstance(verify(receipt.jws), Valid)
        assert signed().count() == 3

    def test_changes_are_counted_apart_and_not_folded(self, world: World, lived: Environment) -> None:
        before = verdict(world)[1]
        segment(lived.access_log, world.now + 3.1 * DAY, changes=True)
        assert fold_access_log(lived) == 0
        code, output = verdict(world)
        assert code == 0, output
        told = [int(re.search(r"9 entries and (\d+) changes", text)[1]) for text in (before, output)]
        assert told[1] == told[0] + 1


class TestCheckpoints:
    def test_deleted_with_the_segments_rechained(self, world: World, lived: Environment) -> None:
        rewrite(lived)
        (lived.access_log / CHECKPOINTS).unlink()
        rebuild()
        AccessLogSegment.objects.all().delete()
        Receipt.objects.all().delete()
        assert found(world, "the registry knows this checkpoint, and it is not there")
        Checkpoint.objects.all().delete()
        assert found(world, "run gridgate audit sign")

    def test_a_log_without_any_is_not_signed_by_itself(self, world: World, lived: Environment) -> None:
        (lived.access_log / CHECKPOINTS).unlink()
        with pytest.raises(GridgateError, match="not intact"):
            sign_due_checkpoint(lived, world.now + 4 * DAY)
        Checkpoint.objects.all().delete()
        with pytest.raises(GridgateError, match="has no checkpoint"):
            sign_due_checkpoint(lived, world.now + 4 * DAY)
        sign_now(lived, world.now + 4 * DAY)
        code, output = verdict(world, days=4.1)
        assert (code, "note: checkpoints.jsonl:1 is the first to cover lines as old as" in output) == (
            0,
            True,
        )

    def test_what_a_death_left_out_of_the_registry_is_caught_up(
        self, world: World, lived: Environment
    ) -> None:
        Checkpoint.objects.filter(number=4).delete()
        assert verdict(world)[0] == 0
        Checkpoint.objects.filter(number=3).delete()
        assert found(world, "the registry does not know this checkpoint")
        assert not sign_due_checkpoint(lived, world.now + 3.2 * DAY)
        assert verdict(world)[0] == 0

    def test_a_forged_one_is_a_fault_and_is_neither_remembered_nor_followed(
        self, world: World, lived: Environment
    ) -> None:
        path = lived.access_log / CHECKPOINTS
        last = orjson.loads(path.read_bytes().splitlines()[-1])
        last["payload"] |= {"number": 5, "rights": "none"}
        path.write_bytes(path.read_bytes() + orjson.dumps(last) + b"\n")
        assert found(world, "checkpoints.jsonl:5: the signature does not verify")
        with pytest.raises(GridgateError, match="not signed by this instance"):
            sign_now(lived, world.now + 4 * DAY)
        assert Checkpoint.objects.count() == 4

    def test_another_one_in_the_registry(self, world: World, lived: Environment) -> None:
        Checkpoint.objects.filter(number=2).update(digest="f" * 64)
        assert found(world, "the registry knows another checkpoint of this number")


class TestRights:
    def test_cut_at_the_tail(self, world: World, lived: Environment) -> None:
        AuditEvent.objects.latest("pk").delete()
        assert found(world, "which is missing")

    def test_cut_in_the_middle_and_rechained(self, world: World, lived: Environment) -> None:
        first = AuditEvent.objects.earliest("pk")
        first.delete()
        previous = ""
        for event in AuditEvent.objects.order_by("pk"):
            event.previous = previous
            event.hash = previous = hash_of(event)
            event.save()
        assert found(world, "was another one")


class TestReceipts:
    def test_altered(self, world: World, lived: Environment) -> None:
        receipt = Receipt.objects.earliest("pk")
        Receipt.objects.filter(pk=receipt.pk).update(payload={**receipt.payload, "act": "expire"})
        assert found(world, f"receipt {receipt.number}: the registry says otherwise")

    def test_signed_by_somebody_else(self, world: World, lived: Environment) -> None:
        receipt = Receipt.objects.earliest("pk")
        Receipt.objects.filter(pk=receipt.pk).update(jws=receipt.jws[:-8] + "AAAAAAAA")
        assert found(world, f"receipt {receipt.number}: it was changed after it was signed")

    def test_whose_head_is_not_in_the_log(self, world: World, lived: Environment) -> None:
        rewrite(lived)
        receipt = Receipt.objects.earliest("pk")
        assert found(world, f"receipt {receipt.number}: ")


class TestStamps:
    @pytest.mark.parametrize("changes", [False, True])
    def test_a_backdated_segment_before_and_after_the_next_signing(
        self, world: World, lived: Environment, changes: bool
    ) -> None:
        path = segment(lived.access_log, world.now + DAY, changes=changes)
        said = f"{path.name}:2: is stamped 2026-11-26T09:30:00Z, and checkpoint 4"
        assert found(world, said)
        sign_now(lived, world.now + 4 * DAY)
        assert found(world, said, days=4.1)

    def test_backdated_lines(self, world: World, lived: Environment) -> None:
        path = [path for path in segment_paths(lived.access_log) if not is_changes(path)][-1]
        line = orjson.dumps({"at": (world.now + 2 * DAY).isoformat(), "outcome": "granted"})
        rechain(path, [*path.read_bytes().splitlines(), line])
        assert found(world, f"{path.name}:5: is stamped 2026-11-27T09:30:00Z, and checkpoint 4")

    def test_old_lines_that_nobody_signed(self, world: World, lived: Environment) -> None:
        segment(lived.access_log, world.now + 3.1 * DAY)
        fold_access_log(lived)
        assert verdict(world, days=4.1)[0] == 0
        assert found(world, "run gridgate audit sign", days=4.3)
        with time_machine.travel(world.now + 4.3 * DAY, tick=False):
            done = CliRunner().invoke(app, ["sign"])
        assert (done.exit_code, done.output) == (0, "signed: checkpoint 5, 1 segment had grown\n")
        code, output = verdict(world, days=4.3)
        assert code == 0, output


class TestClocks:
    @pytest.mark.parametrize("days", [400, -4000], ids=["ahead", "behind"])
    def test_one_that_was_wrong_when_the_log_was_signed_is_told_and_stops_nothing(
        self, world: World, lived: Environment, days: int
    ) -> None:
        segment(lived.access_log, world.now + 3.2 * DAY)
        fold_access_log(lived)
        sign_now(lived, world.now + days * DAY)
        segment(lived.access_log, world.now + 3.3 * DAY, run="1")
        fold_access_log(lived)
        for number, at in enumerate((3.4, 4.1, 5.1), start=6):
            now = world.now + at * DAY
            assert [*log_signed_ahead(lived, now)] == (
                [
                    f"{lived.access_log}: checkpoint 5 was signed at 2027-12-30 09:30 UTC, which is to come: the clock "
                    "was ahead then, or is behind now. Set it right; `gridgate worker`, which `gridgate serve` runs, "
                    "then signs anew, and `gridgate audit verify` tells of it from then on."
                ]
                if (days, number) == (400, 6)
                else []
            )
            assert sign_due_checkpoint(lived, now)
            assert not sign_due_checkpoint(lived, now + HOUR)
            code, output = verdict(world, days=at + 0.1)
            assert code == 0, output
            assert f"checkpoints.jsonl:{number - 1} is stamped" in output or number > 6
            assert output.count("by a clock that was wrong") == 1
        assert (
            "signed from 2026-11-28T14:18:00Z on, and no later than 2026-11-28T19:06:00Z"
            in verdict(world, days=5.2)[1]
        )

    @pytest.mark.parametrize("days", [400, -4000], ids=["ahead", "behind"])
    @pytest.mark.parametrize("signed_again", [False, True])
    def test_one_that_was_wrong_lets_nobody_date_lines_back(
        self, world: World, lived: Environment, days: int, signed_again: bool
    ) -> None:
        """Not even to what came after the checkpoint before it, which it had seen."""
        segment(lived.access_log, world.now + 3.2 * DAY)
        fold_access_log(lived)
        sign_now(lived, world.now + days * DAY)
        segment(lived.access_log, world.now + 3.14 * DAY, run="1")
        fold_access_log(lived)
        if signed_again:
            sign_now(lived, world.now + 3.3 * DAY)
        said = "is stamped 2026-11-28T12:51:36Z, and checkpoint 5, signed after 2026-11-28T14:18:00Z, did not know"
        assert found(world, said, days=3.4)

    def test_one_that_was_wrong_outweighs_no_days_by_signing_often(
        self, world: World, lived: Environment
    ) -> None:
        for seconds in range(6):
            sign_now(lived, world.now + 0.2 * DAY + timedelta(seconds=seconds))
        segment(lived.access_log, world.now + 0.3 * DAY, run="1")
        fold_access_log(lived)
        sign_now(lived, world.now + 3.3 * DAY)
        assert found(world, "did not know the line", days=3.4)

    def test_one_that_was_wrong_lets_nobody_erase_what_is_to_be_kept(
        self, world: World, lived: Environment
    ) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "gridgate.config.access_log.signing.erased_before", lambda: (world.now + DAY).date()
            )
            sign_now(lived, world.now + 2000 * DAY)
        sign_now(lived, world.now + 3.3 * DAY)
        assert found(world, "were erased, which were to be kept then", days=3.4)


class TestCopies:
    def test_each_checkpoint_is_sent_once(self, world: World, lived: Environment) -> None:
        sent = OutgoingEmail.objects.filter(key__startswith="checkpoint_copy:").order_by("pk")
        lines = (lived.access_log / CHECKPOINTS).read_text().splitlines(keepends=True)
        assert [one.attachment for one in sent] == lines
        assert {(one.recipient, one.language) for one in sent} == {("proofs@audit.example", "fr")}
        assert sent[0].subject == "Scellement nº 1 du journal des accès, à conserver"

    def test_are_compared_with_the_log(self, world: World, lived: Environment, tmp_path: Path) -> None:
        kept, mail = tmp_path / "kept.jsonl", tmp_path / "saved.eml"
        printed = CliRunner().invoke(app, ["checkpoints", "--last", "2"]).output
        assert printed == "".join((lived.access_log / CHECKPOINTS).read_text().splitlines(keepends=True)[-2:])
        kept.write_text(printed)
        message = EmailMessage()
        message.set_content("Bonjour")
        message.add_attachment(printed.encode(), maintype="application", subtype="json", filename="c.jsonl")
        mail.write_bytes(message.as_bytes())
        options = ("--copy", str(kept), "--copy", str(mail))
        assert verdict(world, *options)[0] == 0
        # whoever has the key, and the whole machine, writes another past
        (lived.access_log / CHECKPOINTS).unlink()
        Checkpoint.objects.all().delete()
        for _ in range(3):
            sign_now(lived, world.now + 3 * DAY)
        code, output = verdict(world, *options)
        assert code == 1
        assert "kept.jsonl: the log has another checkpoint 3 than this one" in output
        assert "saved.eml: the log has no checkpoint 4; it had this one" in output

    def test_a_file_without_any_is_refused(self, world: World, lived: Environment, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()
        with pytest.raises(GridgateError, match="holds no checkpoint"):
            verdict(world, "--copy", str(tmp_path / "empty"))


def test_whatever_is_changed_without_the_key_is_found(world: World, lived: Environment) -> None:
    """Sixty random changes of the folder or the tables, and nothing changed in between."""
    chance = Random(20261125)
    files = {path: path.read_bytes() for path in lived.access_log.glob("*.jsonl")}
    tables = [
        (AuditEvent, {"action": "group.deleted"}),
        (AuditEvent, {"hash": hashlib.sha256(b"x").hexdigest()}),
        (Receipt, {"payload": {}}),
        (Checkpoint, {"digest": "0" * 64}),
        (LogDay, {"values": 1}),
        (LogPointDay, {"values": 1}),
    ]
    for trial in range(60):
        path = chance.choice(sorted(files))
        lines = files[path].splitlines()
        sid = transaction.savepoint()
        match trial % 4:
            case 0:
                del lines[chance.randrange(len(lines))]
                path.write_bytes(b"".join(line + b"\n" for line in lines))
            case 1:
                at = chance.randrange(len(lines))
                lines[at] = lines[at].replace(b"2026", b"2027")
                path.write_bytes(b"".join(line + b"\n" for line in lines))
            case 2:
                path.unlink()
            case _:
                model, change = chance.choice(tables)
                row = chance.choice(list(model.objects.all()))
                model.objects.filter(pk=row.pk).update(**change)
        code, output = verdict(world)
        assert code == 1, (trial, path.name, output)
        transaction.savepoint_rollback(sid)
        for kept, content in files.items():
            kept.write_bytes(content)
    code, output = verdict(world)
    assert code == 0, output
    assert json.loads(verdict(world, "--json")[1])["intact"]


class TestThePresent:
    """What is decided from, set against what it was made of."""

    def test_an_ended_permission_set_to_active(self, world: World, lived: Environment) -> None:
        Permission.objects.update(state="active")
        assert found(world, "it says otherwise than its events: state")

    def test_an_access_line_that_nothing_gives(self, world: World, lived: Environment) -> None:
        line = AccessLine.objects.filter(basis="title").first()
        assert line is not None
        line.pk, line.reader, line.basis = None, world.third_party_1, "permission"
        line.permission = Permission.objects.first()
        line.save()
        assert found(
            world, f"access line of company {world.third_party_1.pk} on {line.metering_point_id}: it is there"
        )

    def test_an_event_after_the_end(self, world: World, lived: Environment) -> None:
        last = PermissionEvent.objects.filter(state="revoked").earliest("at")
        last.pk, last.sequence, last.state = None, last.sequence + 1, "active"
        last.save(force_insert=True)
        assert found(world, "one of its events does not follow from the one before")
        assert found(
            world,
            f"permission {last.permission_id}:{last.sequence}: the registry has it, and the log does not",
        )

    def test_a_receipt_given_to_another_holder(self, world: World, lived: Environment) -> None:
        Receipt.objects.filter(pk=Receipt.objects.first().pk).update(holder=world.client_b)
        assert found(
            world, "the registry gives it to other companies or permissions than those that were signed"
        )

    def test_a_journal_emptied_by_a_retention(self, world: World, lived: Environment) -> None:
        LogRetention.objects.create(before=world.now + 4 * DAY, at=world.now + 3 * DAY)
        LogDay.objects.all().delete()
        assert found(world, "it erases entries of 2026-11-29, which were to be kept then")

    def test_a_journal_said_never_to_have_been_folded(self, world: World, lived: Environment) -> None:
        rebuild()
        assert found(world, "the registry lacks this entry and those after it, though they are old")

    @pytest.mark.parametrize(
        "said",
        [
            {"change": "permission", "id": "x", "digest": "x", "says": {}},
            {"change": "permission", "id": [], "digest": {}, "says": []},
            {"change": "reconciliation", "id": "1", "digest": "x", "says": []},
        ],
    )
    def test_a_line_that_says_nothing_ends_no_command(
        self, world: World, lived: Environment, said: Any
    ) -> None:
        path = segment(lived.access_log, world.now + 3 * DAY + HOUR, changes=True)
        rechain(
            path, [path.read_bytes().splitlines()[0], orjson.dumps({**said, "at": "2026-11-28T11:00:00Z"})]
        )
        assert verdict(world)[0] in (0, 1)

    def test_a_pipe_named_as_a_segment_holds_nobody_up(self, world: World, lived: Environment) -> None:
        os.mkfifo(lived.access_log / "x.jsonl")
        assert verdict(world)[0] == 0


class TestRebuild:
    def test_a_roll_up_that_was_lost_is_made_anew_from_the_segments(
        self, world: World, lived: Environment
    ) -> None:
        sums = list(LogPointDay.objects.values_list("facet__digest", "day", "entries", "first", "last"))
        LogPointDay.objects.all().delete()
        assert found(world, f"company {world.acme.pk}, point {world.p1.pk}: the registry lacks 3")
        done = CliRunner().invoke(app, ["rebuild"])
        assert (done.exit_code, done.output) == (0, "9 entries counted and found\n")
        assert verdict(world)[0] == 0
        assert (
            list(LogPointDay.objects.values_list("facet__digest", "day", "entries", "first", "last")) == sums
        )


@pytest.mark.parametrize("change", ["head = 'b' || substr(head, 2)", "lines = lines + 1"])
def test_where_the_registry_says_that_a_segment_stands_is_compared(
    world: World, lived: Environment, change: str
) -> None:
    """The next receipt would say it, signed, and contradict the log for good."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE audit_accesslogsegment SET {change}")
    assert found(world, "it did not stand where the registry says after")
