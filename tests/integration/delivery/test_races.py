"""Files that two workers prepare, that are cancelled and swept at once, stepped through: what comes in between is done
right after the statement, or the call, that it must not follow unseen.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from gridgate.config.environment import Environment
from gridgate.delivery import folder as prepared_folder
from gridgate.delivery.folder import PreparedFolder, folder
from gridgate.delivery.models import PreparedFile
from gridgate.delivery.operations import prepared_files
from gridgate.delivery.operations.prepared_files import (
    LEASE,
    FileAsked,
    TooManyFiles,
    claim_file,
)
from gridgate.portal.screens.measurements import preparing
from tests.world import NOW, World

State = PreparedFile.State
LATER = NOW + LEASE


@pytest.fixture(autouse=True)
def a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Environment, "prepared", tmp_path / "prepared")


@pytest.fixture(autouse=True)
def committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "on_commit", lambda act: act())


def ask(world: World, address: str = "?tous=1") -> PreparedFile:
    asked = FileAsked(
        "energie",
        "soutirage",
        date(2026, 11, 1),
        date(2026, 11, 2),
        [world.p1.pk],
        address,
        "csv",
        "fr",
    )
    return prepared_files.ask_for_file(actor=world.alice, asked=asked, most_bytes=1, now=NOW)


@contextmanager
def right_after(statement: str, act: Callable[[], object]) -> Iterator[None]:
    """Do it once, right after the first statement that begins so."""
    left = [act]

    def between(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        found = execute(sql, *more)
        if left and sql.startswith(statement):
            left.pop()()
        return found

    with connection.execute_wrapper(between):
        yield
    assert not left, "it came to that statement"


def fail(file: PreparedFile) -> None:
    prepared_files.give_file_up(file, PreparedFile.Failure.UNAVAILABLE)


def now_of(file: PreparedFile) -> PreparedFile:
    file.refresh_from_db()
    return file


class TestClaiming:
    def test_one_cancelled_in_this_moment_leads_to_the_next(self, world: World) -> None:
        first, second = ask(world), ask(world, "?tous=1&x")
        with right_after("UPDATE", lambda: PreparedFile.objects.filter(pk=first.pk).delete()):
            assert claim_file(now=NOW) == second

    def test_one_cancelled_in_this_moment_is_none(self, world: World) -> None:
        ask(world)
        with right_after("UPDATE", lambda: PreparedFile.objects.all().delete()):
            assert claim_file(now=NOW) is None

    def test_for_longer_than_the_lease_is_anothers(self, world: World) -> None:
        ask(world)
        others: list[PreparedFile | None] = []
        with right_after("UPDATE", lambda: others.append(claim_file(now=LATER))):
            assert claim_file(now=NOW) is None
        assert [file and file.attempts for file in others] == [2]

    def test_at_once_is_one_claim(self, world: World) -> None:
        ask(world)
        others: list[PreparedFile | None] = []
        with right_after("SELECT", lambda: others.append(claim_file(now=NOW))):
            assert claim_file(now=NOW) is None
        assert [file and file.attempts for file in others] == [1]

    def test_gives_up_only_what_was_begun_too_often_still(self, world: World) -> None:
        file = ask(world)
        for attempt in range(prepared_files.MOST_ATTEMPTS):
            last = claim_file(now=NOW + attempt * LEASE)
        assert last is not None
        with right_after("SELECT", lambda: prepared_files.put_file_back(last)):
            assert claim_file(now=NOW + timedelta(hours=1)) is None
        assert now_of(file).state == State.WAITING
        again = claim_file(now=NOW + timedelta(hours=1))
        assert again is not None
        assert again.attempts == prepared_files.MOST_ATTEMPTS


class TestSweeping:
    def test_what_an_attempt_removes_by_itself_at_that_moment(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        removed, gone = shutil.rmtree, folder().path / "gone.1"
        gone.mkdir(parents=True)
        (folder().path / "left.1").mkdir()

        def twice(path: Path) -> None:
            removed(path)
            removed(path)

        monkeypatch.setattr(prepared_folder.shutil, "rmtree", twice)
        prepared_files.forget_over(now=NOW)
        assert folder().found() == []

    def test_spares_the_attempt_that_another_worker_began_with_the_number_of_one_given_back(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is found, given back, looked up, claimed again, and only then would it be removed."""
        file = ask(world)
        first = claim_file(now=NOW)
        assert first is not None
        place = folder().path / f"{file.name}.1"
        place.mkdir(parents=True)
        found, swept = PreparedFolder.found, PreparedFolder.sweep

        def found_then_given_back(self: PreparedFolder) -> list[str]:
            names = found(self)
            prepared_files.put_file_back(first)
            return names

        def swept_after_a_claim(self: PreparedFolder, *arguments: Any) -> int:
            again = claim_file(now=NOW)
            assert again is not None
            assert again.attempts == 1
            return swept(self, *arguments)

        monkeypatch.setattr(PreparedFolder, "found", found_then_given_back)
        monkeypatch.setattr(PreparedFolder, "sweep", swept_after_a_claim)
        prepared_files.forget_over(now=NOW)
        assert place.is_dir()

    @pytest.mark.parametrize("step", ["found", "sweep"])
    def test_spares_what_is_finished_meanwhile(
        self, world: World, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        file = ask(world)
        claimed = claim_file(now=NOW)
        assert claimed is not None
        with folder().attempt(file.name, 1) as made:
            (made / "values.csv").write_text("1")
            whole = getattr(PreparedFolder, step)

            def finished_then(*arguments: Any) -> Any:
                answer = whole(*arguments) if step == "found" else None
                prepared_files.finish_file(claimed, made / "values.csv", left_out=[], rights={}, now=NOW)
                return answer if step == "found" else whole(*arguments)

            with monkeypatch.context() as stepped:
                stepped.setattr(PreparedFolder, step, finished_then)
                prepared_files.forget_over(now=NOW)
        assert folder().found() == [file.name]

    def test_takes_away_what_a_failed_one_had_put_in_its_place(self, world: World) -> None:
        """Its row could not be written any more, and every attempt after it failed."""
        file = ask(world)
        claimed = claim_file(now=NOW)
        assert claimed is not None
        folder().path.mkdir()
        (folder().path / file.name).write_text("1")
        prepared_files.forget_over(now=NOW)
        assert folder().found() == [file.name], "it may be put there at this moment"
        fail(claimed)
        prepared_files.forget_over(now=NOW)
        assert folder().found() == []

    def test_an_attempt_that_was_cancelled_is_no_fault_of_the_disk(
        self, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        ask(world)
        claimed = claim_file(now=NOW)
        assert claimed is not None

        def cancelled_and_swept(file: PreparedFile, made: Path, *_: Any) -> None:
            prepared_files.discard(PreparedFile.objects.all())
            prepared_files.forget_over(now=NOW)
            (made / "values.csv").write_text("1")

        monkeypatch.setattr(preparing, "_make", cancelled_and_swept)
        preparing.prepare(claimed, clock=lambda: NOW)
        assert folder().found() == []
        assert "a file asked for" not in caplog.text


def test_what_is_discarded_is_found_and_deleted_in_one_transaction(world: World) -> None:
    """Finished in between, and kept for another day, it would be lost."""
    ask(world)
    with CaptureQueriesContext(connection) as asked:
        prepared_files.discard(PreparedFile.objects.all())
    assert asked.captured_queries[0]["sql"].startswith("SAVEPOINT")
    assert asked.captured_queries[-1]["sql"].startswith("RELEASE")


class TestWhatFailed:
    def test_does_not_count_among_those_that_one_may_have(self, world: World) -> None:
        for number in range(prepared_files.MOST_FILES):
            fail(ask(world, f"?{number}"))
        for number in range(prepared_files.MOST_FILES):
            ask(world, f"?more{number}")
        with pytest.raises(TooManyFiles):
            ask(world, "?one-more")

    def test_is_told_of_the_last_few_alone(self, world: World) -> None:
        for number in range(9):
            file = ask(world, f"?{number}")
            fail(file)
        kept = set(PreparedFile.objects.values_list("address", flat=True))
        assert kept == {"?5", "?6", "?7", "?8"}, "those told when the last was asked for, and that one"
