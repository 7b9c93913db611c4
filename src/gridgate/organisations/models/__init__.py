"""Companies and people: who acts for whom, and who may do what on which points."""

from gridgate.organisations.models.memberships import (
    Entitlement,
    GroupMember,
    Membership,
    MembershipQuerySet,
    PerimeterPoint,
    UserGroup,
    present,
)
from gridgate.organisations.models.organisation import Contract, Organisation
from gridgate.organisations.models.people import SignIn, User

__all__ = [
    "Contract",
    "Entitlement",
    "GroupMember",
    "Membership",
    "MembershipQuerySet",
    "Organisation",
    "PerimeterPoint",
    "SignIn",
    "User",
    "UserGroup",
    "present",
]
