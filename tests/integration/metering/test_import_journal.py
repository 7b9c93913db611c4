"""A file is checked, kept, then imported or forgotten."""

from datetime import timedelta

import pytest

from gridgate.metering.imports.findings import Code
from gridgate.metering.imports.journal import (
    check_file,
    discard_checked,
    findings_of,
    import_checked,
    import_file,
)
from gridgate.metering.models import MeteringPoint, RegisterImport
from gridgate.metering.operator_queries import ImportNotFound

from .conftest import NOW
from .files import point_line, points_file

pytestmark = pytest.mark.django_db


def checked(*lines: str) -> RegisterImport:
    return check_file(
        kind="points", name="points.csv", content=points_file(*(lines or (point_line(),))), user=None, now=NOW
    )


class TestCheckFile:
    def test_keeps_the_file_and_the_report_and_imports_nothing(self) -> None:
        kept = checked(point_line(), point_line(id="12"))
        assert (kept.state, kept.created, kept.rejected) == ("checked", 1, 1)
        assert [found.code for found in findings_of(kept)] == [Code.ID_LENGTH]
        assert not MeteringPoint.objects.exists()

    def test_forgets_files_left_undecided_for_a_day(self) -> None:
        old = checked()
        RegisterImport.objects.update(made_at=NOW - timedelta(days=1, seconds=1))
        checked()
        assert not RegisterImport.objects.filter(pk=old.pk).exists()


class TestImportChecked:
    def test_imports_the_file_that_was_checked_once(self) -> None:
        kept = checked()
        done = import_checked(number=kept.pk, actor=None, now=NOW)
        again = import_checked(number=kept.pk, actor=None, now=NOW + timedelta(hours=1))
        assert (done.state, done.created, done.content) == ("done", 1, None)
        assert (again.created, again.imported_at) == (1, NOW)

    def test_tells_what_happened_rather_than_what_was_foreseen(self) -> None:
        kept = checked()
        import_file(kind="points", name="points.csv", content=points_file(point_line()), now=NOW)
        done = import_checked(number=kept.pk, actor=None, now=NOW)
        assert (done.created, done.unchanged) == (0, 1)

    def test_does_not_know_a_file_that_was_discarded(self) -> None:
        kept = checked()
        discard_checked(number=kept.pk)
        with pytest.raises(ImportNotFound):
            import_checked(number=kept.pk, actor=None, now=NOW)


class TestDiscardChecked:
    def test_does_not_forget_what_was_imported(self) -> None:
        kept = checked()
        import_checked(number=kept.pk, actor=None, now=NOW)
        discard_checked(number=kept.pk)
        assert RegisterImport.objects.filter(pk=kept.pk).exists()
