"""Reading one cell: the value, or a `Finding` that says what is wrong with it."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

from gridgate.core.identifiers import (
    InvalidIdentifier,
    eic_check_character,
    parse_gsrn,
    parse_metering_point_id,
    parse_siren,
)
from gridgate.core.quantities import FlowDirection
from gridgate.core.text import folded
from gridgate.core.time import may_be_asked
from gridgate.metering.imports.findings import Code, Finding, Level
from gridgate.metering.imports.rows import Row
from gridgate.tables.diagnosis import damage, meant, rounded

T = TypeVar("T")

_SPACES = re.compile(r"[\s\u00a0\u202f]+")
_ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_MIDNIGHT = re.compile(r"[T ]0?0:00(:00)?$")
"""Spreadsheets give a day the time at which it begins."""
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_DIRECTION_WORDS = {
    "withdrawal": FlowDirection.WITHDRAWAL.bit,
    "w": FlowDirection.WITHDRAWAL.bit,
    "soutirage": FlowDirection.WITHDRAWAL.bit,
    "injection": FlowDirection.INJECTION.bit,
    "i": FlowDirection.INJECTION.bit,
}
_HIGHEST_KVA = Decimal("9999999.99")


class Cells:
    """The cells of one line. Each method reads a column; what is wrong is kept in `findings`, and is None."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.findings: list[Finding] = []

    @property
    def good(self) -> bool:
        return not any(finding.level is Level.ERROR for finding in self.findings)

    def say(self, code: Code, column: str, *, level: Level = Level.ERROR, **details: object) -> None:
        words = {name: str(value) for name, value in details.items()}
        self.findings.append(Finding(code, self.row.line, column, self._raw(column), level, words))

    def text(self, column: str, *, limit: int) -> str:
        value = self._raw(column)
        if len(value) > limit:
            self.say(Code.TOO_LONG, column, found=len(value), limit=limit)
        return value

    def point_id(self, column: str) -> str | None:
        return self._parsed(column, self._point_id)

    def siren(self, column: str) -> str | None:
        return self._parsed(column, self._siren)

    def choice(
        self, column: str, choices: Collection[str], words: Mapping[str, str] | None = None
    ) -> str | None:
        """One of `choices`; `words` has them by the words that people read for them."""

        def parse(value: str, column: str) -> str | None:
            meant = (words or {}).get(folded(value), value.upper())
            if meant in choices:
                return meant
            self.say(Code.BAD_CHOICE, column, choices=", ".join(choices))
            return None

        return self._parsed(column, parse)

    def directions(self, column: str) -> int | None:
        """The bits of `FlowDirection`."""
        return self._parsed(column, self._directions)

    def power(self, column: str) -> Decimal | None:
        """In kVA; None also when the cell is empty."""
        return self._parsed(column, self._power, required=False)

    def day(self, column: str, *, required: bool = True) -> date | None:
        return self._parsed(column, self._day, required=required)

    def _raw(self, column: str) -> str:
        return self.row.cells.get(column, "")

    def _parsed(
        self, column: str, parse: Callable[[str, str], T | None], *, required: bool = True
    ) -> T | None:
        value = self._raw(column)
        if value:
            return parse(value, column)
        if required:
            self.say(Code.MISSING_VALUE, column)
        return None

    def _point_id(self, value: str, column: str) -> str | None:
        try:
            return parse_metering_point_id(meant(value))
        except InvalidIdentifier:
            self._explain_point_id(value, column)
            return None

    def _explain_point_id(self, value: str, column: str) -> None:
        compact = re.sub(r"[\s\u00a0\u202f.]+", "", meant(value)).upper()
        if fault := damage(meant(value)):
            details: dict[str, object] = dict(fault.details)
            self.say(Code(fault.code), column, level=Level.ERROR, **details)
        elif compact.isascii() and compact.isdigit() and len(compact) == 18:
            self.say(Code.CHECK_CHARACTER, column, expected=_gsrn_check_digit(compact))
        elif not re.fullmatch(r"[0-9A-Z-]+", compact):
            self.say(Code.ID_CHARACTERS, column)
        elif len(compact) != 16:
            self.say(Code.ID_LENGTH, column, found=len(compact))
        elif compact[2] != "Z":
            self.say(Code.ID_TYPE, column, found=compact[2])
        else:
            self._explain_eic(compact, column)

    def _explain_eic(self, code: str, column: str) -> None:
        try:
            self.say(Code.CHECK_CHARACTER, column, expected=eic_check_character(code[:15]))
        except InvalidIdentifier:  # its check character would be a hyphen, which no code has
            self.say(Code.ID_CHARACTERS, column)

    def _siren(self, value: str, column: str) -> str | None:
        try:
            return parse_siren(meant(value))
        except InvalidIdentifier:
            compact = re.sub(r"[\s\u00a0\u202f.]+", "", meant(value))
            if rounded(value):
                self.say(Code.SPREADSHEET_NUMBER, column)
            elif not (compact.isascii() and compact.isdigit()):
                self.say(Code.SIREN_CHARACTERS, column)
            elif len(compact) == 8:
                self.say(Code.LOST_ZERO, column, found=8, expected=9)
            elif len(compact) != 9:
                self.say(Code.SIREN_LENGTH, column, found=len(compact))
            else:
                self.say(Code.SIREN_CHECK, column)
            return None

    def _directions(self, value: str, column: str) -> int | None:
        words = [word.strip().lower() for word in re.split(r"[+/|,]", value)]
        if not all(word in _DIRECTION_WORDS for word in words):
            self.say(Code.BAD_DIRECTIONS, column)
            return None
        mask = 0
        for word in words:
            mask |= _DIRECTION_WORDS[word]
        return mask

    def _power(self, value: str, column: str) -> Decimal | None:
        text = _SPACES.sub("", value)
        if self.row.separator != ",":
            text = text.replace(",", ".")
        power = Decimal(text) if _NUMBER.fullmatch(text) else Decimal(0)
        if not 0 < power <= _HIGHEST_KVA or power != round(power, 2):
            self.say(Code.BAD_POWER, column)
            return None
        return power

    def _day(self, value: str, column: str) -> date | None:
        day = _MIDNIGHT.sub("", value)
        parsed = _iso_day(day) or _day_first(day)
        if parsed is None or not may_be_asked(parsed):
            self.say(Code.BAD_DATE, column)
            return None
        return parsed


def _iso_day(value: str) -> date | None:
    parts = _ISO_DAY.fullmatch(value)
    return parts and _existing_day(*map(int, parts.groups()))


def _day_first(value: str) -> date | None:
    parts = _DAY_FIRST.fullmatch(value)
    return parts and _existing_day(*map(int, reversed(parts.groups())))


def _existing_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _gsrn_check_digit(digits: str) -> str:
    for last in "0123456789":
        try:
            return parse_gsrn(digits[:-1] + last)[-1]
        except InvalidIdentifier:
            continue
    raise AssertionError
