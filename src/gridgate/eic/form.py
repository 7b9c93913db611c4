"""What a request for an EIC code asks, as the operator configured it.

The scheme's manual leaves much to the issuing office, and what an office asks is its policy, not ours:
`GRIDGATE_EIC_FORM` names a JSON file that says so, and `eic_form.json` beside this module is what holds without it.
The file gives only what differs. It is read and validated at start: see docs/1-running/eic.md.
"""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from django.conf import settings
from django.core.exceptions import ValidationError as NotAnAddress
from django.core.validators import validate_email
from django.utils.translation import get_language
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import EIC_TYPES

DEFAULT = Path(__file__).with_name("form.json")
ALL_TYPES = "".join(EIC_TYPES)

Types = Annotated[str, StringConstraints(pattern=f"^[{ALL_TYPES}]*$")]
"""Letters of EIC types, such as `XY`."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Part):
    """A text in French and, unless it is the same, in English."""

    fr: str = Field(min_length=1)
    en: str = ""

    def __str__(self) -> str:
        english = (get_language() or "fr").startswith("en")
        return self.en if english and self.en else self.fr


class Choice(_Part):
    value: str = Field(pattern=r"^[a-z0-9_]{1,60}$")
    label: Words


class FormField(_Part):
    """A further field. `types`: asked for codes of these types."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    kind: Literal["text", "long_text", "email", "choice", "choices"] = "text"
    label: Words
    help: Words | None = None
    types: Types = ALL_TYPES
    required: bool = False
    longest: int = Field(default=200, ge=1, le=2000)
    pattern: str = ""
    """A regular expression that the whole text of a `text` field matches."""
    choices: tuple[Choice, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        chosen = self.kind in ("choice", "choices")
        if chosen != bool(self.choices):
            raise ValueError("“choices” goes with the kinds “choice” and “choices”, and with no other")
        if self.pattern and self.kind != "text":
            raise ValueError("“pattern” goes with the kind “text” only")
        _compiled(self.pattern)
        values = [choice.value for choice in self.choices]
        if len(set(values)) != len(values):
            raise ValueError("two choices have the same value")
        return self

    def asked_for(self, letter: str) -> bool:
        return letter in self.types

    def is_too_long(self, answer: Any) -> bool:
        return not self.choices and len(answer) > self.longest

    def takes(self, answer: Any) -> bool:
        """Whether an answer, which is not empty, will do."""
        values = {choice.value for choice in self.choices}
        if self.kind == "choices":
            return isinstance(answer, list) and set(map(str, answer)) <= values
        if not isinstance(answer, str) or self.is_too_long(answer):
            return False
        match self.kind:
            case "choice":
                return answer in values
            case "email":
                return _is_address(answer)
            case _:
                return not self.pattern or re.fullmatch(self.pattern, answer) is not None

    def shown(self, answer: Any) -> str:
        """The answer as people read it."""
        labels = {choice.value: str(choice.label) for choice in self.choices}
        values = answer if isinstance(answer, list) else [answer]
        return ", ".join(labels.get(value, str(value)) for value in values)


class Limits(_Part):
    """How a name is written; the columns hold 16 and 70 characters, so that no form may allow more."""

    longest: int = Field(ge=1)
    pattern: str = ""

    @model_validator(mode="after")
    def _regular(self) -> Self:
        _compiled(self.pattern)
        return self

    def allows(self, text: str) -> bool:
        return not self.pattern or re.fullmatch(self.pattern, text) is not None


class Asked(_Part):
    """For which types something is asked, and for which of these it must be given."""

    asked: Types
    required: Types = ""

    @model_validator(mode="after")
    def _required_is_asked(self) -> Self:
        if not set(self.required) <= set(self.asked):
            raise ValueError("what is required must be asked too")
        return self


class EicForm(_Part):
    """The whole configuration."""

    types: Annotated[Types, Field(min_length=1)]
    """Types that may be asked for here."""
    published: Types
    """Types whose codes everyone who is signed in may look up; of others, a company sees its own."""
    display_name: Limits
    long_name: Limits
    responsible_party: Asked
    parent: Asked
    justification: Asked
    fields: tuple[FormField, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name, columns in (("display_name", 16), ("long_name", 70)):
            if getattr(self, name).longest > columns:
                raise ValueError(f"“{name}” cannot be longer than {columns} characters")
        names = [field.name for field in self.fields]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two fields are called {', '.join(twice)}")
        return self

    @property
    def by_type(self) -> dict[str, Asked]:
        """What is asked for some types only, by its name in a request."""
        return {
            "responsible_party": self.responsible_party,
            "parent": self.parent,
            "justification": self.justification,
        }

    def fields_of(self, letter: str) -> list[FormField]:
        """The further fields that a code of this type asks."""
        return [field for field in self.fields if field.asked_for(letter)]

    def answers(self, details: dict[str, Any]) -> list[tuple[str, str]]:
        """Labels and answers, as people read them; an answer to a field that is gone keeps its name."""
        known = {field.name: field for field in self.fields}
        told = [
            (str(field.label), field.shown(details[field.name]))
            for field in self.fields
            if details.get(field.name)
        ]
        return told + [(name, str(value)) for name, value in details.items() if name not in known and value]


def eic_form() -> EicForm:
    """The form of this instance. Raises `GridgateError` naming what is wrong in the file and how to mend it."""
    return read_eic_form(settings.ENVIRONMENT.eic_form)


@lru_cache(maxsize=8)
def read_eic_form(path: Path | None) -> EicForm:
    """The form that a file configures, or the built-in one without a file; read once a process."""
    given = json.loads(DEFAULT.read_text(encoding="utf-8"))
    if path is not None:
        given |= _object_in(path)
    try:
        return EicForm.model_validate(given)
    except ValidationError as error:
        faults = "; ".join(f"{_place(fault['loc'], given)}: {_said(fault)}" for fault in error.errors())
        raise _unusable(path, faults) from None


def _object_in(path: Path) -> dict[str, Any]:
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unusable(path, f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _unusable(path, "it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _unusable(path, f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    if not isinstance(given, dict):
        raise _unusable(path, "it holds no JSON object")
    return given


def _unusable(path: Path | None, fault: str) -> GridgateError:
    return GridgateError(
        ErrorKind.INVALID,
        f"GRIDGATE_EIC_FORM names {path}, which will not do: {fault}",
        remedy="See docs/1-running/eic.md, or unset it to ask what is built in.",
    )


def _place(parts: tuple[int | str, ...], given: dict[str, Any]) -> str:
    """Where in the file, a field by its name: `fields, vat_number, kind`."""
    words: list[str] = []
    for index, part in enumerate(parts):
        named: Any = None
        if index == 1 and parts[0] == "fields" and isinstance(part, int):
            listed = given["fields"]
            named = listed[part].get("name") if isinstance(listed[part], dict) else None
        words.append(str(named or part))
    return ", ".join(words) or "the file"


def _said(fault: Any) -> str:
    match fault["type"]:
        case "missing":
            return "this is missing"
        case "extra_forbidden":
            return "there is nothing of this name to set"
        case "string_pattern_mismatch" if ALL_TYPES in fault["ctx"]["pattern"]:
            return f"give letters among {ALL_TYPES}, not {fault['input']!r}"
        case "string_pattern_mismatch":
            return "small letters, digits and _ only"
    return str(fault["msg"]).removeprefix("Value error, ")


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except NotAnAddress:
        return False
    return True


def _compiled(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"“pattern” is not a regular expression: {error}") from None
