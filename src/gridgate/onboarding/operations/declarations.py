"""What declaring a company's first administrator needs: a contract, an EIC code, and nobody who administers it yet."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.timezone import get_default_timezone

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.time import civil_day_of
from gridgate.eic.models import EicCode, EicType
from gridgate.onboarding.models import Invitation
from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import Contract, Membership, Organisation


class NotDeclarable(GridgateError):
    """The company lacks what a first administrator needs: a contract, an EIC code, or both."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(ErrorKind.CONFLICT, message, remedy=remedy)


class NoContract(NotDeclarable):
    """No contract of the company is in force today."""


class NoEicCode(NotDeclarable):
    """The company has no active EIC code of type X of its own in the register."""


class NoContractNorEicCode(NoContract, NoEicCode):
    """Both are missing, and told together."""


class AlreadyAdministered(GridgateError):
    """The company has an administrator: whoever else is needed is invited by them."""

    def __init__(self, organisation: Organisation) -> None:
        super().__init__(
            ErrorKind.CONFLICT,
            f"{organisation.legal_name} has an administrator",
            remedy="Its administrators invite the others.",
        )


@dataclass(frozen=True, slots=True)
class Declaration:
    """What declaring a first administrator needs, as it stands today."""

    contract: Contract | None
    eic_code: EicCode | None
    administered: bool
    invitation: Invitation | None
    """The first administrator declared who has not answered, whether or not the link has expired."""

    @property
    def possible(self) -> bool:
        return self.contract is not None and self.eic_code is not None and not self.administered

    def is_awaited(self, now: datetime) -> bool:
        """Whether somebody declared may still answer; until then nobody else is declared."""
        return self.invitation is not None and self.invitation.is_on_its_way(now)


def declaration_of(
    *, organisation: Organisation, actor: Membership | None = None, now: datetime
) -> Declaration:
    """Whether a first administrator can be declared for the company today, and what is missing."""
    require_operator(actor)
    today = civil_day_of(now, get_default_timezone())
    contracts = organisation.contracts.filter(Q(valid_to=None) | Q(valid_to__gt=today), valid_from__lte=today)
    administrators = organisation.memberships.present(now).filter(
        role=Membership.Role.ADMINISTRATOR, user__is_active=True
    )
    return Declaration(
        contract=contracts.order_by("valid_from", "pk").first(),
        eic_code=organisation.eic_codes.filter(type=EicType.X, active=True).order_by("code").first(),
        administered=administrators.exists(),
        invitation=organisation.invitations.unclosed()
        .filter(kind=Invitation.Kind.FIRST_ADMINISTRATOR)
        .order_by("pk")
        .last(),
    )


def require_declarable(organisation: Organisation, now: datetime) -> None:
    """Raises `AlreadyAdministered`, `NoContract`, `NoEicCode`, or one exception that is both of these."""
    found = declaration_of(organisation=organisation, now=now)
    if found.administered:
        raise AlreadyAdministered(organisation)
    name = organisation.legal_name
    contract = "Record its contract"
    code = "issue it a code of type X, or record the one another office issued"
    if found.contract is None and found.eic_code is None:
        raise NoContractNorEicCode(
            f"{name} has no contract in force today and no active EIC code of type X",
            remedy=f"{contract}, and {code}.",
        )
    if found.contract is None:
        raise NoContract(f"{name} has no contract in force today", remedy=f"{contract}.")
    if found.eic_code is None:
        raise NoEicCode(f"{name} has no active EIC code of type X", remedy=f"{code[0].upper()}{code[1:]}.")
