"""What receipts say of the log, and the key that they are signed with."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from gridgate.audit.operations import LogLine, Position, fold
from gridgate.config.environment import Environment
from gridgate.sharing import receipts, signing
from gridgate.sharing.models import Permission, Receipt
from gridgate.sharing.operations import revoke_company, subscribe
from gridgate.sharing.signing import Invalid, KeyUnusable, Valid
from tests.factories.metering import leave
from tests.factories.sharing import make_service
from tests.world import World


@pytest.fixture(autouse=True)
def _own_keys(settings: Settings, tmp_path: Path) -> None:
    settings.ENVIRONMENT = Environment(data=tmp_path)


@pytest.fixture
def permission(world: World) -> Permission:
    service = make_service(world.third_party_1)
    return subscribe(actor=world.alice, service=service, points=None, now=world.now - timedelta(days=9))


def read(
    permission: Permission, *, hours_ago: int, world: World, outcome: str = "granted", **more: object
) -> dict[str, object]:
    return {
        "at": (world.now - timedelta(hours=hours_ago)).isoformat(),
        "channel": "api:enedis",
        "outcome": outcome,
        "holder": permission.holder_id,
        "reader": permission.eligible_party_id,
        "permission": permission.pk.hex,  # as the registry keeps it, which is what the data plane reads
        "metering_point": world.p1.pk,
        **more,
    }


def test_a_receipt_counts_the_reads_and_fixes_where_the_log_stood(
    world: World, permission: Permission
) -> None:
    entries = [
        read(permission, hours_ago=30, world=world),
        read(permission, hours_ago=3, world=world),
        read(permission, hours_ago=2, world=world, outcome="kind_not_covered"),
        read(permission, hours_ago=1, world=world, reader=world.third_party_2.pk),
        read(permission, hours_ago=1, world=world, holder=world.client_b.pk),
    ]
    lines = [LogLine(number, entry) for number, entry in enumerate(entries, start=2)]
    fold(segment="2026-11-25-a.jsonl", lines=lines, reached=Position(6, 900, "a" * 64))
    fold(segment="2026-11-25-b.jsonl", lines=[], reached=Position(1, 90, "b" * 64))
    said = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now).payload
    assert said["permissions"][0]["reads"] == 2
    assert said["permissions"][0]["last_read_at"] == "2026-11-25T06:30:00Z"
    assert said["last_log_segment"] == "2026-11-25-a.jsonl"
    assert "last_log_lines" not in said  # how much everybody read is nobody else's business
    assert said["last_log_head"] == "a" * 64


def test_a_company_that_never_read_is_told_by_where_the_newest_segment_stood(
    world: World, permission: Permission
) -> None:
    for name in ("a", "b"):
        fold(segment=f"2026-11-25-{name}.jsonl", lines=[], reached=Position(1, 90, name * 64))
    said = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now).payload
    assert (said["last_log_segment"], said["last_log_head"]) == ("2026-11-25-b.jsonl", "b" * 64)


def test_without_a_log_yet_there_is_nothing_to_fix(world: World, permission: Permission) -> None:
    said = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now).payload
    assert [said[name] for name in ("last_log_head", "last_log_segment")] == ["", ""]


def test_the_payload_kept_is_the_one_that_is_signed(world: World, permission: Permission) -> None:
    receipt = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    receipt.refresh_from_db()
    keys = signing.keys_of_jwks(json.dumps(receipts.public_jwks()), where="")
    found = signing.verify(receipt.jws, keys)
    assert isinstance(found, Valid)
    assert found.payload == receipt.payload
    assert isinstance(receipts.verify(receipt.jws + "A"), Invalid)


def test_the_key_is_made_with_the_first_receipt_and_never_again(
    world: World, permission: Permission, tmp_path: Path
) -> None:
    """A lost key is put back, not replaced in silence; until then nothing ends without its proof."""
    key = tmp_path / "keys" / "receipts.pem"
    assert not key.exists()
    receipt = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    assert isinstance(receipts.verify(receipt.jws), Valid)
    again = subscribe(actor=world.alice, service=permission.service, points=None, now=world.now)
    key.unlink()
    with pytest.raises(KeyUnusable, match="backup"):
        revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    again.refresh_from_db()
    assert (again.state, Receipt.objects.count()) == ("active", 1)
    assert not key.exists()


def test_a_permission_on_all_points_counts_those_held_that_day(world: World, permission: Permission) -> None:
    leave(world.p4.pk, world.now.date())
    said = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now).payload
    assert (said["permissions"][0]["points"], said["permissions"][0]["points_count"]) == ("all", 3)


def test_an_instance_without_an_operator_signs_all_the_same(world: World, permission: Permission) -> None:
    world.operator.is_operator = False
    world.operator.save()
    said = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now).payload
    assert said["operator"] == {"name": "", "siren": ""}


def test_how_many_statements_a_resiliation_takes_does_not_grow_with_the_points(world: World) -> None:
    service = make_service(world.third_party_1)
    counts = []
    for points in ([world.p1.pk], [world.p1.pk, world.p2.pk, world.p3.pk, world.p4.pk]):
        subscribe(actor=world.alice, service=service, points=points, now=world.now)
        with CaptureQueriesContext(connection) as statements:
            revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
        counts.append(len(statements))
    assert counts[1] <= counts[0]
