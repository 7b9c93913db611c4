"""What a room tells the rest of the house of itself, in a module `capability` of its own, and finding that.

A room is a package of the portal's plane. Its module assigns what applies to it, and nobody lists the rooms twice:

`PERSONAL_DATA`, a `PersonalData`: what it keeps of a person, and what becomes of that as their account is deleted.
`faults()`: what is wrong with what it keeps, and how to mend it, as `gridgate check` says it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

Rows = list[dict[str, Any]]


def iso(instant: datetime | None) -> str | None:
    """An instant as the copy of personal data says it: ISO 8601, in UTC."""
    return None if instant is None else instant.isoformat()


def _nothing(user: Any, now: datetime) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """What a room keeps of a person. The person is the row of their account."""

    sections: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """By its name in the copy that the person may have (GDPR articles 15 and 20), what makes a section. Rows that
    several rooms have of one section are told together.
    """
    end: Callable[[Any, datetime], None] = _nothing
    """As the account is deleted: end what nobody else can go on with, while the person still has a name."""
    forget: Callable[[Any, datetime], None] = _nothing
    """After that, when they act for no company any more: take away what only the account was for."""


def declared(packages: Iterable[str], name: str) -> list[Any]:
    """What the `capability` of each of the packages says under this name, in their order; those that say nothing are
    left out.
    """
    modules = (import_module(f"{package}.capability") for package in packages if _has_one(package))
    return [getattr(module, name) for module in modules if hasattr(module, name)]


def _has_one(package: str) -> bool:
    return find_spec(f"{package}.capability") is not None
