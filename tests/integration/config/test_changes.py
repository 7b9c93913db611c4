"""Ends are in the chained log too: what a damaged or older registry has undone is seen, and made again."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gridgate.audit.changes import PERMISSION, RECEIPT, RIGHTS
from tests.instance import run_gridgate
from tests.real_registry import Registry

CAST = """
from datetime import UTC, datetime
from gridgate.organisations.models import Membership, Organisation
from gridgate.sharing.models import DataService, Permission
from gridgate.sharing.operations import ending
from gridgate.sharing.operations.granting import subscribe
from gridgate.sharing.operations.pausing import suspend
from gridgate.sharing.receipts.completing import complete, complete_awaited
now = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
alice = Membership.objects.select_related("user", "organisation").get(user__full_name="Alice")
tiers_1 = Organisation.objects.get(siren="222333445")
def revoke_company(**named):
    return complete(ending.revoke_company(**named), now=now)
def revoke_permission(**named):
    return complete(ending.revoke_permission(**named), now=now)
"""
GIVE = f"""{CAST}
from django.db import connection
from tests.factories.sharing import make_service
service = make_service(tiers_1, code="suivi")
held = sorted(alice.organisation.holdings.values_list("metering_point_id", flat=True))
subscribe(actor=alice, service=service, points=held[:2], now=now)
subscribe(actor=alice, service=service, points=held[2:3], now=now)
from gridgate.dataplane.store import open_store
open_store(environment.measurements, zone=environment.zone).close()
"""
REVOKE = f"""{CAST}
print(revoke_company(actor=alice, company=tiers_1, now=now).number)
"""
COMPARE = """
from gridgate.config.changes import compare
found = compare(environment)
print(len(found.lost), len(found.unlogged))
"""
RECONCILE = """
from datetime import UTC, datetime
from gridgate.config.reconciling import reconcile
done = reconcile(environment, now=datetime(2026, 11, 25, 12, tzinfo=UTC))
print(done.restored, [str(one) for one in done.to_make_again])
"""
SIGNED_OUT = "every program signs in anew: 0 tokens ended\n"
LINES = "SELECT count(*) FROM sharing_accessline WHERE basis = 'permission'"
STATES = "SELECT state, count(*) FROM sharing_permission GROUP BY state"


def lines(registry: Registry) -> list[dict[str, Any]]:
    """The changes that the log says, in the order in which they were written."""
    records = [
        json.loads(line)
        for path in (registry.data / "accesslog").glob("*.changes.jsonl")
        for line in path.read_text().splitlines()
    ]
    return sorted((one for one in records if "genesis" not in one), key=lambda one: one["at"])


def gridgate(registry: Registry, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_gridgate(*arguments, data=registry.data, check=False)


@pytest.fixture(scope="module")
def given_template(registry_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two permissions, on two points and on one, both in the file itself and not only in its write-ahead log."""
    registry = Registry(
        Path(shutil.copytree(registry_template, tmp_path_factory.mktemp("given") / "instance"))
    )
    registry.run(GIVE)
    registry.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    return registry.data


@pytest.fixture
def given(given_template: Path, tmp_path: Path) -> Registry:
    """A copy of it of the test's own."""
    return Registry(Path(shutil.copytree(given_template, tmp_path / "instance")))


@pytest.fixture
def copy(given: Registry, tmp_path: Path) -> Path:
    """An older copy of the registry."""
    return Path(shutil.copy(given.data / "registry.sqlite3", tmp_path / "older.sqlite3"))


def put_back(registry: Registry, copy: Path) -> None:
    for name in ("registry.sqlite3-wal", "registry.sqlite3-shm"):
        (registry.data / name).unlink(missing_ok=True)
    shutil.copy(copy, registry.data / "registry.sqlite3")


def test_whatever_gives_or_takes_is_a_line_of_the_log_when_it_is_answered(given: Registry) -> None:
    number = given.run(REVOKE)
    of_kind: dict[str, list[dict[str, Any]]] = {}
    for line in lines(given):
        of_kind.setdefault(line["change"], []).append(line)
    states = [line["says"]["state"] for line in of_kind[PERMISSION]]
    assert states.count("active") == states.count("revoked") == 2
    assert [line["id"] for line in of_kind[RECEIPT]] == [number]
    assert [(line["says"]["jws"],) for line in of_kind[RECEIPT]] == given.rows(
        "SELECT jws FROM sharing_receipt"
    )
    assert {line["digest"] for line in of_kind.get(RIGHTS, ())} == {
        row[0] for row in given.rows("SELECT hash FROM audit_auditevent")
    }


def test_what_is_rolled_back_is_no_line(given: Registry) -> None:
    before = len(lines(given))
    given.run(f"""{CAST}
from django.db import transaction
first, second = Permission.objects.order_by("pk")
with transaction.atomic():
    revoke_permission(actor=alice, permission_id=first.pk, now=now)
    try:
        with transaction.atomic():
            revoke_permission(actor=alice, permission_id=second.pk, now=now)
            raise RuntimeError
    except RuntimeError:
        pass
try:
    with transaction.atomic():
        revoke_permission(actor=alice, permission_id=second.pk, now=now)
        raise RuntimeError
except RuntimeError:
    pass
""")
    assert [line["change"] for line in lines(given)][before:] == [PERMISSION, RECEIPT]
    assert given.run(COMPARE) == "0 0"


def test_a_damaged_frame_undoes_an_end_and_nothing_is_served_until_it_is_made_again(given: Registry) -> None:
    process = given.start(f"{REVOKE}\nimport os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    process.communicate(timeout=300)
    receipts = [line["says"]["jws"] for line in lines(given) if line["change"] == RECEIPT]
    wal = given.data / "registry.sqlite3-wal"
    damaged = bytearray(wal.read_bytes())
    damaged[32 + 24 + 100] ^= 0xFF  # one byte of the first frame's page
    wal.write_bytes(damaged)
    assert dict(given.rows(STATES)) == {"active": 2}, (
        "SQLite takes the damaged frame and all that follow for unwritten"
    )

    refused = gridgate(given, "serve", "--port", "0")
    assert refused.returncode == 2
    assert "the registry lacks 3 changes that the access log holds" in refused.stderr
    assert "gridgate audit reconcile" in refused.stderr
    checked = gridgate(given, "check")
    assert (checked.returncode, "the registry lacks 3 changes" in checked.stderr) == (1, True)
    verified = gridgate(given, "audit", "verify")
    assert verified.returncode == 1
    assert verified.stdout.count("and the registry lacks it") == 3
    listed = gridgate(given, "audit", "reconcile", "--dry-run")
    assert (listed.returncode, listed.stdout.count("revoked")) == (1, 2)

    done = gridgate(given, "audit", "reconcile")
    assert (done.returncode, done.stdout) == (
        0,
        f"3 changes in the registry again, 0 not\n{SIGNED_OUT}",
    )
    assert dict(given.rows(STATES)) == {"revoked": 2}
    assert given.rows(LINES) == [(0,)]
    assert [row[0] for row in given.rows("SELECT jws FROM sharing_receipt")] == receipts
    assert given.rows("SELECT action FROM audit_auditevent ORDER BY id DESC LIMIT 1") == [
        ("registry.reconciled",)
    ]
    assert [line["change"] for line in lines(given)][-2:] == [RIGHTS, "reconciliation"]
    assert given.run(COMPARE) == "0 0"
    assert gridgate(given, "audit", "verify").stdout.startswith("intact")


def test_a_death_between_the_registry_and_the_log_is_made_good_at_the_next_start(given: Registry) -> None:
    before = len(lines(given))
    process = given.start(f"""
import os, signal
from gridgate.config import changes
changes.write = lambda _: os.kill(os.getpid(), signal.SIGKILL)
{REVOKE}""")
    process.communicate(timeout=300)
    assert dict(given.rows(STATES)) == {"revoked": 2}
    assert len(lines(given)) == before
    assert given.run(COMPARE) == "0 2"  # its receipt is not signed yet
    refuse = "from gridgate.config.changes import refuse_contradiction; refuse_contradiction(environment)"
    given.run(refuse)
    assert given.run(f"{COMPARE}\n{refuse}\n{refuse}") == "0 0"
    assert len(lines(given)) == before + 2
    assert given.run(f"{CAST}\nprint(complete_awaited(now=now))") == "1"
    assert [line["change"] for line in lines(given)][before:] == [PERMISSION, PERMISSION, RECEIPT]
    assert given.run(COMPARE) == "0 0"


def test_a_copy_from_between_an_end_and_its_signature_is_given_the_signed_one(
    given: Registry, tmp_path: Path
) -> None:
    """What both sides hold is the proof; it is not signed a second time."""
    given.run(f"{CAST}\nending.revoke_company(actor=alice, company=tiers_1, now=now)")
    given.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    between = Path(shutil.copy(given.data / "registry.sqlite3", tmp_path / "between.sqlite3"))
    given.run(f"{CAST}\nassert complete_awaited(now=now) == 1")
    signed = given.rows("SELECT number, jws FROM sharing_receipt")
    put_back(given, between)
    assert given.rows("SELECT jws FROM sharing_receipt") == [("",)]
    assert given.run(COMPARE) == "1 0"
    done = gridgate(given, "audit", "reconcile")
    assert done.stdout.startswith("1 change in the registry again, 0 not")
    assert given.rows("SELECT number, jws FROM sharing_receipt") == signed
    assert given.run(COMPARE) == "0 0"


def test_a_receipt_that_was_not_signed_yet_is_asked_for_again_with_its_end(
    given: Registry, copy: Path
) -> None:
    asked = "print(ending.revoke_company(actor=alice, company=tiers_1, now=now).number)"
    number = given.run(f"{CAST}\n{asked}")
    before = given.rows("SELECT payload FROM sharing_receipt")
    put_back(given, copy)
    assert gridgate(given, "audit", "reconcile").stdout.startswith("2 changes in the registry again, 0 not")
    assert given.rows("SELECT number, jws FROM sharing_receipt") == [(number, "")]
    assert given.rows("SELECT payload FROM sharing_receipt") == before
    assert given.run(f"{CAST}\nprint(complete_awaited(now=now))") == "1"
    assert gridgate(given, "audit", "verify").stdout.startswith("intact")


def test_an_end_holds_when_the_log_cannot_be_written_and_is_written_later(given: Registry) -> None:
    folder = given.data / "accesslog"
    kept = folder.rename(given.data / "elsewhere")
    process = given.start(REVOKE)
    output, errors = process.communicate(timeout=300)
    assert (process.returncode, output.startswith("GG-")) == (0, True)
    assert "not in the log yet: the access log cannot be written" in errors
    kept.rename(folder)
    assert dict(given.rows(STATES)) == {"revoked": 2}
    assert given.run(COMPARE) == "0 3"


def test_an_older_copy_that_was_meant_takes_the_ends_again_and_names_the_rest(
    given: Registry, copy: Path
) -> None:
    given.run(f"""{CAST}
from gridgate.organisations.operations.groups import create_group
revoke_permission(actor=alice, permission_id=Permission.objects.order_by("pk").first().pk, now=now)
create_group(organisation=alice.organisation, name="Usine", actor=alice, now=now)
subscribe(actor=alice, service=DataService.objects.get(), points=None, now=now)
""")
    assert gridgate(given, "audit", "sign").returncode == 0
    put_back(given, copy)
    assert dict(given.rows(STATES)) == {"active": 2}
    added = gridgate(
        given, "user", "add", "w@client-b.example", "--siren", "222333445", "--name", "W", "--role", "user"
    )
    assert (added.returncode, "lacks the newest change" in added.stderr) == (2, True), (
        "it would be the newest"
    )
    done = gridgate(given, "audit", "reconcile")
    assert done.returncode == 1
    first, group, permission, _ = done.stdout.splitlines()
    assert first == "2 changes in the registry again, 2 not"
    assert "group.created group Usine on 2026-11-25T09:30:00+00:00 by Alice" in group
    assert permission.endswith(" by Alice: ACME Industries lets Tiers 1 read (Suivi de consommation)")
    assert dict(given.rows(STATES)) == {"active": 1, "revoked": 1}, "nothing is given again"
    assert given.run(COMPARE) == "0 0"
    key = given.data / "keys" / "receipts.pem"
    away = key.rename(key.with_name("away.pem"))
    assert given.run(COMPARE) == "0 0", "the registry's own event vouches for what was given up"
    away.rename(key)
    assert given.run(f"{READ}registry.check()\ntokens.check()\nprint('served')") == "served"
    verified = gridgate(given, "audit", "verify")
    assert verified.stdout.startswith("intact"), verified.stdout
    again = gridgate(given, "audit", "reconcile")
    assert (again.returncode, again.stdout) == (0, "0 changes in the registry again, 0 not\n")
    put_back(given, copy)  # a second time: what was given up stays so, what was made again is made again
    assert gridgate(given, "audit", "reconcile").stdout.startswith("2 changes in the registry again, ")
    assert dict(given.rows(STATES)) == {"active": 1, "revoked": 1}
    assert given.run(COMPARE) == "0 0"


def test_what_has_gone_on_since_the_older_copy_is_ended_all_the_same(given: Registry, copy: Path) -> None:
    given.run(REVOKE)
    put_back(given, copy)
    given.run(f"""{CAST}
from datetime import timedelta
from gridgate.core.sharing import PermissionState
from gridgate.sharing.history import SYSTEM, Step, append, saying
for permission in Permission.objects.all():
    step = Step(PermissionState.ACTIVE, now, SYSTEM, "extended")
    append(permission, step, details=saying(valid_until=permission.valid_until + timedelta(days=30)))
""")
    done = gridgate(given, "audit", "reconcile")
    assert dict(given.rows(STATES)) == {"revoked": 2}
    assert given.rows(LINES) == [(0,)]
    assert done.stdout.splitlines()[0] == "3 changes in the registry again, 0 not"
    assert given.run(COMPARE) == "0 0"


def test_a_forged_line_gives_nothing_and_an_unsigned_reconciliation_excuses_nothing(given: Registry) -> None:
    (permission,) = {row[0] for row in given.rows("SELECT id FROM sharing_permission LIMIT 1")}
    forged = {
        "permission": str(permission), "sequence": 3, "state": "active", "at": "2026-11-25T10:00:00+00:00",
        "actor_id": None, "actor_name": "Alice", "reason": "", "details": {"points": ["30001480112240"]},
    }  # fmt: skip
    given.run(f"""
from gridgate.audit.changes import Change
from gridgate.config.changes import write
write([Change("permission", "{permission}:3", "0" * 64, {forged!r})])
write([Change("reconciliation", "1", "0" * 64, {{"jws": "a.b.c"}})])
""")
    before = given.rows(LINES)
    assert given.run(COMPARE) == "1 0"
    assert gridgate(given, "audit", "reconcile").returncode == 1
    assert given.rows(LINES) == before
    assert given.run(COMPARE) == "0 0"


def test_a_suspension_and_lost_points_are_taken_again(given: Registry, copy: Path) -> None:
    given.run(f"""{CAST}
from gridgate.core.sharing import PermissionState
from gridgate.sharing.history import SYSTEM, Step, append
from gridgate.sharing.projection import project_permissions
two, one = sorted(Permission.objects.all(), key=lambda permission: -permission.points.count())
lost = list(two.points.order_by("metering_point").values_list("metering_point_id", flat=True))[:1]
append(two, Step(PermissionState.ACTIVE, now, SYSTEM, "move_out"), details={{"points_lost": lost}})
append(one, Step(PermissionState.SUSPENDED, now, SYSTEM, "inquiry"))
project_permissions([two, one])
""")
    after = given.rows(LINES), sorted(given.rows(STATES))
    put_back(given, copy)
    done = gridgate(given, "audit", "reconcile")
    assert (done.returncode, done.stdout) == (
        0,
        f"2 changes in the registry again, 0 not\n{SIGNED_OUT}",
    )
    assert (given.rows(LINES), sorted(given.rows(STATES))) == after


def test_what_was_ended_is_never_given_up(given: Registry, tmp_path: Path) -> None:
    """Two restores: the first copy knows nothing of the permission, the second has it as it was before its end."""
    put_back_first = Path(shutil.copy(given.data / "registry.sqlite3", tmp_path / "first.sqlite3"))
    given.run(f"""{CAST}
subscribe(actor=alice, service=DataService.objects.get(), points=None, now=now)
""")
    given.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    second = Path(shutil.copy(given.data / "registry.sqlite3", tmp_path / "second.sqlite3"))
    (permission,) = {row[0] for row in given.rows("SELECT id FROM sharing_permission WHERE all_points")}
    given.run(f"""{CAST}
print(revoke_permission(actor=alice, permission_id="{permission}", now=now).number)
""")
    receipts = given.rows("SELECT number, jws FROM sharing_receipt")
    put_back(given, put_back_first)
    # So that the permission cannot be made again at all, not even as one that has ended.
    given.rows("PRAGMA foreign_keys = OFF")
    given.rows("DELETE FROM sharing_permissionpoint")
    given.rows("UPDATE sharing_dataservice SET id = id + 1000")
    first = gridgate(given, "audit", "reconcile")
    assert "make again" not in first.stdout, "what its holder ended is not to be given again"
    put_back(given, second)
    refused = gridgate(given, "serve", "--port", "0")
    assert (refused.returncode, "revoked" in refused.stderr) == (2, True)
    gridgate(given, "audit", "reconcile")
    assert given.rows("SELECT state FROM sharing_permission WHERE all_points") == [("revoked",)]
    assert given.rows("SELECT number, jws FROM sharing_receipt") == receipts
    assert given.run(COMPARE) == "0 0"
    assert gridgate(given, "audit", "verify").stdout.startswith("intact")


READ = """
from gridgate.dataplane.registry.newest import NEWEST
from gridgate.dataplane.registry.port import RegistryUnavailable
from gridgate.dataplane.registry.sqlite import SqliteRegistry
from gridgate.dataplane.tokens import TokenStore
newest = environment.access_log / NEWEST
registry = SqliteRegistry(environment.registry, zone=environment.zone, newest=newest)
tokens = TokenStore(environment.registry, newest=newest)
"""


def test_an_older_registry_put_in_place_while_serving_is_neither_read_nor_written(
    given: Registry, copy: Path
) -> None:
    """On either plane, until the right one is back; nor is a missing one. The page offers what works, the log says the
    remedy.
    """
    given.run(REVOKE)
    newest = copy.with_name("newest.sqlite3")
    told = given.run(f"""{READ}
import io, logging, os, re, shutil, sqlite3
from django.db import connection
from django.test import Client
from gridgate.config import asgi
from gridgate.organisations.models import Membership, UserGroup
asgi.portal_side(environment)
browser = Client(raise_request_exception=False, SERVER_NAME=environment.host)
alice = Membership.objects.select_related("user", "organisation").get(user__full_name="Alice")
browser.force_login(alice.user)
acting = {{"acting_for": alice.organisation.siren}}
connection.close()
def make_group(name):
    try:
        answer = browser.post("/administration/groupes/nouveau/", {{"name": name, **acting}})
        print(answer.status_code, end=" ")
    finally:
        connection.close()
log = io.StringIO()
logging.getLogger().addHandler(logging.StreamHandler(log))
def say_the_page():
    try:
        page = browser.get("/compteurs/?q=1").content.decode()
    finally:
        connection.close()
    print(re.findall('<a [^>]*href="([^"]*)"', page), re.findall("Gridgate, |<form", page))
    print(*log.getvalue().splitlines(), sep="\\n")
    log.seek(0), log.truncate()
def put(path):
    for end in ("-wal", "-shm"):
        if os.path.exists(f"{{environment.registry}}{{end}}"):
            os.unlink(f"{{environment.registry}}{{end}}")
    shutil.copy(path, environment.registry)
registry.check()
make_group("Avant")
with sqlite3.connect(environment.registry) as kept:
    kept.execute("PRAGMA wal_checkpoint(TRUNCATE)")
shutil.copy(environment.registry, "{newest}")
put("{copy}")
for check in (registry.check, tokens.check):
    try:
        check()
        print("let in", end=" ")
    except RegistryUnavailable as error:
        print("older one" in error.message, end=" ")
make_group("Pendant")
print()
log.seek(0), log.truncate()
say_the_page()
os.unlink(environment.registry)
say_the_page()
put("{newest}")
registry.check()
tokens.check()
make_group("Ensuite")
print(*UserGroup.objects.filter(name__in=["Avant", "Pendant", "Ensuite"]).order_by("pk"))
""")
    first, *unanswered, last = told.splitlines()[-6:]
    assert (first.split(), last) == (["302", "True", "True", "503"], "302 Avant Ensuite")
    offered = "['#contenu', '/compteurs/?q=1'] []"
    (older, said_of_older), (missing, said_of_missing) = unanswered[:2], unanswered[2:]
    assert (older, missing) == (offered, offered)
    assert re.fullmatch(
        r"unavailable: GET /compteurs/, reference \w+: the registry does not answer: it lacks the newest change of "
        r"rights, so an older one was put in its place\. Put the newer one back; or start the instance anew, .*",
        said_of_older,
    )
    assert re.fullmatch(
        r"unavailable: GET /compteurs/, reference \w+: the registry cannot be opened: it is missing\. "
        r"Run gridgate check, .*",
        said_of_missing,
    )
