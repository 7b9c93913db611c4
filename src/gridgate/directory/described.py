"""People and groups as a company's directory describes them: values, without a database."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridgate.core.text import line

LONGEST_ACCOUNT_NAME = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a directory says of a person, besides their address; empty where it says nothing."""

    external_id: str = ""
    display_name: str = ""
    formatted_name: str = ""
    given_name: str = ""
    family_name: str = ""
    preferred_language: str = ""

    @property
    def account_name(self) -> str:
        """The name that an account opened for the person has.

        >>> Described(given_name="Ada", family_name="Lovelace").account_name
        'Ada Lovelace'
        """
        name = self.display_name or self.formatted_name or f"{self.given_name} {self.family_name}"
        return line(name)[:LONGEST_ACCOUNT_NAME]

    @property
    def account_language(self) -> str:
        return "en" if self.preferred_language.lower().startswith("en") else "fr"


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the directory sees them: what it said itself, the address, and whether they act for the company."""

    id: UUID
    email: str
    said: Described
    active: bool
    created_at: datetime
    groups: tuple[tuple[UUID, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A group as the directory sees it."""

    id: UUID
    name: str
    external_id: str
    created_at: datetime
    revision: str
    """Another one whenever somebody came or went."""
    members: tuple[UUID, ...] = ()
    """Empty when they were not asked for."""
