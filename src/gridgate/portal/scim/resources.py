"""The resources of SCIM (RFC 7643) as this service keeps them: people, groups, and who is in them."""

from typing import Annotated, Any, NamedTuple

from pydantic import Field
from scim2_models import (
    URN,
    CaseExact,
    ComplexAttribute,
    Mutability,
    Reference,
    Required,
    Resource,
    ScimPolicy,
    SearchRequest,
    Uniqueness,
)

MOST_RESULTS = 200

USUAL_RESULTS = 100

MOST_OPERATIONS = 1000

LAST_INDEX = 2**31
"""Beyond it there is nothing, and a database has no such number."""

TOLERANT = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""What Microsoft Entra and Okta send beyond the letter of the standard is understood."""


class Name(ComplexAttribute):
    """The parts of a person's name, as the directory gives them."""

    formatted: str | None = None
    """The full name, formatted for display."""
    family_name: str | None = None
    """The last name."""
    given_name: str | None = None
    """The first name."""


class Email(ComplexAttribute):
    """The address of the account."""

    value: Annotated[str | None, Mutability.read_only] = None
    """The address, which is the userName."""
    type: Annotated[str | None, Mutability.read_only] = Field(None, examples=["work"])
    """Always "work"."""
    primary: Annotated[bool | None, Mutability.read_only] = None
    """Always true: there is one."""


class GroupOfUser(ComplexAttribute):
    """A group that the person is in."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    """The group's identifier."""
    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The group's address."""
    display: Annotated[str | None, Mutability.read_only] = None
    """The group's name."""
    type: Annotated[str | None, Mutability.read_only] = Field(None, examples=["direct"])
    """Always "direct": groups hold no groups."""


class User(Resource[Any]):
    """A person who acts for the company."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """The e-mail address that the person signs in with. It changes only where the account was opened for this company."""
    name: Name | None = None
    """The parts of the person's name."""
    display_name: str | None = None
    """The person's name, for display."""
    preferred_language: str | None = None
    """In which language an account is opened for the person: English for "en…", French otherwise."""
    active: bool | None = None
    """Whether the person acts for the company."""
    emails: Annotated[list[Email] | None, Mutability.read_only] = None
    """The userName again, as an e-mail address."""
    groups: Annotated[list[GroupOfUser] | None, Mutability.read_only] = None
    """The groups that the person is in; changed from the groups' side."""


class Member(ComplexAttribute):
    """A person in a group."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """The person's identifier."""
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The person's address."""
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    """Always "User"."""


class Group(Resource[Any]):
    """A group of the company's users. Its services and their perimeters are given by the company's administrators."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    """The group's name, one of its kind in the company whatever its case."""
    members: list[Member] | None = None
    """The people in the group."""


class WritableEmail(ComplexAttribute):
    value: str | None = None
    type: str | None = None
    primary: bool | None = None


class WritableUser(User):
    """A user as a PATCH is applied to it: directories write the address in both places at once."""

    emails: list[WritableEmail] | None = None  # type: ignore[assignment]


class Page(NamedTuple):
    """Which part of a list is asked for."""

    start: int
    """From 0."""
    length: int


def page_of(search: SearchRequest[Any]) -> Page:
    length = USUAL_RESULTS if search.count is None else min(search.count, MOST_RESULTS)
    return Page(min(search.start_index_0 or 0, LAST_INDEX), length)
