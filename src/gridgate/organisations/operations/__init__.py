"""What changes companies, people and rights. Each operation is one transaction, and checks its actor itself.

`companies` (register, roles, contracts) · `members` (add, change, detach, close) · `groups` (members, services,
perimeters).
"""

from gridgate.organisations.operations.companies import (
    InvalidContract,
    OrganisationExists,
    create_organisation,
    end_contract,
    ensure_organisation,
    record_contract,
    update_organisation,
)
from gridgate.organisations.operations.groups import (
    InvalidGroup,
    create_group,
    delete_group,
    give,
    rename_group,
    set_members,
    set_services,
    withdraw,
)
from gridgate.organisations.operations.members import (
    InvalidMember,
    MembershipExists,
    add_member,
    create_user,
    disable_user,
    end_membership,
    parse_email,
    set_role,
    update_member,
    update_profile,
)

__all__ = [
    "InvalidContract",
    "InvalidGroup",
    "InvalidMember",
    "MembershipExists",
    "OrganisationExists",
    "add_member",
    "create_group",
    "create_organisation",
    "create_user",
    "delete_group",
    "disable_user",
    "end_contract",
    "end_membership",
    "ensure_organisation",
    "give",
    "parse_email",
    "record_contract",
    "rename_group",
    "set_members",
    "set_role",
    "set_services",
    "update_member",
    "update_organisation",
    "update_profile",
    "withdraw",
]
