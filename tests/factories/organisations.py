"""Companies and members, through the operations that the product uses."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count

from gridgate.core.identifiers import InvalidIdentifier, parse_siren
from gridgate.organisations.models import Membership, Organisation
from gridgate.organisations.operations import add_member, create_organisation

SINCE = datetime(2024, 1, 1, tzinfo=UTC)
_next_siren = count(300_000_000)


def a_siren() -> str:
    """A SIREN that checks and that no other call returns."""
    for number in _next_siren:
        try:
            return parse_siren(str(number))
        except InvalidIdentifier:
            continue
    raise AssertionError


def make_organisation(
    legal_name: str, siren: str | None = None, *, is_operator: bool = False
) -> Organisation:
    slug = legal_name.lower().replace(" ", "-")
    return create_organisation(
        legal_name=legal_name,
        siren=siren or a_siren(),
        is_operator=is_operator,
        contact_email=f"contact@{slug.encode('ascii', 'ignore').decode()}.example",
        now=SINCE,
    )


def make_member(
    organisation: Organisation,
    name: str,
    *,
    role: str = Membership.Role.USER,
    entitlements: Iterable[str] = (),
    perimeter: Iterable[str] | None = None,
    password: str | None = None,
    email: str = "",
    language: str = "fr",
) -> Membership:
    return add_member(
        organisation=organisation,
        email=email or f"{name.lower().replace(' ', '.')}@{organisation.siren}.example",
        full_name=name,
        role=role,
        entitlements=entitlements,
        perimeter=perimeter,
        password=password,
        language=language,
        now=SINCE,
    )
