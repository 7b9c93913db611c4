"""Holders from CSV: titles, companies, moves, and what does not fit."""

from datetime import date, timedelta
from typing import Any

import pytest

from gridgate.metering.events import titles_changed
from gridgate.metering.imports.findings import Code, ImportReport
from gridgate.metering.imports.holders import import_holders
from gridgate.metering.models import LoadCurveCollection, MeteringPoint, TitleHolding
from gridgate.metering.versions import Versions, write
from gridgate.organisations.models import Organisation

from .conftest import NOW, Registry
from .files import holders_file

FREE = "30001480112233"
"""A point that nobody holds."""


@pytest.fixture
def free(db: None, point: Any) -> MeteringPoint:
    return point(0, id=FREE)


def titles(point_id: str) -> list[tuple[str, str, str]]:
    held = TitleHolding.objects.filter(metering_point=point_id).order_by("valid_from")
    return [(one.holder.siren, str(one.valid_from), str(one.valid_to or "")) for one in held]


def codes(report: ImportReport) -> list[Code]:
    return [found.code for found in report.findings]


class TestImportHolders:
    def test_opens_a_title_and_creates_the_company(self, free: MeteringPoint) -> None:
        report = import_holders(holders_file(f"{FREE},732 829 320,Fonderies du Lac,2024-01-01,"), now=NOW)
        assert (report.read, report.created, report.organisations, report.findings) == (1, 1, 1, [])
        assert titles(FREE) == [("732829320", "2024-01-01", "")]
        company = Organisation.objects.get(siren="732829320")
        assert (company.legal_name, company.created_at) == ("Fonderies du Lac", NOW)

    def test_does_not_create_a_company_whose_lines_are_all_refused(self, registry: Registry) -> None:
        line = f"{registry.points[0].pk},732829320,Fonderies du Lac,2024-06-01,2024-07-01"
        report = import_holders(holders_file(line), now=NOW)
        assert (report.rejected, report.organisations) == (1, 0)
        assert not Organisation.objects.filter(siren="732829320").exists()

    def test_keeps_the_name_of_a_known_company_and_says_so(
        self, registry: Registry, free: MeteringPoint
    ) -> None:
        report = import_holders(holders_file(f"{FREE},111222337,Acme SA,2024-01-01,"), now=NOW)
        assert (report.created, codes(report)) == (1, [Code.NAME_KEPT])
        assert report.notes[0].reason == "known here as ACME Industries, a name that is kept"

    def test_does_not_mind_case_and_accents_of_a_name(self, registry: Registry, free: MeteringPoint) -> None:
        assert not import_holders(
            holders_file(f"{FREE},111222337,Acmé INDUSTRIES,2024-01-01,"), now=NOW
        ).findings

    def test_changes_nothing_the_second_time(self, free: MeteringPoint) -> None:
        content = holders_file(
            f"{FREE},732829320,Fonderies du Lac,2022-01-01,2023-01-01",
            f"{FREE},123456782,Client B,2024-01-01,",
            f"{FREE},732829320,Fonderies du Lac,2025-01-01,",
        )
        first = import_holders(content, now=NOW)
        # the second company is shown the name of the first one's time; the first, come back, its own
        assert (first.created, codes(first)) == (3, [Code.LABEL_STANDS, Code.MOVED])
        before = titles(FREE)
        again = import_holders(content, now=NOW)
        assert (again.unchanged, again.findings, titles(FREE)) == (3, [], before)

    def test_says_of_a_company_that_comes_back_what_name_was_given_meanwhile(
        self, free: MeteringPoint
    ) -> None:
        version = free.versions.get()
        between = Versions(FREE, [version])
        between.say(date(2024, 6, 1), {"label": "Entrepôt d’un autre"})
        write([between])
        report = import_holders(
            holders_file(
                f"{FREE},732829320,Fonderies du Lac,2022-01-01,2023-01-01",
                f"{FREE},123456782,Client B,2024-01-01,2025-01-01",
                f"{FREE},732829320,Fonderies du Lac,2025-01-01,",
            ),
            now=NOW,
        )
        assert [(found.code, found.line) for found in report.notes] == [
            (Code.LABEL_STANDS, 3),
            (Code.LABEL_STANDS, 4),
        ]

    def test_reports_the_same_in_a_dry_run_and_changes_nothing(self, registry: Registry) -> None:
        content = holders_file(
            f"{registry.points[0].pk},732829320,Fonderies du Lac,2026-11-01,",
            f"{registry.points[1].pk},732829321,Fonderies du Lac,2026-11-01,",
            f"{FREE},732829320,Fonderies du Lac,2026-11-01,",
        )
        before = list(TitleHolding.objects.values())
        dry = import_holders(content, now=NOW, dry_run=True)
        assert list(TitleHolding.objects.values()) == before
        assert Organisation.objects.count() == 2
        assert dry.as_json() | {"dry_run": False} == import_holders(content, now=NOW).as_json()

    @pytest.mark.parametrize(
        ("line", "code", "column"),
        [
            (f"{FREE},73282932,Lac,2024-01-01,", Code.LOST_ZERO, "siren"),
            (f"{FREE},732829321,Lac,2024-01-01,", Code.SIREN_CHECK, "siren"),
            (f"{FREE},73282932000074,Lac,2024-01-01,", Code.SIREN_LENGTH, "siren"),
            (f"{FREE},FR732829320,Lac,2024-01-01,", Code.SIREN_CHARACTERS, "siren"),
            (f"{FREE},732829320,,2024-01-01,", Code.NO_NAME, "legal_name"),
            (f"{FREE},732829320,Lac,,", Code.MISSING_VALUE, "valid_from"),
            (f"{FREE},732829320,Lac,2024-13-01,", Code.BAD_DATE, "valid_from"),
            (f"{FREE},732829320,Lac,2024-02-01,2024-02-01", Code.DATE_ORDER, "valid_to"),
            ("30001480999999,732829320,Lac,2024-01-01,", Code.UNKNOWN_POINT, "metering_point_id"),
            ("3000148099999,732829320,Lac,2024-01-01,", Code.LOST_ZERO, "metering_point_id"),
        ],
    )
    def test_refuses_a_value_and_says_why(
        self, free: MeteringPoint, line: str, code: Code, column: str
    ) -> None:
        report = import_holders(holders_file(line), now=NOW)
        assert [(found.code, found.line, found.column) for found in report.problems] == [(code, 2, column)]
        assert report.problems[0].reason
        assert report.problems[0].remedy
        assert not TitleHolding.objects.exists()
        assert not Organisation.objects.exists()

    def test_refuses_the_same_line_twice(self, free: MeteringPoint) -> None:
        line = f"{FREE},732829320,Lac,2024-01-01,"
        report = import_holders(holders_file(line, line), now=NOW)
        assert (report.created, [(found.code, found.line) for found in report.problems]) == (
            1,
            [(Code.DUPLICATE, 3)],
        )

    def test_names_a_company_from_another_line(self, free: MeteringPoint, point: Any) -> None:
        content = holders_file(
            f"{FREE},732829320,,2024-01-01,", f"{point(9).pk},732829320,Fonderies du Lac,2024-01-01,"
        )
        assert import_holders(content, now=NOW).created == 2

    def test_tells_the_apps_above_once(self, registry: Registry) -> None:
        said: list[list[str]] = []

        def listen(sender: object, *, point_ids: list[str], **_: object) -> None:
            said.append(point_ids)

        moved = [held.pk for held in registry.points[:2]]
        titles_changed.connect(listen)
        try:
            content = holders_file(*(f"{pk},123456782,Client B,2026-11-01," for pk in moved))
            import_holders(content, now=NOW, dry_run=True)
            assert said == []
            import_holders(content, now=NOW)
        finally:
            titles_changed.disconnect(listen)
        assert said == [moved]

    @pytest.mark.large
    def test_imports_ten_thousand_lines_in_few_statements(
        self, db: None, point: Any, django_assert_max_num_queries: Any
    ) -> None:
        MeteringPoint.objects.bulk_create(
            MeteringPoint(id=f"30001{number:09d}", activated_on=date(2020, 1, 1)) for number in range(10_000)
        )
        content = holders_file(
            *(f"30001{number:09d},732829320,Fonderies du Lac,2024-01-01," for number in range(10_000))
        )
        with django_assert_max_num_queries(200):
            assert import_holders(content, now=NOW).created == 10_000
        with django_assert_max_num_queries(30):
            assert import_holders(content, now=NOW).unchanged == 10_000


class TestATitleAmongOthers:
    def test_that_is_open_moves_the_former_holder_out(self, registry: Registry) -> None:
        point = registry.points[0]
        report = import_holders(holders_file(f"{point.pk},123456782,Client B,2026-11-01,"), now=NOW)
        assert titles(point.pk) == [
            ("111222337", "2024-01-01", "2026-11-01"),
            ("123456782", "2026-11-01", ""),
        ]
        note = report.notes[0]
        assert (report.created, note.code, note.line) == (1, Code.MOVED, 2)
        assert "the title of ACME Industries, open since 2024-01-01, ends on 2026-11-01" in note.reason

    def test_that_moves_a_holder_out_ends_the_collection(self, registry: Registry) -> None:
        point = registry.points[0]
        LoadCurveCollection.objects.create(
            metering_point=point, holder=registry.acme, state="active", since=NOW - timedelta(days=90)
        )
        import_holders(holders_file(f"{point.pk},123456782,Client B,2026-11-01,"), now=NOW)
        assert not point.collections.filter(until=None).exists()

    def test_leaves_an_old_file_without_effect_after_a_move(self, registry: Registry) -> None:
        point = registry.points[0]
        old = holders_file(f"{point.pk},111222337,ACME Industries,2024-01-01,")
        import_holders(holders_file(f"{point.pk},123456782,Client B,2026-11-01,"), now=NOW)
        assert import_holders(old, now=NOW).unchanged == 1
        assert titles(point.pk)[0] == ("111222337", "2024-01-01", "2026-11-01")

    def test_closes_when_its_line_gives_an_end(self, registry: Registry) -> None:
        point = registry.points[0]
        report = import_holders(holders_file(f"{point.pk},111222337,,2024-01-01,2026-10-01"), now=NOW)
        assert (report.changed, titles(point.pk)) == (1, [("111222337", "2024-01-01", "2026-10-01")])
        assert (report.notes[0].code, report.notes[0].column) == (Code.CHANGED, "valid_to")

    def test_is_not_reopened_by_an_old_file(self, registry: Registry) -> None:
        point = registry.points[0]
        point.holdings.update(valid_to=date(2026, 10, 1))
        report = import_holders(holders_file(f"{point.pk},111222337,,2024-01-01,"), now=NOW)
        assert (report.rejected, codes(report)) == (1, [Code.ENDED_HERE])
        assert titles(point.pk) == [("111222337", "2024-01-01", "2026-10-01")]

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("123456782,Client B,2024-06-01,2024-07-01", Code.OVERLAP_OPEN),
            ("123456782,Client B,2023-06-01,2024-01-02", Code.OVERLAP_OPEN),
            ("123456782,Client B,2024-01-01,", Code.OVERLAP_OPEN),
            ("111222337,ACME Industries,2025-01-01,", Code.OVERLAP_OPEN),
        ],
    )
    def test_does_not_share_a_day(self, registry: Registry, line: str, code: Code) -> None:
        point = registry.points[0]
        report = import_holders(holders_file(f"{point.pk},{line}"), now=NOW)
        assert (report.rejected, codes(report)) == (1, [code])
        assert "ACME Industries holds the point since 2024-01-01" in report.problems[0].reason
        assert titles(point.pk) == [("111222337", "2024-01-01", "")]

    def test_that_comes_before_ends_when_the_next_begins(self, registry: Registry) -> None:
        point = registry.points[0]
        report = import_holders(holders_file(f"{point.pk},123456782,Client B,2023-01-01,"), now=NOW)
        assert titles(point.pk)[0] == ("123456782", "2023-01-01", "2024-01-01")
        assert codes(report) == [Code.ENDS_AT_NEXT]

    def test_does_not_depend_on_the_order_of_lines(self, free: MeteringPoint) -> None:
        lines = [
            f"{FREE},123456782,Client B,2025-01-01,",
            f"{FREE},732829320,Fonderies du Lac,2023-01-01,",
            f"{FREE},111222337,ACME Industries,2024-01-01,",
        ]
        import_holders(holders_file(*lines), now=NOW)
        assert titles(FREE) == [
            ("732829320", "2023-01-01", "2024-01-01"),
            ("111222337", "2024-01-01", "2025-01-01"),
            ("123456782", "2025-01-01", ""),
        ]
