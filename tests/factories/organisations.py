"""Companies and members, through the operations that the product uses."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import count

from gridgate.core.identifiers import InvalidIdentifier, parse_siren
from gridgate.core.roles import ALWAYS, Term
from gridgate.onboarding.models import JoinRequest
from gridgate.onboarding.operations.join_requests import ask_to_join, pass_on_requests
from gridgate.organisations.models import (
    Membership,
    Organisation,
    User,
    UserGroup,
)
from gridgate.organisations.operations.companies import create_organisation
from gridgate.organisations.operations.groups import create_group
from gridgate.organisations.operations.members import add_member
from gridgate.organisations.operations.services import give
from gridgate.organisations.reach import forget

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
    member = add_member(
        organisation=organisation,
        email=email or f"{name.lower().replace(' ', '.')}@{organisation.siren}.example",
        full_name=name,
        role=role,
        password=password,
        language=language,
        now=SINCE,
    )
    if entitlements or perimeter is not None:
        points = None if perimeter is None else list(perimeter)
        services = dict.fromkeys(["meters", "measurements", *entitlements], points)
        make_group(organisation, f"Groupe de {name}", [member], services)
    return member


def make_join_request(user: User, company: Organisation, *, now: datetime) -> JoinRequest:
    """As it is once the company was told of it."""
    asked = ask_to_join(user=user, siren=company.siren, now=now)
    pass_on_requests(now=now)
    asked.refresh_from_db()
    return asked


def make_group(
    organisation: Organisation,
    name: str,
    members: Iterable[Membership],
    services: Mapping[str, Iterable[str] | None],
    terms: Mapping[str, Term] | None = None,
) -> UserGroup:
    """A group and the services it has: on these points, or on all (None); `terms`, from when until when."""
    group = create_group(organisation=organisation, name=name, members=members, now=SINCE)
    for code, points in services.items():
        give(group=group, code=code, points=points, term=(terms or {}).get(code, ALWAYS), now=SINCE)
    return group


def restrict(member: Membership, points: Iterable[str] | None) -> None:
    """Let the member's groups have their services on exactly these points; None: on all."""
    wanted = None if points is None else list(points)
    for line in member.groups.select_related("group"):
        for code in line.group.entitlements.values_list("code", flat=True):
            give(group=line.group, code=code, points=wanted, now=SINCE)
    forget(member)
