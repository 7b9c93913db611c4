"""Answers to a customer questionnaire: read as typed, kept in one spelling, held to the form. Pure.

An answer is kept even when it will not do, as it was typed: a section can be saved half done, and the questionnaire
says what is wrong until it is right. What is right is kept canonical, and reading it again gives the same:

    text, number, date…   "FR7630006000011234567890189", "25.5", "1980-03-01"
    yes_no                True
    choices               ["brp", "capacity"]
    group                 [{"name": "…", "share": "30"}, …]
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from gridgate.core.identifiers import InvalidIdentifier, parse_eic, parse_siren
from gridgate.core.text import line
from gridgate.core.time import LAST_DAY
from gridgate.kyc.countries import countries
from gridgate.kyc.form import (
    AnyField,
    CheckedField,
    ChoiceField,
    ChoicesField,
    CountryField,
    DateField,
    FileField,
    Form,
    GroupField,
    LongTextField,
    NumberField,
    PercentageField,
    Section,
    SirenField,
    TextField,
    YesNoField,
)
from gridgate.kyc.numbers import (
    Unfit,
    parse_bic,
    parse_iban,
    parse_vat,
)

Answers = dict[str, Any]

LONGEST_KEPT: Final = 20_000
"""Characters kept of an answer that will not do."""
_BIDI: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of text, with which an answer could be shown other than it is."""


@dataclass(frozen=True, slots=True)
class AnswerFault:
    """Why the answer to a field will not do; `row` counts from 0 within a group."""

    section: int
    name: str
    code: str
    row: int | None = None
    inner: str = ""
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_missing(self) -> bool:
        """Nothing was answered yet, or too little; otherwise something is wrong."""
        return self.code in ("missing", "missing_rows", "missing_file")


def entered(section: Section, typed: Mapping[str, Any], *, today: date) -> Answers:
    """What to keep of a section as it was typed. Files are not answers: they are attachments."""
    kept: Answers = {}
    for one in section.fields:
        if isinstance(one, FileField):
            continue
        raw = typed.get(one.name)
        if isinstance(one, GroupField):
            kept[one.name] = _rows(one, raw, today)
        else:
            kept[one.name] = _kept(one, raw, today)
    return {name: value for name, value in kept.items() if not is_empty(value)}


def faults_of(
    form: Form, answers: Mapping[str, Any], files: Mapping[str, int], *, today: date
) -> list[AnswerFault]:
    """All that keeps the questionnaire from being sent: what is missing and what is wrong, in the form's order.

    `files` counts the attachments of each field.
    """
    return [
        fault
        for number, section in enumerate(form.sections)
        for one in section.fields
        for fault in _faults(number, one, answers, files, today)
    ]


def parse(one: AnyField, raw: Any, *, today: date) -> Any:
    """The canonical answer; None for nothing. Raises `Unfit`."""
    if is_empty(raw):
        return None
    match one:
        case TextField():
            return _text(raw, one.longest)
        case LongTextField():
            return _text(raw, one.longest, lines=True)
        case NumberField() | PercentageField():
            return _number(one, _plain(raw))
        case DateField():
            return _date(one, _plain(raw), today)
        case YesNoField():
            return _yes_no(raw)
        case ChoiceField():
            return _one_of({choice.value for choice in one.choices}, raw)
        case ChoicesField():
            known = [choice.value for choice in one.choices]
            chosen = raw if isinstance(raw, list) else [raw]
            for value in chosen:
                _one_of(known, value)
            return [value for value in known if value in chosen]
        case CountryField():
            return _one_of(countries(), _plain(raw).upper())
        case SirenField():
            return _siren(_plain(raw))
        case CheckedField():
            return _checked(one.kind, _plain(raw))
    raise AssertionError(one.kind)


def is_empty(value: Any) -> bool:
    """True for what counts as no answer."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, Mapping):
        return all(is_empty(inner) for inner in value.values())
    return value is None or value == []


def carried_over(form: Form, earlier: Mapping[str, Any], *, today: date) -> Answers:
    """Of the answers to an earlier version, those whose field is still there and still takes them."""
    kept: Answers = {}
    for one in form.fields():
        given = earlier.get(one.name)
        if isinstance(one, FileField) or is_empty(given):
            continue
        if isinstance(one, GroupField):
            rows = [_fitting(one.fields, row, today) for row in given] if isinstance(given, list) else []
            rows = [row for row in rows if row][: one.most]
            if rows:
                kept[one.name] = rows
        else:
            kept |= _fitting([one], {one.name: given}, today)
    return kept


def _fitting(fields: Sequence[AnyField], given: Any, today: date) -> Answers:
    kept: Answers = {}
    if not isinstance(given, Mapping):
        return kept
    for one in fields:
        try:
            value = parse(one, given.get(one.name), today=today)
        except Unfit:
            continue
        if value is not None:
            kept[one.name] = value
    return kept


def _rows(group: GroupField, raw: Any, today: date) -> list[Answers]:
    rows = [row for row in raw if isinstance(row, Mapping)] if isinstance(raw, list) else []
    kept = []
    for row in rows[: group.most]:
        values = {one.name: _kept(one, row.get(one.name), today) for one in group.fields}
        kept.append({name: value for name, value in values.items() if not is_empty(value)})
    return [row for row in kept if row]


def _kept(one: AnyField, raw: Any, today: date) -> Any:
    try:
        return parse(one, raw, today=today)
    except Unfit:
        if isinstance(raw, list):
            return [_clean(str(value))[:200] for value in raw[:100]]
        return _clean(str(raw), lines=isinstance(one, LongTextField))[:LONGEST_KEPT]


def _faults(
    number: int, one: AnyField, answers: Mapping[str, Any], files: Mapping[str, int], today: date
) -> Iterator[AnswerFault]:
    given = answers.get(one.name)
    if isinstance(one, FileField):
        if not files.get(one.name) and one.is_required(answers):
            yield AnswerFault(number, one.name, "missing_file")
    elif isinstance(one, GroupField):
        rows = given if isinstance(given, list) else []
        if not any(row for row in rows) and one.is_required(answers):
            yield AnswerFault(number, one.name, "missing_rows")
        for index, row in enumerate(rows):
            for inner in one.fields:
                for code, details in _wrong(inner, row, today):
                    yield AnswerFault(number, one.name, code, index, inner.name, details)
    else:
        for code, details in _wrong(one, answers, today):
            yield AnswerFault(number, one.name, code, details=details)


def _wrong(
    one: AnyField, answers: Mapping[str, Any], today: date
) -> Iterator[tuple[str, Mapping[str, object]]]:
    given = answers.get(one.name)
    if is_empty(given):
        if one.is_required(answers):
            yield "missing", {}
        return
    try:
        parse(one, given, today=today)
    except Unfit as unfit:
        yield unfit.code, unfit.details


def _clean(text: str, *, lines: bool = False) -> str:
    """Composed, without control characters and marks of direction; on one line unless `lines`."""
    text = _BIDI.sub("", unicodedata.normalize("NFC", text)).replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
    return text.strip() if lines else line(text)


def _plain(raw: Any) -> str:
    return _clean(raw) if isinstance(raw, str) else _clean(str(raw))


def _text(raw: Any, longest: int, *, lines: bool = False) -> str | None:
    text = _clean(str(raw), lines=lines)
    if len(text) > longest:
        raise Unfit("too_long", found=len(text), most=longest)
    return text or None


def _number(one: NumberField | PercentageField, text: str) -> str:
    compact = re.sub(r"[\s\u202f\u00a0]", "", text).replace("\u2212", "-")
    compact = compact.removesuffix("%") if isinstance(one, PercentageField) else compact
    if not re.fullmatch(r"-?[0-9]{1,15}(?:[.,][0-9]{1,15})?", compact):
        raise Unfit("not_a_number")
    value = Decimal(compact.replace(",", "."))
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > one.decimals:
        raise Unfit("too_many_decimals", most=one.decimals)
    if one.least is not None and value < one.least:
        raise Unfit("too_small", least=one.least, unit=one.unit)
    if one.most is not None and value > one.most:
        raise Unfit("too_large", most=one.most, unit=one.unit)
    return f"{value.normalize() + 0:f}"


def _date(one: DateField, text: str, today: date) -> str:
    try:
        if found := re.fullmatch(r"([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4})", text):
            day = date(int(found[3]), int(found[2]), int(found[1]))
        elif re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            day = date.fromisoformat(text)
        else:
            raise Unfit("not_a_date")
    except ValueError:
        raise Unfit("no_such_day") from None
    if day.year < 1800 or day > LAST_DAY:
        raise Unfit("no_such_day")
    if one.past and day >= today:
        raise Unfit("not_past")
    return day.isoformat()


def _yes_no(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    if raw in ("yes", "no"):
        return bool(raw == "yes")
    raise Unfit("not_a_choice")


def _one_of(known: Any, value: Any) -> str:
    if not isinstance(value, str) or value not in known:
        raise Unfit("not_a_choice")
    return value


def _siren(text: str) -> str:
    digits = re.sub(r"[\s.]", "", text)
    if not (digits.isascii() and digits.isdecimal()):
        raise Unfit("digits_only")
    if len(digits) != 9:
        raise Unfit("length", found=len(digits), expected=9)
    try:
        return parse_siren(digits)
    except InvalidIdentifier:
        raise Unfit("check", what="SIREN") from None


def _checked(kind: str, text: str) -> str:
    match kind:
        case "iban":
            return parse_iban(text)
        case "bic":
            return parse_bic(text)
        case "vat":
            return parse_vat(text)
    compact = "".join(text.split())
    if len(compact) != 16:
        raise Unfit("length", found=len(compact), expected=16)
    try:
        return parse_eic(compact)
    except InvalidIdentifier:
        raise Unfit("check", what="EIC") from None
