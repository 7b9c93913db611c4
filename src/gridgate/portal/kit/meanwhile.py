"""What was saved while somebody had a form open: shown beside what they typed, which stays in the form."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms

from gridgate.portal.kit import formats


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """`saved`: of what differs, the name and what is saved now. `files`: some were sent, and must be sent again."""

    who: str
    saved: Sequence[tuple[str, str]]
    files: bool = False


def differing(typed: forms.Form, saved: forms.Form) -> list[tuple[str, str]]:
    """By the name of each field of which the saved form says another thing: what that is."""
    return [
        (str(field.label), _said(field))
        for field in saved
        if _compared(field.value()) != _compared(typed[field.name].value())
    ]


def _compared(value: object) -> object:
    return sorted(map(str, value)) if isinstance(value, list) else str(value or "").strip()


def _said(field: forms.BoundField) -> str:
    value = field.value()
    if isinstance(field.field, forms.ChoiceField):
        labels: dict[Any, Any] = dict(field.field.choices)  # type: ignore[arg-type]
        chosen = value if isinstance(value, list) else [value] if value else []
        return ", ".join(str(labels.get(one, one)) for one in chosen) or formats.NONE
    if isinstance(value, date):
        return formats.long_day(value)
    return str(value or "") or formats.NONE
