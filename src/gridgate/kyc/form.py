"""The questionnaire as the operator configures it: sections, fields, conditions, in French and English."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

BUILT_IN: Final = Path(__file__).with_name("default.json")

LARGEST_DOCUMENT: Final = 256 * 1024
"""Bytes of a version's JSON."""

MOST_CONTROLS: Final = 800
"""Of one section, all rows of its groups counted: browsers send them in one form, and Django takes a thousand."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


def _plain(number: Decimal) -> Decimal:
    """Without an exponent, as it is shown."""
    return Decimal(f"{number.normalize():f}")


Bound = Annotated[Decimal, Field(max_digits=21, decimal_places=6), AfterValidator(_plain)]
"""Of what may be answered: the digits and decimals that an answer has at most. `1e999999999` would fill a page."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Part):
    """A text in both languages."""

    fr: str = Field(min_length=1, max_length=1000)
    en: str = Field(min_length=1, max_length=1000)

    def said(self, language: str) -> str:
        return self.en if language == "en" else self.fr


class Condition(_Part):
    """That another field of the form (within a group: of the same row) was answered so, or was answered otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    field: Name
    equals: bool | str | None = Field(default=None, alias="is")
    differs: bool | str | None = Field(default=None, alias="is_not")

    def holds(self, answers: Mapping[str, Any]) -> bool:
        """False while the other field has no answer."""
        given = answers.get(self.field)
        if given is None or given == "" or given == []:
            return False
        if self.equals is not None:
            return given == self.equals or (isinstance(given, list) and self.equals in given)
        return bool(given != self.differs)


class ChoiceOption(_Part):
    value: str = Field(pattern=r"^[a-z0-9_]{1,60}$")
    label: Words


class BaseField(_Part):
    name: Name
    label: Words
    help: Words | None = None
    required: bool = False
    required_if: Condition | None = None

    def is_required(self, answers: Mapping[str, Any]) -> bool:
        return self.required or (self.required_if is not None and self.required_if.holds(answers))


class TextField(BaseField):
    kind: Literal["text"]
    longest: int = Field(default=200, ge=1, le=500)
    prefill: Literal["legal_name"] | None = None
    """What the portal knows of the company and puts in a new questionnaire."""


class LongTextField(BaseField):
    kind: Literal["long_text"]
    longest: int = Field(default=2000, ge=1, le=10_000)


class NumberField(BaseField):
    kind: Literal["number"]
    least: Bound | None = None
    most: Bound | None = None
    decimals: int = Field(default=0, ge=0, le=6)
    unit: str = Field(default="", max_length=20)


class PercentageField(BaseField):
    kind: Literal["percentage"]
    least: Bound = Decimal(0)
    most: Bound = Decimal(100)
    decimals: int = Field(default=2, ge=0, le=4)
    unit: Literal["%"] = "%"


class DateField(BaseField):
    kind: Literal["date"]
    past: bool = False
    """The day is over, such as a birth date."""


class YesNoField(BaseField):
    kind: Literal["yes_no"]


class ChoiceField(BaseField):
    kind: Literal["choice"]
    choices: tuple[ChoiceOption, ...] = Field(min_length=2, max_length=100)


class ChoicesField(BaseField):
    kind: Literal["choices"]
    choices: tuple[ChoiceOption, ...] = Field(min_length=1, max_length=100)


class CountryField(BaseField):
    kind: Literal["country"]


class SirenField(BaseField):
    kind: Literal["siren"]
    prefill: Literal["siren"] | None = None


class CheckedField(BaseField):
    """A number with a check rule of its own."""

    kind: Literal["iban", "bic", "vat", "eic"]


Simple: TypeAlias = (
    TextField
    | LongTextField
    | NumberField
    | PercentageField
    | DateField
    | YesNoField
    | ChoiceField
    | ChoicesField
    | CountryField
    | SirenField
    | CheckedField
)


class GroupField(BaseField):
    """The same fields again for each row, such as one beneficial owner a row."""

    kind: Literal["group"]
    row: Words
    """What one row is."""
    most: int = Field(default=20, ge=1, le=50)
    fields: tuple[Annotated[Simple, Field(discriminator="kind")], ...] = Field(min_length=1, max_length=20)


FileType = Literal["pdf", "png", "jpeg", "tiff", "text"]


class FileField(BaseField):
    """Documents joined; their types are read from their content."""

    kind: Literal["file"]
    types: tuple[FileType, ...] = Field(default=("pdf", "png", "jpeg"), min_length=1)
    most: int = Field(default=1, ge=1, le=20)


AnyField: TypeAlias = Simple | GroupField | FileField


class Section(_Part):
    title: Words
    help: Words | None = None
    fields: tuple[Annotated[AnyField, Field(discriminator="kind")], ...] = Field(min_length=1, max_length=60)


class Form(_Part):
    """A version, apart from its name."""

    months_valid: int = Field(default=24, ge=1, le=120)
    sections: tuple[Section, ...] = Field(min_length=1, max_length=30)

    def fields(self) -> Iterator[AnyField]:
        for section in self.sections:
            yield from section.fields

    @cached_property
    def by_name(self) -> dict[str, AnyField]:
        return {one.name: one for one in self.fields()}

    def files(self) -> Iterator[FileField]:
        return (one for one in self.fields() if isinstance(one, FileField))

    @classmethod
    def of(cls, sections: Any, *, months_valid: int = 24) -> Self:
        """The form whose sections were published, which are known to be good."""
        return cls.model_validate({"months_valid": months_valid, "sections": sections})
