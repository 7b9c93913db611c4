"""Bringing in the registers of other offices: what is new, what differs, and what is told of each line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from django.db import transaction

from gridgate.audit.events import Subject, changed, record
from gridgate.core.identifiers import InvalidIdentifier, parse_siren
from gridgate.core.text import compact, counted, folded, line
from gridgate.eic.codes import examine, why
from gridgate.eic.models import EicCode
from gridgate.eic.operations.register import LONGEST_NAMES, company_said, record_code
from gridgate.eic.queries import search_text_of
from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import Membership, Organisation
from gridgate.tables.known import EIC_STATES

_CHUNK = 500


class ImportFinding(StrEnum):
    """What is told of a line. Codes are stable: `--json` gives them."""

    NO_CODE = "no_code"
    DUPLICATE = "duplicate"
    MISSING_NAME = "missing_name"
    BAD_STATUS = "bad_status"
    ISSUED_HERE = "issued_here"
    CHECK_CHARACTER = "check_character"
    SHORTENED = "shortened"
    UNKNOWN_COMPANY = "unknown_company"
    OTHER_COMPANY = "other_company"
    CHANGED = "changed"


LEFT_OUT = frozenset(
    {
        ImportFinding.NO_CODE,
        ImportFinding.DUPLICATE,
        ImportFinding.MISSING_NAME,
        ImportFinding.BAD_STATUS,
        ImportFinding.ISSUED_HERE,
    }
)
"""What leaves a line out; the rest is worth knowing."""


@dataclass(frozen=True, slots=True)
class Told:
    """One finding: on which line, in which column, what stands there, and what to do."""

    finding: ImportFinding
    line: int
    column: str
    value: str
    reason: str
    remedy: str = ""

    @property
    def left_out(self) -> bool:
        return self.finding in LEFT_OUT

    def as_json(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "column": self.column,
            "value": self.value,
            "level": "error" if self.left_out else "note",
            "code": self.finding.value,
            "reason": self.reason,
            "remedy": self.remedy,
        }


@dataclass(slots=True)
class EicImportReport:
    """What came of a register, in lines: `read` = `created` + `changed` + `unchanged` + `rejected`."""

    dry_run: bool
    read: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    told: list[Told] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        return self.read - self.created - self.changed - self.unchanged

    @property
    def problems(self) -> list[Told]:
        return [one for one in self.told if one.left_out]

    @property
    def notes(self) -> list[Told]:
        return [one for one in self.told if not one.left_out]


def import_eic_codes(
    lines: Iterable[tuple[int, Mapping[str, str]]],
    *,
    name: str,
    dry_run: bool = False,
    actor: Membership | None = None,
    now: datetime,
) -> EicImportReport:
    """Record the codes of another office's register, and bring those that differ up to date; one transaction.

    A line is its number and its cells: `code`, `display_name`, `long_name`, and if there are any `parent`,
    `responsible_party`, `status` (active or inactive) and `siren`, the company that has the code here. What was issued
    here is never changed by a file.
    """
    require_operator(actor)
    report = EicImportReport(dry_run=dry_run)
    seen: dict[str, int] = {}
    rest = iter(lines)
    with transaction.atomic():
        while some := list(islice(rest, _CHUNK)):
            _import_some(some, seen, report, actor=actor, now=now)
        if (report.created or report.changed) and not dry_run:
            counted = {"created": report.created, "changed": report.changed, "left_out": report.rejected}
            subject = Subject("eic_register", "", name)
            record("eic.imported", subject=subject, organisation=None, actor=actor, after=counted, now=now)
        if dry_run:
            transaction.set_rollback(True)
    return report


def _import_some(
    some: list[tuple[int, Mapping[str, str]]],
    seen: dict[str, int],
    report: EicImportReport,
    *,
    actor: Membership | None,
    now: datetime,
) -> None:
    known = EicCode.objects.select_related("organisation").in_bulk(
        [examine(cells.get("code", "")).code for _, cells in some]
    )
    sirens = {compact(cells.get("siren", "")) for _, cells in some} - {""}
    companies = {company.siren: company for company in Organisation.objects.filter(siren__in=sirens)}
    new: list[EicCode] = []
    for number, cells in some:
        report.read += 1
        line = _Line(number, cells, report)
        told = line.code(seen)
        if told is None:
            continue
        present = known.get(told.pk)
        company = line.company(companies, present)
        if present is None:
            told.organisation, told.issued_at = company, now
            told.deactivated_at = None if told.active else now
            new.append(told)
            report.created += 1
            if company is not None:
                linked = {"code": told.pk} | company_said(company)
                record_code("eic.recorded", told, company, actor=actor, after=linked, now=now)
        elif present.source == EicCode.Source.ISSUED:
            if line.of(_said(present)) == line.of(_said(told)):
                report.unchanged += 1
            else:
                line.tell(
                    ImportFinding.ISSUED_HERE,
                    "code",
                    "this code was issued here, and differs in the file",
                    "Nothing to do: what was issued here is kept.",
                )
        else:
            _bring_up_to_date(present, told, company, line, report, actor=actor, now=now)
    EicCode.objects.bulk_create(new)


def _bring_up_to_date(
    present: EicCode,
    told: EicCode,
    company: Organisation | None,
    line: "_Line",
    report: EicImportReport,
    *,
    actor: Membership | None,
    now: datetime,
) -> None:
    was, became = changed(line.of(_said(present)), line.of(_said(told)))
    linked = company is not None and present.organisation is None
    if not became and not linked:
        report.unchanged += 1
        return
    report.changed += 1
    for name, value in became.items():
        if name == "active":
            present.deactivated_at = None if value else now
        setattr(present, name, value)
        line.tell(ImportFinding.CHANGED, name, f"was {was[name]}", "Nothing to do if this is meant.")
    if linked:
        present.organisation = company
    present.search_text = search_text_of(present.pk, present.display_name, present.long_name)
    present.save()
    if became:
        record_code(
            "eic.changed", present, present.organisation, actor=actor, before=was, after=became, now=now
        )
    if linked:
        record_code("eic.linked", present, company, actor=actor, after=company_said(company), now=now)


class _Line:
    """One line of the file, and what is told of it."""

    def __init__(self, number: int, cells: Mapping[str, str], report: EicImportReport) -> None:
        self.number, self.cells, self.report = number, cells, report

    def tell(self, finding: ImportFinding, column: str, reason: str, remedy: str = "") -> None:
        value = self.cells.get(column, "")
        self.report.told.append(Told(finding, self.number, column, value, reason, remedy))

    def of(self, said: dict[str, Any]) -> dict[str, Any]:
        """What the file has a column for; the rest it leaves as it is."""
        columns = {"active": "status"}
        return {name: value for name, value in said.items() if columns.get(name, name) in self.cells}

    def code(self, seen: dict[str, int]) -> EicCode | None:
        """The code that the line tells of; None when it is left out."""
        examined = examine(self.cells.get("code", ""))
        if not examined.recordable:
            self.tell(ImportFinding.NO_CODE, "code", why(examined), "Check each character.")
            return None
        first = seen.setdefault(examined.code, self.number)
        if first != self.number:
            self.tell(
                ImportFinding.DUPLICATE, "code", f"already on line {first}", "Keep one of the two lines."
            )
            return None
        display_name, long_name = self._name("display_name"), self._name("long_name")
        active = self._active()
        if not (display_name or long_name):
            self.tell(ImportFinding.MISSING_NAME, "display_name", "the code has no name", "Fill the cell.")
            return None
        if active is None:
            return None
        if not examined.valid:
            self.tell(ImportFinding.CHECK_CHARACTER, "code", why(examined), "Recorded as it is.")
        display_name = display_name or long_name[:16]
        return EicCode(
            code=examined.code,
            type=examined.code[2],
            display_name=display_name,
            long_name=long_name or display_name,
            search_text=search_text_of(examined.code, display_name, long_name or display_name),
            parent=self._party("parent"),
            responsible_party=self._party("responsible_party"),
            source=EicCode.Source.IMPORTED,
            valid=examined.valid,
            active=active,
        )

    def company(self, companies: Mapping[str, Organisation], present: EicCode | None) -> Organisation | None:
        """The company that the line names, when there is one here."""
        text = compact(self.cells.get("siren", ""))
        if not text:
            return None
        company = companies.get(text)
        if company is None:
            try:
                parse_siren(text)
                reason = "no company has this SIREN here: the code is recorded without"
            except InvalidIdentifier as error:
                reason = error.message
            self.tell(
                ImportFinding.UNKNOWN_COMPANY, "siren", reason, "Register the company, then link the code."
            )
        elif present is not None and present.organisation not in (None, company):
            name = present.organisation.legal_name if present.organisation else ""
            self.tell(
                ImportFinding.OTHER_COMPANY,
                "siren",
                f"linked to {name} here, which is kept",
                "Link it to another on its page.",
            )
        return company

    def _name(self, column: str) -> str:
        text = line(self.cells.get(column, ""))
        longest = LONGEST_NAMES[column]
        if len(text) > longest:
            reason = f"{counted(len(text), 'character')}, {longest} at most"
            self.tell(ImportFinding.SHORTENED, column, reason, "Recorded without its end.")
        return text[:longest].rstrip()

    def _active(self) -> bool | None:
        status = folded(self.cells.get("status", "")).strip()
        if status in EIC_STATES:
            return EIC_STATES[status]
        self.tell(ImportFinding.BAD_STATUS, "status", "not one of active, inactive", "Give one of them.")
        return None

    def _party(self, column: str) -> str:
        return examine(self.cells.get(column, "")).code[:16]


def _said(code: EicCode) -> dict[str, Any]:
    """What a file tells of a code."""
    return {
        "display_name": code.display_name,
        "long_name": code.long_name,
        "parent": code.parent,
        "responsible_party": code.responsible_party,
        "active": code.active,
    }
