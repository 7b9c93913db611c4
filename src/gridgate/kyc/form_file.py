"""Reading a version of the questionnaire from its file, and saying what is wrong with it and where."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.kyc.countries import countries
from gridgate.kyc.form import (
    LARGEST_DOCUMENT,
    MOST_CONTROLS,
    ChoiceField,
    ChoicesField,
    CountryField,
    Form,
    GroupField,
    NumberField,
    PercentageField,
    YesNoField,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a document and where: `section 2, owners, share, least`, or a line that is no JSON."""

    code: str
    message: str
    place: str = ""
    line: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line is not None else self.place
        return f"{where}: {self.message}" if where else self.message


class InvalidForm(GridgateError):
    """The document is no questionnaire; `faults` says each thing that is wrong."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            ErrorKind.INVALID,
            "\n".join(str(fault) for fault in faults),
            remedy="How a questionnaire is written is in docs/1-running/kyc.md.",
            where="",
        )


def read_form(document: bytes) -> tuple[Form, dict[str, Any]]:
    """The form that a JSON document describes, and the document. Raises `InvalidForm` with every fault."""
    given = _json(document)
    try:
        form = Form.model_validate(given)
    except ValidationError as error:
        raise InvalidForm(list(_faults_in(error, given))) from None
    faults = list(_inconsistencies(form))
    if faults:
        raise InvalidForm(faults)
    return form, given


def _json(document: bytes) -> dict[str, Any]:
    if len(document) > LARGEST_DOCUMENT:
        raise InvalidForm([Fault("too_large", f"the file is larger than {LARGEST_DOCUMENT // 1024} kB")])
    try:
        given = json.loads(document.decode("utf-8-sig"), object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        line = document[: error.start].count(b"\n") + 1
        raise InvalidForm([Fault("not_utf8", "this is not UTF-8", line=line)]) from None
    except json.JSONDecodeError as error:
        message = f"this is no JSON, column {error.colno}: {error.msg}"
        fault = Fault("not_json", message, line=error.lineno, details={"column": error.colno})
        raise InvalidForm([fault]) from None
    except RecursionError:
        raise InvalidForm([Fault("too_deep", "this is nested too deeply")]) from None
    except _Repeated as error:
        message = f"the key {error.key} stands twice in an object"
        raise InvalidForm([Fault("repeated_key", message, details={"key": error.key})]) from None
    if not isinstance(given, dict):
        raise InvalidForm([Fault("not_an_object", "the document is a JSON object with “sections”")])
    return given


class _Repeated(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise _Repeated(key)
        made[key] = value
    return made


_MESSAGES: Final = {
    "missing": "the key is missing",
    "extra_forbidden": "no such key here",
    "model_type": "an object is expected",
    "model_attributes_type": "an object is expected",
    "string_type": "a text is expected",
    "string_too_short": "the text is empty",
    "string_too_long": "the text is longer than {max_length} characters",
    "string_pattern_mismatch": "small letters, digits and _ only; a name begins with a letter, 40 characters at most",
    "bool_type": "true or false is expected",
    "bool_parsing": "true or false is expected",
    "int_type": "a whole number is expected",
    "int_parsing": "a whole number is expected",
    "int_from_float": "a whole number is expected",
    "decimal_type": "a number is expected",
    "decimal_parsing": "a number is expected",
    "finite_number": "a number is expected",
    "decimal_max_digits": "a number of 15 digits at most, and 6 decimals, is expected",
    "decimal_whole_digits": "a number of 15 digits at most, and 6 decimals, is expected",
    "decimal_max_places": "a number of 15 digits at most, and 6 decimals, is expected",
    "greater_than_equal": "{ge} at least",
    "less_than_equal": "{le} at most",
    "tuple_type": "a list is expected",
    "too_short": "{min_length} at least",
    "too_long": "{max_length} at most",
    "literal_error": "one of {expected} is expected",
    "union_tag_invalid": "{tag} is no kind of field here; the kinds are {expected_tags}",
    "union_tag_not_found": "the field has no “kind”",
}


def _faults_in(error: ValidationError, given: Any) -> Iterator[Fault]:
    errors = error.errors()
    for one in errors:
        place = one["loc"]
        beneath = any(other["loc"][: len(place)] == place for other in errors if other is not one)
        if one["type"] == "too_short" and beneath:
            continue  # a list counts what is good in it
        details = one.get("ctx", {})
        message = _MESSAGES.get(one["type"])
        text = message.format_map(details) if message else one["msg"]
        yield Fault(one["type"], text, _place(place, given), details=details)


def _place(parts: Sequence[int | str], given: Any) -> str:
    """The path with fields by their names: `section 2, owners, share, least`."""
    words: list[str] = []
    at: Any = given
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if isinstance(at, dict) and part == at.get("kind") and part not in at:
            continue  # pydantic names the kind of the field that it is in
        if isinstance(part, int):
            at = at[part] if isinstance(at, list) and part < len(at) else None
            named = at.get("name") if isinstance(at, dict) else None
            words.append(str(named or f"{'fields ' if parts[index - 1] == 'fields' else ''}{part + 1}"))
        else:
            at = at.get(part) if isinstance(at, dict) else None
            if part == "sections":
                words.append("sections" if last else "section")
            elif last or part != "fields":
                words.append(part)
    return ", ".join(words).replace("section, ", "section ", 1)


def _inconsistencies(form: Form) -> Iterator[Fault]:
    """What each part alone does not show."""
    seen: set[str] = set()
    for number, section in enumerate(form.sections, start=1):
        controls = sum(
            one.most * len(one.fields) if isinstance(one, GroupField) else 1 for one in section.fields
        )
        if controls > MOST_CONTROLS:
            message = f"with all rows the section has {controls} answers, {MOST_CONTROLS} at most"
            details = {"found": controls, "most": MOST_CONTROLS}
            yield Fault("too_many_controls", message, f"section {number}", details=details)
        for one in section.fields:
            place = f"section {number}, {one.name}"
            if one.name in seen:
                yield Fault("repeated_name", "another field has this name", place)
            seen.add(one.name)
            yield from _of_field(one, form.by_name, place)
            if isinstance(one, GroupField):
                yield from _of_rows(one, place)


def _of_rows(group: GroupField, place: str) -> Iterator[Fault]:
    rows: dict[str, Any] = {}
    for one in group.fields:
        if one.name in rows:
            yield Fault("repeated_name", "another field has this name", f"{place}, {one.name}")
        rows[one.name] = one
        if getattr(one, "prefill", None) is not None:
            yield Fault("prefill_in_group", "a field of a group has no “prefill”", f"{place}, {one.name}")
    for one in group.fields:
        yield from _of_field(one, rows, f"{place}, {one.name}")


def _of_field(one: Any, others: Mapping[str, Any], place: str) -> Iterator[Fault]:
    if isinstance(one, (ChoiceField, ChoicesField)):
        values = [choice.value for choice in one.choices]
        for value in sorted({value for value in values if values.count(value) > 1}):
            yield Fault(
                "repeated_choice", f"the choice {value} stands twice", place, details={"value": value}
            )
    if isinstance(one, (NumberField, PercentageField)) and _crossed(one):
        yield Fault("least_above_most", "“least” is above “most”", place)
    if one.required_if is not None:
        yield from _of_condition(one, others, f"{place}, required_if")


def _crossed(one: NumberField | PercentageField) -> bool:
    return one.least is not None and one.most is not None and one.least > one.most


def _of_condition(one: Any, others: Mapping[str, Any], place: str) -> Iterator[Fault]:
    condition = one.required_if
    if one.required:
        yield Fault("required_twice", "the field is required already", place)
    if (condition.equals is None) == (condition.differs is None):
        yield Fault("one_comparison", "a condition has either “is” or “is_not”", place)
        return
    other = others.get(condition.field)
    details = {"field": condition.field}
    if other is None or other.name == one.name:
        yield Fault("unknown_field", f"no other field {condition.field} here", place, details=details)
        return
    value = condition.differs if condition.equals is None else condition.equals
    match other:
        case YesNoField():
            fits = isinstance(value, bool)
        case ChoiceField() | ChoicesField():
            fits = value in {choice.value for choice in other.choices}
        case CountryField():
            fits = value in countries()
        case _:
            yield Fault(
                "no_condition_on",
                f"{condition.field} is neither a yes_no, a choice, choices nor a country",
                place,
                details=details,
            )
            return
    if not fits:
        message = f"{condition.field} is never {json.dumps(value)}"
        yield Fault("never_so", message, place, details=details | {"value": json.dumps(value)})
