"""Several processes on one registry: a double click, a race, a process killed half way."""

import re
import signal

import pytest

from gridgate.core.references import ALPHABET
from tests.real_registry import AT_ONCE, Registry

CAST = """
from datetime import UTC, datetime
from django.db import connection
from gridgate.notifications import tasks
from gridgate.organisations.models import Membership, Organisation
from gridgate.sharing.models import DataService
from gridgate.sharing.operations.ending import NothingToEnd, revoke_company
from gridgate.sharing.operations.granting import AlreadyShared, subscribe
from gridgate.sharing.receipts.asking import awaited as all_awaited
from gridgate.sharing.receipts.completing import complete, complete_awaited
now = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
alice = Membership.objects.select_related("user", "organisation").get(user__full_name="Alice")
tiers_1 = Organisation.objects.get(siren="222333445")
"""
SERVICES = """
from tests.factories.sharing import make_service
service = make_service(tiers_1, code="suivi")
"""
GIVEN = f"""{CAST}{SERVICES}
for point in alice.organisation.holdings.values_list("metering_point_id", flat=True):
    subscribe(actor=alice, service=service, points=[point], now=now)
tasks.write_letters(now=now)
"""
REVOKE = """
try:
    print("done", revoke_company(actor=alice, company=tiers_1, now=now).number)
except NothingToEnd as refusal:
    print("refused", refusal.receipt.number)
"""


FOUND = "awaited = list(all_awaited())"
COMPLETE = """
print([complete(receipt, now=now).jws for receipt in awaited])
tasks.write_letters(now=now)
"""


def test_a_company_revoked_by_several_at_once_has_one_receipt(registry: Registry) -> None:
    registry.run(GIVEN)
    before = registry.rows("SELECT count(*) FROM notifications_outgoingemail")[0][0]
    printed = registry.at_once(*[CAST + AT_ONCE + REVOKE] * 4)
    assert sorted(line.split()[0] for line in printed) == ["done", "refused", "refused", "refused"]
    (number,) = {line.split()[1] for line in printed}
    assert re.fullmatch(f"GG-20261125-[{ALPHABET}]{{6}}", number)
    assert registry.rows("SELECT count(*) FROM sharing_receipt") == [(1,)]
    assert registry.rows(
        "SELECT count(*), count(DISTINCT permission_id) FROM sharing_permissionevent WHERE state = 'revoked'"
    ) == [(4, 4)]
    assert registry.rows("SELECT count(*) FROM sharing_accessline WHERE basis = 'permission'") == [(0,)]
    # The page and the workers complete it; what is kept is what all of them go on with.
    made = registry.at_once(*[CAST + FOUND + AT_ONCE + COMPLETE] * 4)
    assert made == [str([jws]) for (jws,) in registry.rows("SELECT jws FROM sharing_receipt")] * 4
    # Alice and the third party's administrator, and nobody twice; Bob does not see all of the points.
    assert registry.rows("SELECT count(*) FROM notifications_outgoingemail")[0][0] - before == 2


def test_a_service_subscribed_to_by_several_clicks_is_given_once(registry: Registry) -> None:
    registry.run(CAST + SERVICES)
    program = """
try:
    subscribe(actor=alice, service=DataService.objects.get(code="suivi"), points=None, now=now)
    print("done")
except AlreadyShared:
    print("refused")
"""
    assert sorted(registry.at_once(*[CAST + AT_ONCE + program] * 3)) == ["done", "refused", "refused"]
    assert registry.rows("SELECT count(*) FROM sharing_permission") == [(1,)]


KILLED = """
import sys, time

def stand_still(execute, sql, *rest):
    result = execute(sql, *rest)
    if sql.startswith('INSERT INTO "sharing_receipt"'):
        print("written", flush=True)
        time.sleep(3600)
    return result

with connection.execute_wrapper(stand_still):
    revoke_company(actor=alice, company=tiers_1, now=now)
"""


def test_a_process_killed_before_its_commit_has_ended_nothing(registry: Registry) -> None:
    registry.run(GIVEN)
    process = registry.start(CAST + KILLED)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    lines = "SELECT count(*) FROM sharing_accessline WHERE basis = 'permission'"
    assert registry.rows(lines) == [(4,)]  # readers see the state before, and do not wait
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.communicate()
    assert registry.rows(lines) == [(4,)]
    assert registry.rows("SELECT DISTINCT state FROM sharing_permission") == [("active",)]
    assert registry.rows("SELECT count(*) FROM sharing_receipt") == [(0,)]
    assert re.fullmatch(f"done GG-20261125-[{ALPHABET}]{{6}}", registry.run(CAST + REVOKE))
    assert registry.rows(lines) == [(0,)]


WORK = "print(complete_awaited(now=now)); tasks.write_letters(now=now)"


@pytest.mark.parametrize(
    "where", ["revoke_company", "tell_of_end", 'INSERT OR IGNORE INTO "notifications_outgoingemail"']
)
def test_a_process_killed_after_its_commit_leaves_the_receipt_to_the_worker(
    registry: Registry, where: str
) -> None:
    """Between the commit and the signature, signed before its letters are asked for, and after, but not committed."""
    registry.run(GIVEN)
    before = registry.rows("SELECT count(*) FROM notifications_outgoingemail")[0][0]
    process = registry.start(CAST + STOPPED, WHERE=where)
    assert process.stdout is not None
    number = process.stdout.readline().strip()
    assert process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.communicate()
    assert registry.rows("SELECT count(*) FROM sharing_accessline WHERE basis = 'permission'") == [(0,)]
    assert registry.rows("SELECT number, jws FROM sharing_receipt") == [(number, "")]
    assert [registry.run(CAST + WORK) for _ in range(2)] == ["1", "0"]
    ((kept, jws),) = registry.rows("SELECT number, jws FROM sharing_receipt")
    assert (kept, bool(jws)) == (number, True)
    keys = registry.rows("SELECT key, attachment FROM notifications_outgoingemail ORDER BY id")[before:]
    assert [key.split(":")[:2] for key, _ in keys] == [["ended", number]] * 2
    assert {attached for _, attached in keys} == {jws}


STOPPED = """
import os, time
from gridgate.notifications import permissions as notices

def stop(*_, **__):
    print("there", flush=True)
    time.sleep(3600)

def stop_at(execute, sql, *rest):
    result = execute(sql, *rest)
    if sql.startswith(os.environ["WHERE"]):
        stop()
    return result

receipt = revoke_company(actor=alice, company=tiers_1, now=now)
print(receipt.number, flush=True)
if os.environ["WHERE"] == "revoke_company":
    stop()
if os.environ["WHERE"] == "tell_of_end":
    notices.tell_of_end = stop
with connection.execute_wrapper(stop_at):
    complete(receipt, now=now)
"""
