"""The promise, from the request to the proof, through the operations, the worker's jobs and the command line."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core import mail
from typer.testing import CliRunner

from gridgate.audit.operations.folding import fold
from gridgate.audit.operations.progress import Position
from gridgate.audit.operations.roll_up import LogLine
from gridgate.config.commands.receipt import app
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.sharing import AccessLine, Basis, Granted, Refused, Wanted, decide
from gridgate.core.time import Interval
from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations.models import Organisation
from gridgate.sharing.models import AccessLine as Line
from gridgate.sharing.operations.ending import revoke_company
from gridgate.sharing.operations.requesting import accept_request, request_permission
from gridgate.sharing.receipts.completing import complete, complete_awaited
from gridgate.sharing.receipts.keys import public_jwks
from tests.factories.sharing import make_service
from tests.world import World


def decision(reader: Organisation, point: str, world: World) -> Granted | Refused:
    lines = [
        AccessLine(
            Basis(row.basis),
            None,
            row.holder_id,
            row.kinds,
            row.directions,
            row.finest_resolution,
            row.data_from,
            row.data_to,
            row.valid_from,
            row.valid_until,
        )
        for row in Line.objects.filter(reader=reader, metering_point=point)
    ]
    week = Interval(world.now - timedelta(days=8), world.now - timedelta(days=1))
    return decide(Wanted(point, Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, week, world.now), lines)


def test_a_holder_shares_sees_who_reads_ends_it_and_both_hold_the_proof(world: World, tmp_path: Path) -> None:
    tiers_1, service = world.third_party_1, make_service(world.third_party_1, history_months=12)

    # Tiers 1 asks for two points; the holder gives one.
    request = request_permission(
        requester=world.tiers1,
        service=service,
        holder=world.acme,
        points=[world.p1.pk, world.p2.pk],
        valid_until=date(2027, 6, 30),
        now=world.now - timedelta(days=3),
    )
    permission = accept_request(
        actor=world.alice, request_id=request.pk, points=[world.p1.pk], now=world.now - timedelta(days=2)
    )
    assert isinstance(decision(tiers_1, world.p1.pk, world), Granted)
    assert isinstance(decision(tiers_1, world.p2.pk, world), Refused)

    # It reads, and the log is folded.
    read = {
        "at": (world.now - timedelta(hours=1)).isoformat(),
        "channel": "api:enedis",
        "outcome": "granted",
        "holder": world.acme.pk,
        "reader": tiers_1.pk,
        "permission": permission.pk.hex,
    }
    fold(segment="2026-11-25-a.jsonl", lines=[LogLine(2, read)], reached=lambda: Position(2, 400, "a" * 64))

    # The holder ends it: refused from then on, without anything else having to run.
    receipt = revoke_company(actor=world.alice, company=tiers_1, now=world.now)
    assert isinstance(decision(tiers_1, world.p1.pk, world), Refused)
    assert isinstance(decision(world.acme, world.p1.pk, world), Granted)
    receipt = complete(receipt, now=world.now)
    assert receipt.payload["permissions"][0]["reads"] == 1

    # The worker sends; both sides hold the same proof, which verifies with the published keys and nothing else.
    mail.outbox.clear()
    tasks.write_letters(now=world.now)
    while (email := tasks.claim(now=world.now)) is not None:
        assert tasks.send(email, clock=lambda: world.now)
    assert not OutgoingEmail.objects.filter(sent_at=None).exists()
    proofs = {message.to[0]: message.attachments[0] for message in mail.outbox if message.attachments}
    assert set(proofs) == {"alice@acme.example", "bob@acme.example", "dev@tiers-1.example"}
    (tmp_path / "keys.json").write_text(json.dumps(public_jwks()))
    for name, content, _ in proofs.values():
        file = tmp_path / str(name)
        file.write_bytes(content if isinstance(content, bytes) else str(content).encode())
        done = CliRunner().invoke(app, ["verify", str(file), "--jwks", str(tmp_path / "keys.json"), "--json"])
        assert done.exit_code == 0
        assert json.loads(done.output)["receipt"] == receipt.payload


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_notices_of_the_whole_story_have_no_hole(world: World, language: str) -> None:
    """Nothing that a template lacks shows as emptiness after a colon, and no tag is left."""
    for member in (world.alice, world.tiers1):
        member.user.language = language
        member.user.save()
    service = make_service(world.third_party_1)
    request = request_permission(
        requester=world.tiers1,
        service=service,
        holder=world.acme,
        points=None,
        valid_until=date(2027, 6, 30),
        now=world.now,
    )
    accept_request(actor=world.alice, request_id=request.pk, points=None, now=world.now)
    tasks.remind(now=world.now + timedelta(days=215))
    revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    complete_awaited(now=world.now)
    tasks.write_letters(now=world.now)
    emails = list(OutgoingEmail.objects.all())
    assert {email.key.split(":")[0] for email in emails} == {"requested", "granted", "reminder", "ended"}
    for email in emails:
        assert email.subject
        for line in (email.subject, *email.body.splitlines()):
            assert not any(mark in line for mark in ("{{", "{%", "None", "  ")), line
        for line in email.body.splitlines():
            assert not line.endswith((": ", ":\u00a0")), line
