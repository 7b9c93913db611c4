"""Lines that are counted and cannot be read: how many is told, and the others are shown all the same."""

import tracemalloc
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import Q

from gridgate.audit.lines import Columns
from gridgate.audit.models import AccessLogSegment, LogStretch
from gridgate.audit.queries.entries import entries_by, search
from gridgate.audit.queries.index import is_readable
from gridgate.audit.queries.wanted import Wanted
from gridgate.config.access_log.folding import fold_access_log
from gridgate.config.access_log.losses import lost_segments
from gridgate.config.access_log.packing import pack_past_days
from gridgate.config.environment import Environment
from gridgate.dataplane.accesslog import AccessEntry, AccessLog
from gridgate.dataplane.accesslog.segments import segment_paths

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
FIRST, SECOND = 3000, 2
"""Reads of two days, a segment each: the first has several frames once it is packed."""


@dataclass(frozen=True)
class Holder:
    organisation_id: int = 3

    def has(self, code: str) -> bool:
        return True

    def within(self, code: str, field: str) -> Q:
        return Q()

    def count_within(self, code: str) -> int:
        return 0


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    environment = Environment(data=tmp_path)
    environment.access_log.mkdir()
    monkeypatch.setattr(settings, "ENVIRONMENT", environment)
    monkeypatch.setattr(settings, "LOG_LINES", "gridgate.config.access_log.reading.read_lines")
    for back, count in ((3, FIRST), (2, SECOND)):
        log = AccessLog(environment.access_log, "test", started_at=NOW)
        at = NOW - timedelta(days=back)
        log.append(*(replace(ENTRY, at=at + timedelta(seconds=n)) for n in range(count)))
        log.close()
    fold_access_log(environment)
    return environment


ENTRY = AccessEntry(
    NOW, "screen", "granted", 3, "ACME", "30001480112233", 3, "load_curve", "withdrawal", user=4
)


@pytest.mark.parametrize(
    "columns", [b"?", zlib.compress(bytes(32 * 10**6))], ids=["damaged", "of a million lines"]
)
def test_an_index_that_is_not_what_was_packed_is_told_and_other_segments_are_shown(
    environment: Environment, columns: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    first, _ = segment_paths(environment.access_log)
    LogStretch.objects.filter(segment__name=first.name).update(columns=columns)
    entries = search(actor=Holder(), wanted=Wanted())
    assert (len(list(entries)), entries.unreadable) == (SECOND, FIRST)
    assert (
        f"the index of segment {AccessLogSegment.objects.get(name=first.name).pk} is damaged" in caplog.text
    )
    assert not is_readable(first.name)


def test_no_more_is_unpacked_than_the_lines_there_are() -> None:
    """Ten kilobytes, packed by hand, are ten megabytes."""
    columns = Columns.of((at, at, 1, 2) for at in range(3))
    assert Columns.unpack(columns.pack(), most=3).offset.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="2 lines or fewer"):
        Columns.unpack(columns.pack(), most=2)
    bomb = zlib.compress(bytes(32 * 10**6))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="3 lines or fewer"):
            Columns.unpack(bomb, most=3)
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


def missing(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    """All but its beginning is gone; of the packed form, where its frames begin is at the end."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def damaged(path: Path) -> None:
    """Some bytes in the middle."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)
    path.write_bytes(content)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize(
    ("harm", "least", "most", "checked"),
    [(missing, FIRST, FIRST, True), (cut, FIRST // 3, FIRST, True), (damaged, 1, FIRST // 2, False)],
)
def test_how_many_cannot_be_shown_is_told_and_the_others_are(
    environment: Environment, packed: bool, harm: object, least: int, most: int, checked: bool
) -> None:
    if packed:
        assert pack_past_days(environment, NOW) == 2
    path, other = segment_paths(environment.access_log)
    assert path.name.endswith(".zst") is packed
    whole = search(actor=Holder(), wanted=Wanted())
    assert (len(list(whole)), whole.unreadable) == (FIRST + SECOND, 0)
    harm(path)  # type: ignore[operator]
    entries = search(actor=Holder(), wanted=Wanted())
    shown = list(entries)
    assert entries.count() == FIRST + SECOND
    assert least <= entries.unreadable <= most
    assert len(shown) + entries.unreadable == FIRST + SECOND
    own = list(entries_by(user=4))
    assert (own.count(None), len(own)) == (entries.unreadable, FIRST + SECOND)
    page = search(actor=Holder(), wanted=Wanted())
    assert (len(page[0:SECOND]), page.unreadable) == (SECOND, 0)
    there = len(page[SECOND : FIRST + SECOND])
    assert there + page.unreadable == FIRST
    name = path.name.removesuffix(".zst")
    assert (name in lost_segments(environment)) is checked
    assert is_readable(name) is not checked
    assert is_readable(other.name.removesuffix(".zst"))
