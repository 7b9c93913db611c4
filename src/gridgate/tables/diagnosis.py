"""What is wrong with a file, or an identifier in it: codes with their words in English, for `ingest` and `import` alike.

It says what is seen, never what somebody must have done. Codes are stored with past imports: never rename one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_TEXT_COLUMN: Final = "Format the column as text, type the identifier again, and export again."

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "is_packed": ("this is packed ({what})", "Unpack it, and give the file that is in it."),
    "is_pdf": ("this is a PDF", "Ask for the data themselves, as a workbook (XLSX) or CSV."),
    "is_html": (
        "this is a web page, whatever its name says",
        "Open it in a spreadsheet and save it as a workbook (XLSX); if it asks to sign in, fetch the file again.",
    ),
    "is_ods": (
        "this is an OpenDocument spreadsheet (ODS)",
        "Save it as a workbook (XLSX) or as “CSV UTF-8”.",
    ),
    "is_xls": (
        "this is an old workbook (XLS), or one with a password",
        "Save it as a workbook (XLSX) without a password, or as “CSV UTF-8”.",
    ),
    "is_xlsb": ("this is a binary workbook (XLSB)", "Save it as a workbook (XLSX) or as “CSV UTF-8”."),
    "is_office": (
        "this is a document, not a table",
        "Save its table as a workbook (XLSX) or as “CSV UTF-8”.",
    ),
    "is_measurements": ("this is a file of measurements", "Take it in with gridgate ingest."),
    "is_points": ("this is a table of metering points", "Take it in with gridgate import points."),
    "is_holders": ("this is a table of holders", "Take it in with gridgate import holders."),
    "is_eic_codes": ("this is a table of EIC codes", "Take it in with gridgate eic import."),
    "is_mapping": (
        "this is a table of meters and the metering points that they are",
        "Give it with --map to gridgate ingest, beside the files of measurements.",
    ),
    "not_text": ("this is {what}, not a table", "Save it as a workbook (XLSX) or as “CSV UTF-8”."),
    "other_encoding": (
        "byte 0x{byte} is not UTF-8: the text seems to be {guess}",
        "Save the file as “CSV UTF-8”.",
    ),
    "not_utf8": ("byte 0x{byte} is not UTF-8", "Save the file as “CSV UTF-8”."),
    "damaged_workbook": (
        "the workbook cannot be read ({why})",
        "Open it in a spreadsheet and save it again as a workbook (XLSX); if it does not open, fetch it again.",
    ),
    "large_workbook": (
        "the workbook holds more than {most}",
        "Split it, or save the sheet as “CSV UTF-8”.",
    ),
    "spreadsheet_number": ("a spreadsheet has rounded the identifier to a number", _TEXT_COLUMN),
    "lost_zero": (
        "it has {found:digit|digits}, an identifier here has {expected}",
        "If it begins with a zero, format the column as text: a spreadsheet leaves that out. Else check each digit.",
    ),
    "id_length": (
        "{found:character|characters}; a PRM has 14 digits, a GSRN 18, an EIC 16 characters",
        "Check each character.",
    ),
}


class _Detail(str):
    """What stands in a text; where the text gives a noun in both numbers, a count with the one that agrees."""

    __slots__ = ()

    def __format__(self, nouns: str) -> str:
        one, _, many = nouns.partition("|")
        return f"{self!s} {one if self in ('0', '1') else many}" if nouns else str(self)


def worded(text: str, details: Mapping[str, str]) -> str:
    """The text with its details.

    >>> [worded("{found:digit|digits} of {all}", {"found": found, "all": "9"}) for found in ("1", "8")]
    ['1 digit of 9', '8 digits of 9']
    """
    return text.format_map({name: _Detail(value) for name, value in details.items()})


@dataclass(frozen=True, slots=True)
class Fault:
    """One of the codes, and what stands in its words."""

    code: str
    details: Mapping[str, str] = field(default_factory=dict)
    line: int = 1
    value: str = ""
    """What stands there, up to the byte that is wrong."""

    @property
    def message(self) -> str:
        return worded(WORDS[self.code][0], self.details)

    @property
    def remedy(self) -> str:
        return worded(WORDS[self.code][1], self.details)


class UnusableFile(Exception):
    """Nothing of the file can be used."""

    def __init__(self, code: str, *, line: int = 1, value: str = "", **details: str) -> None:
        self.fault = Fault(code, details, line, value)
        super().__init__(self.fault.message)


# --- identifiers

_SPACES: Final = re.compile(r"[\s\u00a0\u202f]+")
_ROUNDED: Final = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_WHOLE: Final = re.compile(r"([0-9]{9,18})[.,]0+")
_AS_TEXT: Final = re.compile(r'="([^"]*)"|\'([0-9].*)')


def meant(text: str) -> str:
    """An identifier without what a spreadsheet or a program puts around one, of which nothing is lost.

    >>> [meant(text) for text in ("'23128200000062", '="23128200000073"', "23128200000051.0", "2,31282E+13")]
    ['23128200000062', '23128200000073', '23128200000051', '2,31282E+13']
    """
    stripped = text.strip()
    if found := _AS_TEXT.fullmatch(stripped):
        stripped = (found[1] if found[1] is not None else found[2]).strip()
    return found[1] if (found := _WHOLE.fullmatch(stripped)) else stripped


def rounded(text: str) -> bool:
    """Whether it is a number with an exponent, as spreadsheets show long ones: its last digits are gone.

    >>> [rounded(text) for text in ("2,31282E+13", "3E+13", "23128200000017", "12E4567890123Z")]
    [True, True, False, False]
    """
    return _ROUNDED.fullmatch(_SPACES.sub("", text)) is not None


def damage(text: str) -> Fault | None:
    """What is seen of an identifier of a metering point that is none: rounded, or digits in a number that none has."""
    if rounded(text):
        return Fault("spreadsheet_number")
    digits = re.sub(r"[\s\u00a0\u202f.]+", "", text)
    if not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits) in (13, 17):
        return Fault("lost_zero", {"found": str(len(digits)), "expected": str(len(digits) + 1)})
    return None if len(digits) in (14, 18) else Fault("id_length", {"found": str(len(digits))})
