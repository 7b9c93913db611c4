"""A large export of several meters: asked for, prepared lot by lot, downloaded by whoever may still read all of it."""

import csv
import errno
import gc
import io
import re
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars
import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils.http import http_date

from gridgate.accounts.operations.own_account import delete_account
from gridgate.accounts.personal_data import export_of
from gridgate.config.environment import Environment
from gridgate.dataplane.client import MeasurementClient
from gridgate.delivery.folder import folder
from gridgate.delivery.models import PreparedFile
from gridgate.delivery.operations import prepared_files
from gridgate.organisations.models import Membership
from gridgate.portal import measurements
from gridgate.portal.screens.measurements import export_of_several, preparing
from gridgate.portal.screens.measurements.preparing import forget_unreadable, prepare
from tests.dataplane_plane import Plane
from tests.dataplane_world import days_ago
from tests.factories.organisations import make_member, restrict
from tests.functional.home.test_the_home_page import text_of
from tests.functional.measurements.test_several import allow, body
from tests.handles import handle
from tests.measured import Measured
from tests.world import NOW, World

FILES = "/mesures/fichiers/"
MONTH = "?tous=1&le=2026-11-01"
State = PreparedFile.State


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, at_once=0)
    monkeypatch.setattr(export_of_several, "ROWS_AT_ONCE", 30)  # a meter at a time


@pytest.fixture(autouse=True)
def a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """That of the process holds the files of worlds that are kept for other tests."""
    monkeypatch.setattr(Environment, "prepared", tmp_path / "prepared")


@pytest.fixture(autouse=True)
def committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for the commit is done at once: a test's own transaction is never committed."""
    monkeypatch.setattr(transaction, "on_commit", lambda act: act())


@pytest.fixture
def alice(world: World, measured: Measured) -> Client:
    return world.client("alice")


def ask(client: Client, query: str = MONTH, form: str = "csv") -> PreparedFile:
    answer = client.post(FILES + query, {"format": form})
    assert (answer.status_code, answer["Location"]) == (302, FILES)
    return PreparedFile.objects.latest("pk")


def make(file: PreparedFile, **arguments: Any) -> PreparedFile:
    """What the worker does, now."""
    claimed = prepared_files.claim_file(now=now())
    assert claimed is not None
    assert claimed.pk == file.pk
    prepare(claimed, clock=now, **arguments)
    file.refresh_from_db()
    return file


def now() -> datetime:
    return datetime.now(UTC)


def ready(client: Client, query: str = MONTH, form: str = "csv") -> PreparedFile:
    file = make(ask(client, query, form))
    assert file.state == State.READY
    return file


def address(file: PreparedFile) -> str:
    return f"{FILES}{handle(file)}"


def is_gone(client: Client, file: PreparedFile) -> bool:
    """Whether it is refused in the page's words, and deleted."""
    answer = client.get(address(file))
    assert answer.status_code == 410
    assert "Ce fichier n’est plus disponible" in answer.content.decode()
    return not PreparedFile.objects.filter(pk=file.pk).exists() and folder().found() == []


class TestAsking:
    def test_reads_nothing_and_shows_how_far_it_is(
        self, alice: Client, world: World, measured: Measured
    ) -> None:
        file = ask(alice)
        assert measured.asked == []
        assert (file.state, file.count, file.membership) == (State.WAITING, 4, world.alice)
        prepared_files.claim_file(now=now())
        file.refresh_from_db()
        prepared_files.tell_progress(file, done=3, size=100, now=now())
        page = alice.get(FILES)
        assert "3 sur 4" in text_of(page)
        assert '<progress max="4" value="3"' in page.content.decode()
        assert f'<a class="btn" href="{FILES}">' in page.content.decode(), "without a script"

    def test_twice_for_the_same_while_it_waits_is_once(self, alice: Client) -> None:
        assert ask(alice).pk == ask(alice).pk
        ask(alice, form="xlsx")
        assert PreparedFile.objects.count() == 2

    def test_is_for_three_files_at_a_time(self, alice: Client) -> None:
        for form in ("csv", "excel", "parquet"):
            last = ask(alice, form=form)
        assert ask(alice, form="xlsx").pk == last.pk
        assert "3 au plus, toutes entreprises confondues" in text_of(alice.get(FILES))
        alice.post(f"{address(last)}/supprimer")
        assert ask(alice, form="xlsx").pk != last.pk

    def test_has_no_room_beyond_what_the_operator_gives(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = ready(alice)
        monkeypatch.setattr("gridgate.portal.screens.measurements.prepared.most_bytes", lambda: file.size)
        assert ask(alice, form="excel").pk == file.pk
        assert "ne suffit pas en ce moment" in text_of(alice.get(FILES))

    @pytest.mark.parametrize("query", ["", "?tous=1&du=x&au=y", "?compteur=99999999999999"])
    def test_for_nothing_is_no_file(self, alice: Client, query: str) -> None:
        assert alice.post(FILES + query, {"format": "csv"}).status_code == 404
        assert not PreparedFile.objects.exists()


class TestPreparing:
    @pytest.mark.parametrize("form", export_of_several.FORMATS)
    def test_makes_the_file_that_small_ones_are(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch, form: str
    ) -> None:
        prepared = body(alice.get(address(ready(alice, form=form))))
        allow(monkeypatch, at_once=1000)
        direct = body(alice.get(f"/mesures/ensemble/export{MONTH}&format={form}"))
        if form == "parquet":
            frames = [polars.read_parquet(io.BytesIO(content)) for content in (prepared, direct)]
            assert frames[0].equals(frames[1])
            assert frames[0].height == 4 * 30
        elif form == "xlsx":
            assert prepared[:2] == direct[:2] == b"PK"
        else:
            assert prepared == direct

    def test_is_for_its_own_user_alone_on_disk(self, alice: Client, world: World) -> None:
        file = ready(alice)
        place = folder().path / file.name
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder().path.stat().st_mode) == 0o700
        assert folder().found() == [file.name], "nothing of the making stays"
        assert file.size == place.stat().st_size

    def test_reads_meter_after_meter_as_the_person_may_then(
        self, world: World, measured: Measured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Bob loses one point, and ACME another, after the first was read."""
        restrict(world.bob, [world.p1.pk, world.p2.pk, world.p3.pk])
        bob = world.client("bob")
        file = ask(bob)
        told = prepared_files.tell_progress

        def narrowed(*arguments: Any, **named: Any) -> None:
            told(*arguments, **named)
            if named["done"] == 1:
                restrict(world.bob, [file.points[0], file.points[1]])
                measured.unreadable.add(file.points[1])

        monkeypatch.setattr(prepared_files, "tell_progress", narrowed)
        make(file)
        assert file.state == State.READY
        assert file.left_out == file.points[1:]
        assert [set(asked[2:]) for asked in measured.asked] == [{file.points[0]}, {file.points[1]}]
        rows = list(csv.reader(io.StringIO(body(bob.get(address(file))).decode())))
        assert {row[0] for row in rows[1:]} == {file.points[0]}
        assert "2 compteurs ne pouvaient plus être lus et n’y sont pas" in text_of(bob.get(FILES))
        assert file.points[2] in text_of(bob.get(FILES))

    def test_of_meters_that_may_not_be_read_any_more_says_so(self, alice: Client, measured: Measured) -> None:
        file = ask(alice)
        measured.unreadable.update(file.points)
        assert make(file).failure == PreparedFile.Failure.NOTHING_LEFT
        assert "Aucun de ces compteurs ne pouvait plus être lu" in text_of(alice.get(FILES))
        assert folder().found() == []

    def test_for_somebody_who_left_reads_nothing(self, world: World, measured: Measured) -> None:
        file = ask(world.client("bob"))
        Membership.objects.filter(pk=world.bob.pk).update(ended_at=now())
        make(file)
        assert measured.asked == []
        prepared_files.forget_over(now=now())
        assert not PreparedFile.objects.exists()
        assert folder().found() == []

    def test_is_begun_again_when_the_worker_is_killed_and_given_up_the_third_time(
        self, alice: Client
    ) -> None:
        file = ask(alice)
        for attempt in (1, 2, 3):
            claimed = prepared_files.claim_file(now=now() + attempt * timedelta(hours=1))
            assert claimed is not None
            assert prepared_files.claim_file(now=now() + attempt * timedelta(hours=1)) is None, "leased"
            left = folder().path / f"{file.name}.{attempt}"
            left.mkdir(parents=True)
            (left / "values.csv").write_text("half")
        assert prepared_files.claim_file(now=now() + timedelta(hours=4)) is None
        assert "La préparation a été interrompue plusieurs fois" in text_of(alice.get(FILES))
        prepared_files.forget_over(now=now())
        assert folder().found() == [], "what the killed ones left"
        again = ask(alice)
        assert again.pk != file.pk
        assert make(again).state == State.READY

    def test_after_a_killed_attempt_is_whole(self, alice: Client) -> None:
        file = ask(alice)
        assert prepared_files.claim_file(now=now() - timedelta(hours=1)) is not None
        assert make(file).state == State.READY
        assert file.attempts == 2

    def test_that_another_worker_took_over_changes_nothing(self, alice: Client, measured: Measured) -> None:
        file = ask(alice)
        slow = prepared_files.claim_file(now=now() - timedelta(hours=1))
        assert slow is not None
        make(file)
        prepare(slow, clock=now)
        file.refresh_from_db()
        assert (file.state, file.attempts) == (State.READY, 2)
        assert folder().found() == [file.name]

    def test_that_another_worker_took_over_and_finished_is_the_other_ones(
        self, alice: Client, measured: Measured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = ask(alice)
        slow = prepared_files.claim_file(now=now())
        assert slow is not None
        written = export_of_several.write

        def write_and_wait(*arguments: Any) -> Path:
            whole = written(*arguments)
            monkeypatch.setattr(preparing, "write", written)
            measured.unreadable.add(file.points[0])
            PreparedFile.objects.update(leased_until=now())  # it took longer than its lease
            make(file)
            return whole

        monkeypatch.setattr(preparing, "write", write_and_wait)
        prepare(slow, clock=now)
        file.refresh_from_db()
        assert (file.state, file.left_out) == (State.READY, [file.points[0]])
        assert file.points[0] not in (folder().path / file.name).read_text(), "what its rights are not of"

    def test_that_is_cancelled_meanwhile_leaves_nothing(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = ask(alice)
        claimed = prepared_files.claim_file(now=now())
        assert claimed is not None
        kept = folder().__class__.keep

        def keep_late(self: Any, made: Path, name: str) -> None:
            kept(self, made, name)
            alice.post(f"{address(file)}/supprimer")

        monkeypatch.setattr(folder().__class__, "keep", keep_late)
        prepare(claimed, clock=now)
        assert not PreparedFile.objects.exists()
        assert folder().found() == []

    def test_of_a_worker_that_stops_is_the_next_ones_at_once(self, alice: Client) -> None:
        file = make(ask(alice), stopped=lambda: True)
        assert (file.state, file.attempts, file.leased_until) == (State.WAITING, 0, None)
        assert make(file).state == State.READY

    def test_on_a_full_disk_is_told_and_leaves_nothing(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        file = ask(alice)
        with monkeypatch.context() as disk:
            disk.setattr(folder().__class__, "keep", full)
            make(file)
        assert (file.state, file.failure, file.size) == (State.FAILED, PreparedFile.Failure.NO_ROOM, 0)
        assert folder().found() == []
        assert "ne suffit pas en ce moment" in text_of(alice.get(FILES))
        assert ready(alice).pk != file.pk

    def test_as_parquet_on_a_full_disk_is_told_too(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written = export_of_several.write

        def write_on_a_full_disk(exported: Any, form: str, made: Path) -> Path:
            (made / "values.parquet").symlink_to("/dev/full")
            return written(exported, form, made)

        monkeypatch.setattr(preparing, "write", write_on_a_full_disk)
        file = make(ask(alice, form="parquet"))
        assert (file.state, file.failure) == (State.FAILED, PreparedFile.Failure.NO_ROOM)

    def test_on_a_disk_that_cannot_be_written_to_does_not_say_that_measurements_did_not_answer(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(*_: Any) -> int:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(folder().__class__, "flush", refused)
        file = ask(alice)
        for attempt in range(prepared_files.MOST_ATTEMPTS):
            with time_machine.travel(NOW + attempt * timedelta(minutes=2)):
                make(file)
        assert file.state == State.FAILED
        assert "n’ont pas répondu" not in text_of(alice.get(FILES))

    def test_beyond_the_room_of_all_is_told(self, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        file = ask(alice, form="parquet")
        monkeypatch.setattr(preparing, "most_bytes", lambda: 1)
        assert make(file).failure == PreparedFile.Failure.NO_ROOM
        assert folder().found() == []

    def test_while_measurements_do_not_answer_is_tried_again(self, alice: Client, measured: Measured) -> None:
        file = ask(alice)
        measured.broken = True
        assert make(file).state == State.WAITING
        assert prepared_files.claim_file(now=now()) is None, "a little later"
        measured.broken = False
        with time_machine.travel(NOW + timedelta(minutes=2)):
            assert make(file).state == State.READY


class TestDownloading:
    def test_is_for_whoever_asked_and_for_nobody_else(self, alice: Client, world: World) -> None:
        file = ready(alice)
        colleague = make_member(world.acme, "Aline", role="administrator", email="aline@acme.example")
        for name in ("bob", "charlie", "tiers1"):
            other = replace(world, bob=colleague).client(name)
            for method in (other.get, other.head):
                assert method(address(file)).status_code == 404, name
            assert other.post(f"{address(file)}/supprimer").status_code == 404, name
            assert handle(file) not in other.get(FILES).content.decode()
        assert world.visitor().get(address(file)).status_code == 302
        assert len(body(alice.get(address(file)))) == file.size

    def test_is_for_one_company_of_the_person(self, alice: Client, world: World) -> None:
        file = ready(alice)
        Membership.objects.create(
            user=world.alice.user, organisation=world.client_b, role="administrator", created_at=NOW
        )
        session = alice.session
        session["membership"] = Membership.objects.get(organisation=world.client_b, user=world.alice.user).pk
        session.save()
        assert alice.get(address(file)).status_code == 404

    def test_one_that_waits_is_none(self, alice: Client) -> None:
        assert alice.get(address(ask(alice))).status_code == 404

    def test_is_gone_once_the_perimeter_is_narrower(self, world: World, measured: Measured) -> None:
        bob = world.client("bob")
        file = ready(bob)
        restrict(world.bob, [world.p1.pk])
        assert is_gone(bob, file)

    def test_is_gone_once_the_company_may_not_read_a_point(self, alice: Client, measured: Measured) -> None:
        file = ready(alice)
        measured.unreadable.add(file.points[2])
        assert is_gone(alice, file)

    def test_is_gone_once_some_of_its_time_may_not_be_read(self, alice: Client, measured: Measured) -> None:
        file = ready(alice)
        measured.readable_from = datetime(2026, 10, 1, tzinfo=UTC)
        assert body(alice.get(address(file))), "what it has may be read still"
        measured.readable_from = datetime(2026, 11, 2, tzinfo=UTC)
        assert is_gone(alice, file)

    def test_is_gone_once_measurements_of_a_point_are_erased(self, alice: Client, measured: Measured) -> None:
        file = ready(alice)
        measured.erased.add(file.points[3])
        assert is_gone(alice, file)

    def test_without_the_service_is_refused_and_taken_away(self, world: World, measured: Measured) -> None:
        bob = world.client("bob")
        file = ready(bob)
        world.bob.groups.all().delete()
        assert bob.get(address(file)).status_code == 403
        assert forget_unreadable(now=now()) == 1
        assert folder().found() == []

    def test_what_is_unreadable_is_looked_for_one_file_at_a_time(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of many points a file's row is large: a worker has room for one of them."""
        for form in ("csv", "excel", "parquet"):
            ready(alice, form=form)
        held = []

        def readable(file: PreparedFile, *_: Any, **__: Any) -> bool:
            gc.collect()
            held.append(sum(isinstance(one, PreparedFile) for one in gc.get_objects()))
            return file.format == "excel"

        gc.collect()
        before = sum(isinstance(one, PreparedFile) for one in gc.get_objects())
        monkeypatch.setattr(preparing, "still_readable", readable)
        assert forget_unreadable(now=now()) == 2
        assert max(held) - before <= 2  # that one, and the last that was looked at
        assert PreparedFile.objects.get().format == "excel"

    def test_after_leaving_the_company_is_nobodys(self, world: World, measured: Measured) -> None:
        bob = world.client("bob")
        file = ready(bob)
        Membership.objects.filter(pk=world.bob.pk).update(ended_at=now())
        assert bob.get(address(file)).status_code != 200
        prepared_files.forget_over(now=now())
        assert not PreparedFile.objects.filter(pk=file.pk).exists()
        assert folder().found() == []

    def test_lasts_a_day(self, alice: Client) -> None:
        file = ready(alice)
        with time_machine.travel(NOW + timedelta(hours=11)):
            assert prepared_files.forget_over(now=now()) == 0
        file.expires_at = now()
        file.save()
        assert alice.get(address(file)).status_code == 404, "before the worker comes"
        assert prepared_files.forget_over(now=now()) == 1
        assert folder().found() == []

    def test_ends_with_the_account(self, world: World, measured: Measured) -> None:
        ready(world.client("bob"))
        (told,) = export_of(user=world.bob.user, now=now())["prepared_files"]
        assert (told["state"], told["metering_points"]) == ("ready", [world.p2.pk, world.p1.pk])
        delete_account(user=world.bob.user, now=now())
        assert not PreparedFile.objects.exists()
        assert folder().found() == []

    def test_of_a_file_that_is_lost_says_so(self, alice: Client) -> None:
        file = ready(alice)
        folder().remove([file.name])
        assert is_gone(alice, file)

    def test_says_nothing_to_others_of_what_no_row_names(self, alice: Client) -> None:
        folder().path.mkdir(exist_ok=True, mode=0o700)
        (folder().path / "left").write_text("1")
        prepared_files.forget_over(now=now())
        assert folder().found() == []


class TestResuming:
    @pytest.fixture
    def file(self, alice: Client) -> PreparedFile:
        return ready(alice)

    @pytest.fixture
    def whole(self, alice: Client, file: PreparedFile) -> bytes:
        return body(alice.get(address(file)))

    def test_a_whole_file_says_that_it_can_be_resumed(self, alice: Client, file: PreparedFile) -> None:
        answer = alice.get(address(file))
        assert answer["Accept-Ranges"] == "bytes"
        assert re.fullmatch(r'"[0-9a-f]{32}"', answer["ETag"])
        assert int(answer["Content-Length"]) == file.size
        assert "private" in answer["Cache-Control"] or "no-store" in answer["Cache-Control"]
        answer.close()

    @pytest.mark.parametrize(
        ("asked", "first", "after"),
        [
            ("bytes=0-9", 0, 10),
            ("bytes=100-", 100, None),
            ("bytes=-7", -7, None),
            ("bytes=-99999999", 0, None),
            ("bytes=50-99999999", 50, None),
            ("Bytes = 3-3", 3, 4),
        ],
    )
    def test_a_part_is_what_it_says(
        self,
        alice: Client,
        file: PreparedFile,
        whole: bytes,
        asked: str,
        first: int,
        after: int | None,
    ) -> None:
        answer = alice.get(address(file), headers={"Range": asked})
        part = b"".join(answer.streaming_content)
        answer.close()
        start = first % len(whole)
        assert (answer.status_code, part) == (206, whole[first:after])
        assert answer["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(whole)}"
        assert int(answer["Content-Length"]) == len(part)

    @pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=x-y", "bytes=-", "lines=0-1", "bytes=9-3"])
    def test_what_is_no_single_range_is_the_whole(
        self, alice: Client, file: PreparedFile, whole: bytes, asked: str
    ) -> None:
        answer = alice.get(address(file), headers={"Range": asked})
        assert (answer.status_code, body(answer)) == (200, whole)

    @pytest.mark.parametrize("asked", ["bytes={size}-", "bytes=99999999-", "bytes=-0"])
    def test_a_part_that_is_not_there_is_416(self, alice: Client, file: PreparedFile, asked: str) -> None:
        answer = alice.get(address(file), headers={"Range": asked.format(size=file.size)})
        assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{file.size}")

    def test_goes_on_only_with_the_same_file(self, alice: Client, file: PreparedFile, whole: bytes) -> None:
        assert file.ready_at is not None
        same = (f'"{file.name}"', http_date(int(file.ready_at.timestamp())))
        others = ('"other"', f'W/"{file.name}"', http_date(file.ready_at.timestamp() - 5), "x")
        for condition in same + others:
            answer = alice.get(address(file), headers={"Range": "bytes=4-", "If-Range": condition})
            assert answer.status_code == (206 if condition in same else 200), condition
            assert b"".join(answer.streaming_content) == (whole[4:] if condition in same else whole)
            answer.close()

    def test_conditions_hold(self, alice: Client, file: PreparedFile) -> None:
        tag = f'"{file.name}"'
        assert alice.get(address(file), headers={"If-None-Match": tag}).status_code == 304
        assert alice.get(address(file), headers={"If-Match": '"other"'}).status_code == 412

    def test_a_head_has_all_but_the_bytes(self, alice: Client, file: PreparedFile) -> None:
        answer = alice.head(address(file), headers={"Range": "bytes=0-1"})
        assert (answer.status_code, int(answer["Content-Length"])) == (200, file.size)
        assert answer["ETag"] == f'"{file.name}"'

    def test_each_part_is_asked_about_again(
        self, alice: Client, file: PreparedFile, measured: Measured
    ) -> None:
        answer = alice.get(address(file), headers={"Range": "bytes=0-9"})
        assert answer.status_code == 206
        answer.close()
        measured.unreadable.add(file.points[0])
        assert alice.get(address(file), headers={"Range": "bytes=10-"}).status_code == 410


def test_each_point_is_decided_and_logged_as_a_read_of_its_own(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the data plane itself: the file has what it answers, its log a line a point, and what it takes away is gone."""
    plane = Plane(tmp_path)
    holder = world.acme.pk
    for point in (world.p1.pk, world.p2.pk):
        plane.world.point(point, holder=holder)
        plane.put_curve(point, days_ago(10), 10)
    client = MeasurementClient(plane.config)
    monkeypatch.setattr(measurements, "client", lambda: client)
    try:
        bob = world.client("bob")
        week = f"?tous=1&vue=dates&du={days_ago(7)}&au={days_ago(1)}&grandeur=puissance"
        file = ready(bob, week)
        rows = list(csv.reader(io.StringIO(body(bob.get(address(file))).decode())))
        assert len(rows) == 1 + 2 * 7 * 48
        lines = plane.logged()
        assert sorted(line["metering_point"] for line in lines) == sorted([world.p1.pk, world.p2.pk])
        assert {(line["channel"], line["user"], line["outcome"], line["values"]) for line in lines} == {
            ("export", world.bob.user_id, "granted", 336)
        }
        plane.world.db.execute(
            "UPDATE sharing_accessline SET data_from = ? WHERE metering_point_id = ?",
            (int(datetime(2026, 11, 20, tzinfo=UTC).timestamp()), world.p1.pk),
        )
        assert is_gone(bob, file)
        file = ready(bob, week)
        plane.store.erase(world.p2.pk, before=days_ago(3))
        assert is_gone(bob, file)
    finally:
        client.close()
        plane.close()


def test_the_folder_is_the_instances_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert folder().path == settings.ENVIRONMENT.data / "prepared"
