"""What an import has to say about a file, as values: codes with their numbers, and their words in English.

The words are those of the command line; the operator's screen has its own for the same codes. Codes are
stored with past imports: never rename one.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from gridgate.tables.diagnosis import WORDS, worded


class Level(StrEnum):
    """Whether the line was left out."""

    REFUSED = "refused"
    """Nothing of the file can be imported."""
    ERROR = "error"
    """This line is not imported; the others are."""
    NOTE = "note"
    """Imported, and worth knowing."""


class Code(StrEnum):
    """Everything that can be found. Adding one means giving it words: English below, French on the screen."""

    EMPTY_FILE = "empty_file"
    NOT_TEXT = "not_text"
    NOT_UTF8 = "not_utf8"
    OTHER_ENCODING = "other_encoding"
    IS_PACKED = "is_packed"
    IS_PDF = "is_pdf"
    IS_HTML = "is_html"
    IS_ODS = "is_ods"
    IS_XLS = "is_xls"
    IS_XLSB = "is_xlsb"
    IS_OFFICE = "is_office"
    IS_MEASUREMENTS = "is_measurements"
    IS_POINTS = "is_points"
    IS_HOLDERS = "is_holders"
    IS_EIC_CODES = "is_eic_codes"
    IS_MAPPING = "is_mapping"
    DAMAGED_WORKBOOK = "damaged_workbook"
    LARGE_WORKBOOK = "large_workbook"
    NO_SHEET = "no_sheet"
    SEVERAL_SHEETS = "several_sheets"
    CELL_ERROR = "cell_error"
    OTHER_COLUMNS = "other_columns"
    MISSING_COLUMN = "missing_column"
    REPEATED_COLUMN = "repeated_column"
    UNKNOWN_COLUMN = "unknown_column"
    WRONG_WIDTH = "wrong_width"
    BAD_QUOTES = "bad_quotes"
    DUPLICATE = "duplicate"
    MISSING_VALUE = "missing_value"
    TOO_LONG = "too_long"
    SPREADSHEET_NUMBER = "spreadsheet_number"
    LOST_ZERO = "lost_zero"
    ID_LENGTH = "id_length"
    ID_CHARACTERS = "id_characters"
    ID_TYPE = "id_type"
    CHECK_CHARACTER = "check_character"
    SIREN_LENGTH = "siren_length"
    SIREN_CHARACTERS = "siren_characters"
    SIREN_CHECK = "siren_check"
    BAD_CHOICE = "bad_choice"
    BAD_DIRECTIONS = "bad_directions"
    BAD_POWER = "bad_power"
    BAD_DATE = "bad_date"
    DATE_ORDER = "date_order"
    POSTCODE_ZERO = "postcode_zero"
    CHANGED = "changed"
    UNKNOWN_POINT = "unknown_point"
    NO_NAME = "no_name"
    NAME_KEPT = "name_kept"
    LABEL_STANDS = "label_stands"
    OVERLAP = "overlap"
    OVERLAP_OPEN = "overlap_open"
    ENDED_HERE = "ended_here"
    MOVED = "moved"
    ENDS_AT_NEXT = "ends_at_next"


_WORDS: dict[Code, tuple[str, str]] = {
    Code.EMPTY_FILE: ("the file is empty", "The first line names the columns: {columns}."),
    Code.NO_SHEET: ("none of the sheets {sheets} has the columns", "On its first line, one has {columns}."),
    Code.SEVERAL_SHEETS: ("the sheets {sheets} have the columns, each", "Keep one of them in the file."),
    Code.CELL_ERROR: ("the cell {cell} holds an error", "Mend its formula, or type the value."),
    Code.OTHER_COLUMNS: ("the file has other columns", "The first line names the columns: {columns}."),
    Code.MISSING_COLUMN: ("the column is missing", "The columns are {columns}."),
    Code.REPEATED_COLUMN: ("the column stands twice", "Keep one of them."),
    Code.UNKNOWN_COLUMN: ("this column is not known; it is left aside", "The columns are {columns}."),
    Code.WRONG_WIDTH: (
        "{found:cell|cells} where the first line has {expected}",
        "Put quotes around a cell that holds the separator.",
    ),
    Code.BAD_QUOTES: (
        "a quote opens and is not closed, or closes too early",
        "Double the quotes inside a cell. Lines that the open quote swallows are not read.",
    ),
    Code.DUPLICATE: (
        "already on line {first}",
        "Keep one of the two lines, or give each its own first day (valid_from).",
    ),
    Code.MISSING_VALUE: ("the value is missing", "Fill the cell."),
    Code.TOO_LONG: ("{found:character|characters}, {limit} at most", "Shorten it."),
    Code.ID_CHARACTERS: ("neither digits nor an EIC", "Give a PRM, a GSRN or an EIC of type Z."),
    Code.ID_TYPE: ("an EIC of type {found} is not a metering point", "Its third character is Z."),
    Code.CHECK_CHARACTER: ("the last character should be {expected}", "Check each character."),
    Code.SIREN_LENGTH: ("{found:digit|digits}; a SIREN has 9", "Of a SIRET, give the first 9 digits."),
    Code.SIREN_CHARACTERS: ("a SIREN has digits only", "Give the 9 digits."),
    Code.SIREN_CHECK: ("the SIREN does not check", "Check each digit."),
    Code.BAD_CHOICE: ("not one of {choices}", "Give one of them."),
    Code.BAD_DIRECTIONS: (
        "not a direction",
        "Give withdrawal, injection or withdrawal+injection (or W, I, W+I).",
    ),
    Code.BAD_POWER: (
        "not a power in kVA",
        "Give a number above 0, two decimals at most, no unit; a decimal comma needs “;” between cells.",
    ),
    Code.BAD_DATE: ("no such date", "Write it as 2026-11-30 or 30/11/2026."),
    Code.DATE_ORDER: (
        "not after the first day of the title (valid_from), {valid_from}",
        "The day given (valid_to) is the first that the title no longer covers.",
    ),
    Code.POSTCODE_ZERO: (
        "4 digits, a postcode has 5; imported as it is",
        "Format the column as text: spreadsheets drop leading zeros.",
    ),
    Code.CHANGED: ("was {before}", "Nothing to do if this is meant."),
    Code.UNKNOWN_POINT: ("no such metering point here", "Import the points first, or check the digits."),
    Code.NO_NAME: (
        "no company has this SIREN here, and the line does not name it",
        "Name the company (legal_name).",
    ),
    Code.NAME_KEPT: (
        "known here as {known}, a name that is kept",
        "Nothing to do if it is the same company.",
    ),
    Code.OVERLAP: (
        "{holder} holds the point from {valid_from} to {valid_to}",
        "Correct the dates, or end that title by a line with the first day after it (valid_to).",
    ),
    Code.OVERLAP_OPEN: (
        "{holder} holds the point since {valid_from}",
        "Correct the dates, or end that title by a line with the first day after it (valid_to).",
    ),
    Code.ENDED_HERE: (
        "the title has ended on {valid_to} here; the line leaves it open",
        "Give that day (valid_to), or begin a new title on a later day.",
    ),
    Code.MOVED: (
        "a change of holder: the title of {holder}, open since {valid_from}, ends on {valid_to}",
        "Nothing to do if this is meant.",
    ),
    Code.ENDS_AT_NEXT: (
        "ends on {valid_to}, when {holder} becomes the holder",
        "Nothing to do if this is meant.",
    ),
    Code.LABEL_STANDS: (
        "the name of the site, given in the former holder's time, is shown to {holder} too",
        "If it is not for them, import the point with another site name (label) from {valid_from} on (valid_from).",
    ),
}
_WORDS |= {code: WORDS[code.value] for code in Code if code.value in WORDS}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: on which line of the file (1 is the header), in which column, the value there."""

    code: Code
    line: int
    column: str = ""
    value: str = ""
    level: Level = Level.ERROR
    details: dict[str, str] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        return worded(_WORDS[self.code][0], self.details)

    @property
    def remedy(self) -> str:
        return worded(_WORDS[self.code][1], self.details)

    def as_json(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "column": self.column,
            "value": self.value,
            "level": self.level.value,
            "code": self.code.value,
            "reason": self.reason,
            "remedy": self.remedy,
            "details": self.details,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        return cls(
            code=Code(stored["code"]),
            line=stored["line"],
            column=stored["column"],
            value=stored["value"],
            level=Level(stored["level"]),
            details=stored["details"],
        )


@dataclass(slots=True)
class ImportReport:
    """What came of a file, in lines: `read` = `created` + `changed` + `unchanged` + `rejected`.

    A dry run reports what would come of it. `organisations` counts the companies that are new here.
    """

    kind: str
    dry_run: bool
    read: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    organisations: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        return self.read - self.created - self.changed - self.unchanged

    @property
    def refused(self) -> bool:
        """True when nothing of the file can be imported."""
        return any(finding.level is Level.REFUSED for finding in self.findings)

    @property
    def problems(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level is not Level.NOTE]

    @property
    def notes(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level is Level.NOTE]

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "dry_run": self.dry_run,
            "read": self.read,
            "created": self.created,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "organisations": self.organisations,
            "problems": [finding.as_json() for finding in self.problems],
            "notes": [finding.as_json() for finding in self.notes],
        }
