"""Reads: companies, memberships, and whom to ask."""

from django.db.models import QuerySet

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import parse_siren
from gridgate.organisations.models import Membership, Organisation, User


class OrganisationNotFound(GridgateError):
    """No company of this SIREN is registered."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(ErrorKind.NOT_FOUND, message, remedy=remedy)


def operator() -> Organisation | None:
    """The network operator of this instance; None before `gridgate init`."""
    return Organisation.objects.filter(is_operator=True).first()


def organisation_by_siren(siren: str | None = None) -> Organisation:
    """The company of this SIREN, or the operator without one.

    Raises `InvalidIdentifier` for what is not a SIREN and `OrganisationNotFound` when nobody has it.
    """
    if siren is None:
        found = operator()
        if found is None:
            raise OrganisationNotFound("this instance has no operator", remedy="Run gridgate init.")
        return found
    number = parse_siren(siren)
    company = Organisation.objects.filter(siren=number).first()
    if company is None:
        raise OrganisationNotFound(f"no company has the SIREN {number} here")
    return company


def user_by_email(*, email: str) -> User | None:
    """The person who signs in with this address, whatever its case, unless their account is closed."""
    return User.objects.filter(email__iexact=email, is_active=True).first()


def memberships_of(*, user: User) -> QuerySet[Membership]:
    """The companies a person acts for at present, in alphabetical order."""
    return (
        user.memberships.filter(ended_at=None)
        .select_related("user", "organisation")
        .order_by("organisation__legal_name", "pk")
    )


def members_of(*, actor: Membership) -> QuerySet[Membership]:
    """The present members of the actor's company, in alphabetical order."""
    return (
        Membership.objects.filter(organisation=actor.organisation_id, ended_at=None, user__is_active=True)
        .select_related("user")
        .order_by("user__full_name", "pk")
    )


def administrators_of(*, actor: Membership) -> QuerySet[Membership]:
    """Whom the actor asks for a right they do not have: the administrators of their company."""
    return members_of(actor=actor).filter(role=Membership.Role.ADMINISTRATOR)
