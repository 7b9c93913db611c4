"""Issuing, recognising and revoking."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gridgate.dataplane import tokens
from gridgate.dataplane.authz import TokenFault, Unauthenticated, authenticate, sha256
from gridgate.dataplane.registry.port import Application, RegistryUnavailable
from gridgate.dataplane.registry.sqlite import SqliteRegistry
from gridgate.dataplane.sqlite_file import log_of, stamp
from gridgate.dataplane.tokens import IssuedToken, NotRecognised, Recognised, TokenStore, recognise
from tests.dataplane_world import CONSO, NOW, PARIS, TIERS1, TIERS2, Client, RegistryFile
from tests.waiting import PATIENCE

HOLD = """
import fcntl, os, struct, sys, time
file = os.open(sys.argv[1], os.O_RDWR)
pending = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0x40000000, 1, 0)
fcntl.fcntl(file, fcntl.F_SETLK, pending)
print("held", flush=True)
sys.stdin.read()
time.sleep(0.05)
"""
"""Holds the byte of an SQLite file that keeps out who would begin to read it."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RegistryFile]:
    file = RegistryFile(tmp_path / "registry.sqlite3")
    yield file
    file.db.close()


@pytest.fixture
def tiers1(world: RegistryFile) -> Client:
    return world.application("tiers1", TIERS1, "enedis")


def recognised(world: RegistryFile, client_id: str, secret: str) -> Recognised | NotRecognised:
    registry = SqliteRegistry(world.path, zone=PARIS)
    try:
        return recognise(registry, client_id=client_id, client_secret=secret, at=NOW)
    finally:
        registry.close()


class TestRecognise:
    def test_knows_a_client_by_its_secret(self, world: RegistryFile, tiers1: Client) -> None:
        found = recognised(world, "tiers1", tiers1.client_secret)
        assert isinstance(found, Recognised)
        assert found.application.organisation == TIERS1

    def test_refuses_another_clients_secret(self, world: RegistryFile, tiers1: Client) -> None:
        other = world.application("tiers2", TIERS2, "enedis")
        assert recognised(world, "tiers1", other.client_secret) == NotRecognised(known=True)
        assert recognised(world, "tiers1", "") == NotRecognised(known=True)

    def test_refuses_an_unknown_client(self, world: RegistryFile) -> None:
        assert recognised(world, "nobody", "secret") == NotRecognised(known=False)

    def test_refuses_a_client_without_any_valid_secret_even_one_that_is_all_zeros(
        self, world: RegistryFile, tiers1: Client
    ) -> None:
        world.db.execute("DELETE FROM applications_credential")
        assert recognised(world, "tiers1", tiers1.client_secret) == NotRecognised(known=True)

    def test_refuses_a_client_that_was_switched_off(self, world: RegistryFile, tiers1: Client) -> None:
        world.db.execute("UPDATE applications_application SET active = 0")
        assert recognised(world, "tiers1", tiers1.client_secret) == NotRecognised(known=False)

    def test_accepts_old_and_new_secret_while_one_replaces_the_other(
        self, world: RegistryFile, tiers1: Client
    ) -> None:
        world.credential(tiers1, "the next one", expires_at=NOW + timedelta(days=90))
        assert isinstance(recognised(world, "tiers1", tiers1.client_secret), Recognised)
        assert isinstance(recognised(world, "tiers1", "the next one"), Recognised)

    def test_refuses_an_expired_and_a_revoked_secret(self, world: RegistryFile, tiers1: Client) -> None:
        world.credential(tiers1, "expired", expires_at=NOW)
        world.credential(tiers1, "revoked", revoked_at=NOW - timedelta(days=1))
        assert recognised(world, "tiers1", "expired") == NotRecognised(known=True)
        assert recognised(world, "tiers1", "revoked") == NotRecognised(known=True)


class TestTokenStore:
    def test_opens_the_registry_while_another_process_looks_whether_it_is_the_last(
        self, world: RegistryFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which it does on closing, at each change of the file: for that moment nobody can begin to read it."""
        world.db.close()  # this process has no lock on it yet
        monkeypatch.setattr(tokens, "_BUSY_SECONDS", PATIENCE)
        store = TokenStore(world.path)
        child = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(world.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        beginning = tokens.fault_of

        def begun(path: Path) -> str | None:
            assert child.stdin is not None
            found = beginning(path)
            child.stdin.close()  # it lets go while the engine, which nothing tells of it, waits
            return found

        monkeypatch.setattr(tokens, "fault_of", begun)
        store.check()
        assert child.wait() == 0
        child.stdout.close()
        store.close()

    def test_nobody_who_asks_for_a_token_waits_until_changes_are_copied_into_the_file(
        self, world: RegistryFile, tiers1: Client
    ) -> None:
        """The engine would do so in the midst of answering, each time that they fill 1,000 pages of its log."""
        store, application = TokenStore(world.path), recognised(world, "tiers1", tiers1.client_secret)
        assert isinstance(application, Recognised)
        before = stamp(str(world.path))

        async def many() -> None:
            for _ in range(20):
                asked = (store.issue(application.application, lifetime=60, at=NOW) for _ in range(500))
                await asyncio.gather(*asked)

        asyncio.run(many())
        assert log_of(world.path).stat().st_size > 1000 * 4096
        assert stamp(str(world.path)) == before
        store.close()

    def test_issues_a_token_that_opens_the_data_plane_until_it_expires(
        self, world: RegistryFile, tiers1: Client
    ) -> None:
        registry, store = SqliteRegistry(world.path, zone=PARIS), TokenStore(world.path)
        found = recognise(registry, client_id="tiers1", client_secret=tiers1.client_secret, at=NOW)
        assert isinstance(found, Recognised)
        issued = asyncio.run(store.issue(found.application, lifetime=12600, at=NOW))
        assert issued.expires_in == 12600
        for later, valid in ((12599, True), (12600, False)):
            at = NOW + timedelta(seconds=later)
            if valid:
                authenticate(registry, issued.token, api="enedis", metering_point=CONSO, at=at)
            else:
                with pytest.raises(Unauthenticated):
                    authenticate(registry, issued.token, api="enedis", metering_point=CONSO, at=at)
        registry.close()
        store.close()

    def test_keeps_no_token_in_clear(self, world: RegistryFile, tiers1: Client) -> None:
        store, registry = TokenStore(world.path), SqliteRegistry(world.path, zone=PARIS)
        row = registry.credential("tiers1", at=NOW)
        assert row is not None
        token = asyncio.run(store.issue(row.application, lifetime=60, at=NOW)).token
        assert len(token) >= 43  # 32 random bytes
        dump = "\n".join(world.db.iterdump())
        assert token not in dump
        assert tiers1.client_secret not in dump
        assert sha256(token) in dump
        store.close()
        registry.close()

    def test_revokes_only_a_token_of_the_same_application(self, world: RegistryFile, tiers1: Client) -> None:
        store, registry = TokenStore(world.path), SqliteRegistry(world.path, zone=PARIS)
        world.application("tiers2", TIERS2, "enedis")
        mine, theirs = (registry.credential(name, at=NOW) for name in ("tiers1", "tiers2"))
        assert mine is not None
        assert theirs is not None
        token = asyncio.run(store.issue(mine.application, lifetime=60, at=NOW)).token
        assert not asyncio.run(store.revoke(token, application=theirs.application, at=NOW))
        authenticate(registry, token, api="enedis", metering_point="", at=NOW)
        assert asyncio.run(store.revoke(token, application=mine.application, at=NOW))
        assert not asyncio.run(store.revoke(token, application=mine.application, at=NOW))
        with pytest.raises(Unauthenticated) as refusal:
            authenticate(registry, token, api="enedis", metering_point="", at=NOW)
        assert refusal.value.fault is TokenFault.REVOKED
        store.close()
        registry.close()

    def test_never_makes_a_registry(self, tmp_path: Path, world: RegistryFile, tiers1: Client) -> None:
        registry = SqliteRegistry(world.path, zone=PARIS)
        row = registry.credential("tiers1", at=NOW)
        assert row is not None
        with pytest.raises(RegistryUnavailable):
            asyncio.run(TokenStore(tmp_path / "nowhere.sqlite3").issue(row.application, lifetime=60, at=NOW))
        assert not (tmp_path / "nowhere.sqlite3").exists()
        registry.close()

    def test_says_unavailable_when_the_row_is_refused(self, world: RegistryFile, tiers1: Client) -> None:
        registry, store = SqliteRegistry(world.path, zone=PARIS), TokenStore(world.path)
        row = registry.credential("tiers1", at=NOW)
        assert row is not None
        world.db.execute("DELETE FROM applications_credential")
        world.db.execute("DELETE FROM applications_apisubscription")
        world.db.execute("DELETE FROM applications_application")
        with pytest.raises(RegistryUnavailable):
            asyncio.run(store.issue(row.application, lifetime=60, at=NOW))
        registry.close()
        store.close()
        assert isinstance(world.db, sqlite3.Connection)

    def test_writes_what_is_asked_for_together_in_one_transaction(
        self, world: RegistryFile, tiers1: Client
    ) -> None:
        store, application = TokenStore(world.path), self._application(world)
        commits: list[str] = []

        async def issue() -> list[IssuedToken]:
            # The first opens the connection, of which the statements are then counted.
            await store.issue(application, lifetime=60, at=NOW)
            assert store._connection is not None
            store._connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
            wanted = (store.issue(application, lifetime=60, at=NOW) for _ in range(50))
            return await asyncio.gather(*wanted)

        tokens = {issued.token for issued in asyncio.run(issue())}
        store.close()
        assert len(tokens) == 50
        kept = {row[0] for row in world.db.execute("SELECT token_sha256 FROM applications_accesstoken")}
        assert {sha256(token) for token in tokens} < kept
        assert len(commits) == 1

    def test_writes_the_others_when_one_row_is_refused(self, world: RegistryFile, tiers1: Client) -> None:
        """At once, and, as the portal's tables do, not before the end of the transaction."""
        application = self._application(world)
        gone = replace(application, id=999)
        for deferred in (False, True):
            if deferred:
                world.db.execute("PRAGMA writable_schema = 1")
                world.db.execute(
                    "UPDATE sqlite_master SET sql = replace(sql, 'applications_application (id)',"
                    " 'applications_application (id) DEFERRABLE INITIALLY DEFERRED')"
                    " WHERE name = 'applications_accesstoken'"
                )
                world.db.execute("PRAGMA writable_schema = reset")
            store = TokenStore(world.path)

            async def issue(store: TokenStore) -> list[IssuedToken | BaseException]:
                wanted = (store.issue(of, lifetime=60, at=NOW) for of in (application, gone, application))
                return await asyncio.gather(*wanted, return_exceptions=True)

            first, refused, last = asyncio.run(issue(store))
            store.close()
            assert isinstance(first, IssuedToken)
            assert isinstance(refused, RegistryUnavailable)
            assert isinstance(last, IssuedToken)
            kept = {row[0] for row in world.db.execute("SELECT token_sha256 FROM applications_accesstoken")}
            assert {sha256(first.token), sha256(last.token)} <= kept

    def test_waits_for_another_who_writes(
        self, world: RegistryFile, tiers1: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tokens, "_BUSY_SECONDS", PATIENCE)
        store, application = TokenStore(world.path), self._application(world)

        async def issue() -> IssuedToken:
            world.db.execute("BEGIN IMMEDIATE")
            waiting = asyncio.ensure_future(store.issue(application, lifetime=60, at=NOW))
            done, _ = await asyncio.wait([waiting], timeout=0.05)
            assert not done
            world.db.execute("COMMIT")
            return await waiting

        token = asyncio.run(issue()).token
        store.close()
        assert world.db.execute(
            "SELECT 1 FROM applications_accesstoken WHERE token_sha256 = ?", (sha256(token),)
        ).fetchone()

    def _application(self, world: RegistryFile) -> Application:
        registry = SqliteRegistry(world.path, zone=PARIS)
        row = registry.credential("tiers1", at=NOW)
        registry.close()
        assert row is not None
        return row.application
