"""Token check and decision, against a registry file."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gridgate.core.errors import ErrorKind
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.sharing import Basis, Granted, RefusalReason, Refused, Wanted
from gridgate.core.time import Interval
from gridgate.dataplane.authz import (
    Caller,
    NotSubscribed,
    TokenFault,
    Unauthenticated,
    authenticate,
    bearer,
)
from gridgate.dataplane.reading.sealed import authorise
from gridgate.dataplane.registry.port import Application, RegistryUnavailable
from gridgate.dataplane.registry.sqlite import SqliteRegistry
from tests.dataplane_world import (
    ACME,
    CHARLIE,
    CONSO,
    FOREIGN,
    NOW,
    PARIS,
    TIERS1,
    UNKNOWN,
    Client,
    RegistryFile,
    days_ago,
    midnight,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RegistryFile]:
    file = RegistryFile(tmp_path / "registry.sqlite3")
    file.point(CONSO, holder=ACME)
    file.point(FOREIGN, holder=CHARLIE)
    yield file
    file.db.close()


@pytest.fixture
def tiers1(world: RegistryFile) -> Client:
    return world.application("tiers1", TIERS1, "enedis")


@pytest.fixture
def registry(world: RegistryFile) -> Iterator[SqliteRegistry]:
    registry = SqliteRegistry(world.path, zone=PARIS)
    yield registry
    registry.close()


def call(registry: SqliteRegistry, token: str, point: str = CONSO, api: str = "enedis") -> Caller:
    return authenticate(registry, token, api=api, metering_point=point, at=NOW)


def a_week() -> Wanted:
    return Wanted(
        CONSO, Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, Interval(NOW - timedelta(days=7), NOW), NOW
    )


class TestBearer:
    def test_returns_the_token_whatever_the_case_of_the_scheme(self) -> None:
        assert bearer("Bearer abc") == bearer("bearer abc") == bearer("BEARER  abc ") == "abc"

    @pytest.mark.parametrize("header", [None, "", "Basic abc", "abc"])
    def test_says_that_a_token_is_missing(self, header: str | None) -> None:
        with pytest.raises(Unauthenticated) as refusal:
            bearer(header)
        assert refusal.value.fault is TokenFault.MISSING

    @pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer " + "x" * 600, "Bearer é"])
    def test_refuses_what_no_token_looks_like(self, header: str) -> None:
        with pytest.raises(Unauthenticated):
            bearer(header)


class TestAuthenticate:
    def test_finds_the_application_its_organisation_the_point_and_the_lines(
        self, world: RegistryFile, tiers1: Client, registry: SqliteRegistry
    ) -> None:
        world.line(CONSO, reader=TIERS1, holder=ACME, permission="ab" * 16)
        caller = call(registry, world.token(tiers1))
        assert caller.application.client_id == "tiers1"
        assert caller.application.organisation_name == "Tiers 1"
        assert caller.access.point is not None
        assert caller.access.point.segment == "C5"
        assert caller.access.point.journal_of == ACME
        assert caller.access.point.collection == "active"
        assert [line.permission for line in caller.access.lines] == ["abababab-abab-abab-abab-abababababab"]
        assert caller.access.valid(NOW)

    def test_tells_an_unknown_point_from_one_without_a_line_only_inside(
        self, world: RegistryFile, tiers1: Client, registry: SqliteRegistry
    ) -> None:
        token = world.token(tiers1)
        unknown, foreign = call(registry, token, UNKNOWN), call(registry, token, FOREIGN)
        assert unknown.access.point is None
        assert foreign.access.point is not None
        assert unknown.access.lines == foreign.access.lines == ()
        assert (
            authorise(unknown.access, a_week())
            == authorise(foreign.access, a_week())
            == Refused(RefusalReason.NO_PERMISSION)
        )

    def test_refuses_an_unknown_token(self, tiers1: Client, registry: SqliteRegistry) -> None:
        with pytest.raises(Unauthenticated) as refusal:
            call(registry, "not a token of ours")
        assert refusal.value.fault is TokenFault.UNKNOWN

    def test_refuses_a_token_from_the_second_it_expires(
        self, world: RegistryFile, tiers1: Client, registry: SqliteRegistry
    ) -> None:
        still_valid = world.token(tiers1, at=NOW - timedelta(seconds=3599))
        expired = world.token(tiers1, at=NOW - timedelta(seconds=3600))
        call(registry, still_valid)
        with pytest.raises(Unauthenticated) as refusal:
            call(registry, expired)
        assert refusal.value.fault is TokenFault.EXPIRED

    def test_refuses_a_revoked_token(
        self, world: RegistryFile, tiers1: Client, registry: SqliteRegistry
    ) -> None:
        with pytest.raises(Unauthenticated) as refusal:
            call(registry, world.token(tiers1, revoked=True))
        assert refusal.value.fault is TokenFault.REVOKED

    def test_refuses_the_token_of_an_application_that_was_switched_off(
        self, world: RegistryFile, tiers1: Client, registry: SqliteRegistry
    ) -> None:
        token = world.token(tiers1)
        call(registry, token)
        world.db.execute("UPDATE applications_application SET active = 0")
        with pytest.raises(Unauthenticated):
            call(registry, token)

    def test_refuses_an_api_to_which_the_application_is_not_subscribed(
        self, world: RegistryFile, tiers1: Client, registry: SqliteRegistry
    ) -> None:
        token = world.token(tiers1)
        with pytest.raises(NotSubscribed):
            call(registry, token, api="native")
        world.db.execute("UPDATE applications_apisubscription SET active = 0")
        with pytest.raises(NotSubscribed):
            call(registry, token)

    def test_sees_a_line_end_at_the_next_request(
        self, world: RegistryFile, tiers1: Client, registry: SqliteRegistry
    ) -> None:
        line, token = world.line(CONSO, reader=TIERS1, holder=ACME), world.token(tiers1)
        assert isinstance(authorise(call(registry, token).access, a_week()), Granted)
        world.end(line)
        assert authorise(call(registry, token).access, a_week()) == Refused(RefusalReason.NO_PERMISSION)

    def test_a_line_that_has_ended_tells_nothing_about_the_point(
        self, world: RegistryFile, tiers1: Client, registry: SqliteRegistry
    ) -> None:
        world.line(CONSO, reader=TIERS1, holder=ACME, valid_until=days_ago(3))
        caller = call(registry, world.token(tiers1))
        assert not caller.access.valid(NOW)
        assert authorise(caller.access, a_week()) == Refused(RefusalReason.EXPIRED)

    def test_names_the_holder_of_today_after_a_change_of_title(
        self, world: RegistryFile, tiers1: Client, registry: SqliteRegistry
    ) -> None:
        world.db.execute(
            "UPDATE metering_titleholding SET valid_to = '2026-11-25' WHERE holder_id = ?", (ACME,)
        )
        world.db.execute(
            "INSERT INTO metering_titleholding (metering_point_id, holder_id, valid_from)"
            " VALUES (?, ?, '2026-11-25')",
            (CONSO, CHARLIE),
        )
        caller = call(registry, world.token(tiers1))
        assert caller.access.point is not None
        assert caller.access.point.journal_of == CHARLIE


class TestRegistry:
    def test_fails_closed_without_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(RegistryUnavailable) as failure:
            call(SqliteRegistry(tmp_path / "nowhere.sqlite3", zone=PARIS), "token")
        assert failure.value.kind is ErrorKind.UNAVAILABLE

    def test_fails_closed_without_the_projection(
        self, world: RegistryFile, tiers1: Client, registry: SqliteRegistry
    ) -> None:
        token = world.token(tiers1)
        call(registry, token)
        world.db.execute("DROP TABLE sharing_accessline")
        with pytest.raises(RegistryUnavailable):
            call(registry, token)
        with pytest.raises(RegistryUnavailable):
            registry.check()

    def test_fails_closed_while_the_file_is_locked(self, tmp_path: Path) -> None:
        path = tmp_path / "registry.sqlite3"
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE t (x)")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")  # not a WAL file: readers are shut out
        with pytest.raises(RegistryUnavailable, match="locked"):
            call(SqliteRegistry(path, zone=PARIS), "token")
        other.close()

    def test_answers_again_once_the_registry_is_back(
        self, world: RegistryFile, tiers1: Client, tmp_path: Path
    ) -> None:
        moved = world.path.rename(tmp_path / "away.sqlite3")
        registry = SqliteRegistry(world.path, zone=PARIS)
        with pytest.raises(RegistryUnavailable):
            call(registry, "token")
        world.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        moved.rename(world.path)
        registry.check()
        registry.close()

    def test_does_not_go_on_with_a_file_that_was_moved_away_or_written_over(
        self, world: RegistryFile, tiers1: Client, tmp_path: Path
    ) -> None:
        world.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        registry = SqliteRegistry(world.path, zone=PARIS)
        registry.check()
        moved = world.path.rename(tmp_path / "away.sqlite3")
        with pytest.raises(RegistryUnavailable, match="it is missing"):
            call(registry, "token")
        world.path.write_bytes(b"garbage" * 999)
        for _ in range(2):
            with pytest.raises(RegistryUnavailable, match="it is no SQLite database"):
                call(registry, "token")
        moved.replace(world.path)
        registry.check()
        registry.close()

    def test_cannot_write(self, world: RegistryFile, registry: SqliteRegistry) -> None:
        registry.check()
        connection = registry._connection
        assert connection is not None
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM sharing_accessline")

    def test_an_unknown_basis_is_no_basis(
        self, world: RegistryFile, tiers1: Client, registry: SqliteRegistry
    ) -> None:
        world.line(CONSO, reader=TIERS1, holder=ACME, basis="friendship")
        with pytest.raises(RegistryUnavailable, match="friendship"):
            call(registry, world.token(tiers1))

    def test_pages_the_points_of_a_reader(self, world: RegistryFile, registry: SqliteRegistry) -> None:
        ids = [f"{number:014d}" for number in range(1, 6)]
        for point in ids:
            world.point(point, holder=ACME)
        world.line(ids[4], reader=TIERS1, holder=ACME, valid_until=days_ago(1))
        for point in ids[:4]:
            world.line(point, reader=TIERS1, holder=ACME)
        world.line(ids[0], reader=TIERS1, holder=ACME, kinds=Kind.DAILY_ENERGY.bit)
        client = world.application("reader", TIERS1, "native")
        application = Application(client.id, client.client_id, TIERS1, "Tiers 1")
        first = registry.points(application, after="", limit=3, at=NOW)
        rest = registry.points(application, after=ids[2], limit=3, at=NOW)
        assert [access.point.id for access in (*first, *rest) if access.point] == ids[:4]
        assert [len(access.lines) for access in first] == [2, 1, 1]

    def test_gives_the_lines_of_many_points_at_once(
        self, world: RegistryFile, registry: SqliteRegistry
    ) -> None:
        found = registry.lines(ACME, [CONSO, FOREIGN, *(f"{n:014d}" for n in range(1200))])
        assert list(found) == [CONSO]
        assert found[CONSO][0].basis is Basis.TITLE
        assert found[CONSO][0].data_from == midnight(days_ago(0).replace(2024, 1, 1))

    def test_gives_the_lines_of_points_that_have_the_same_in_one_row(
        self, world: RegistryFile, registry: SqliteRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        points = [f"{number:014d}" for number in range(1200)]
        for point in points:
            world.line(point, reader=TIERS1, holder=ACME, basis="title")
        told: list[int] = []
        every = SqliteRegistry._all

        def counting(self: SqliteRegistry, statement: str, parameters: Any) -> Any:
            rows = every(self, statement, parameters)
            told.append(len(rows))
            return rows

        monkeypatch.setattr(SqliteRegistry, "_all", counting)
        found = registry.lines(TIERS1, points)
        assert (list(found), told) == (points, [1])
        assert len({id(lines) for lines in found.values()}) == 1

    def test_gives_a_point_its_several_lines_in_their_order(
        self, world: RegistryFile, registry: SqliteRegistry
    ) -> None:
        """Of two that allow as much, the first is the one that is logged."""
        early, late = "f" * 32, "0" * 32
        for permission in (early, late, early):
            world.line(CONSO, reader=TIERS1, holder=ACME, permission=permission)
        world.line(FOREIGN, reader=TIERS1, holder=ACME, permission=late)
        found = registry.lines(TIERS1, [FOREIGN, CONSO])
        assert [line.permission for line in found[CONSO]] == [str(UUID(one)) for one in (early, late, early)]
        assert [line.permission for line in found[FOREIGN]] == [str(UUID(late))]
        alone = registry.access(TIERS1, CONSO, at=NOW).lines
        assert found[CONSO] == alone

    def test_gives_the_lines_and_facts_of_one_point(
        self, world: RegistryFile, registry: SqliteRegistry
    ) -> None:
        access = registry.access(ACME, CONSO, at=NOW)
        assert access.point is not None
        assert access.point.subscribed_power_kva == 36
        assert len(access.lines) == 1
        assert registry.access(ACME, FOREIGN, at=NOW).lines == ()
        assert registry.access(ACME, UNKNOWN, at=NOW).point is None
