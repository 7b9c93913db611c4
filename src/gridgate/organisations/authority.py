"""Who may administer a company: asked by every operation of the actor itself, whatever the screen has checked.

`actor` None is the portal itself or its command line, whoever runs it has the machine.
"""

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership, Organisation
from gridgate.organisations.reach import is_present


class NotAllowed(GridgateError):
    """The actor may not do this for this company."""

    def __init__(self, message: str = "this is for the company's administrators") -> None:
        super().__init__(ErrorKind.FORBIDDEN, message, remedy="Ask an administrator of your company.")


class LastAdministrator(GridgateError):
    """A company keeps one administrator at least."""

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        super().__init__(
            ErrorKind.CONFLICT,
            f"this is the last administrator of {organisation.legal_name}",
            remedy="Make somebody else an administrator first.",
        )


def require_administrator(actor: Membership | None, organisation: Organisation) -> None:
    """Raises `NotAllowed` unless the actor administers this very company."""
    if actor is None:
        return
    if not _acts_for(actor, organisation) or not actor.is_administrator:
        raise NotAllowed


def require_user_manager(actor: Membership | None, organisation: Organisation) -> None:
    """Administrators, and members who may manage users. Raises `NotAllowed`."""
    if actor is None:
        return
    if not _acts_for(actor, organisation) or not actor.has(EntitlementCode.USERS):
        raise NotAllowed


def require_operator(actor: Membership | None) -> None:
    """The network operator's staff. Raises `NotAllowed`."""
    if actor is None:
        return
    if not is_present(actor) or not actor.organisation.is_operator:
        raise NotAllowed("this is for the network operator")


def require_operator_administrator(actor: Membership | None) -> None:
    """The network operator's administrators. Raises `NotAllowed`."""
    require_operator(actor)
    if actor is not None and not actor.is_administrator:
        raise NotAllowed("this is for the network operator's administrators")


def require_other_administrator(membership: Membership) -> None:
    """Call it inside the transaction that takes an administrator away. Raises `LastAdministrator`.

    Two administrators who remove each other at the same moment queue at the company's row, and the second is
    refused (on SQLite the transactions themselves queue, as they begin IMMEDIATE).
    """
    if not membership.is_administrator or not membership.is_present():
        return
    organisation = Organisation.objects.select_for_update().get(pk=membership.organisation_id)
    others = organisation.memberships.present().filter(
        role=Membership.Role.ADMINISTRATOR, user__is_active=True
    )
    others = others.exclude(pk=membership.pk)
    if not others.exists():
        raise LastAdministrator(organisation)


def _acts_for(actor: Membership, organisation: Organisation) -> bool:
    return is_present(actor) and actor.organisation_id == organisation.pk
