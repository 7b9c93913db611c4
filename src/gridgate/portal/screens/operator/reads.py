"""The operator's back office: the companies of the instance, and what is recorded of each.

For the operator's staff only. The operator itself is not one of its companies.
"""

from dataclasses import dataclass
from datetime import date, datetime

from allauth.mfa.models import Authenticator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.timezone import get_default_timezone

from gridgate.accounts.security.policy import FACTORS
from gridgate.audit.history import events_of
from gridgate.audit.models import AuditEvent
from gridgate.core.errors import GridgateError
from gridgate.core.identifiers import parse_siren
from gridgate.core.time import civil_day_of
from gridgate.eic.models import EicCode
from gridgate.onboarding.models import GeneralTerms, Invitation, InvitationState
from gridgate.onboarding.terms import terms_published
from gridgate.organisations.authority import require_operator, require_operator_administrator
from gridgate.organisations.beneficiaries import names_none, names_one
from gridgate.organisations.folding import company_named_like
from gridgate.organisations.models import (
    Contract,
    Membership,
    Organisation,
    User,
)
from gridgate.organisations.queries import OrganisationNotFound

_COMMANDS = Q(action__in=("application.created", "account.factors_forgotten", "member.added"))
for _family in ("collection", "company", "contract", "first_administrator", "holding"):
    _COMMANDS |= Q(action__startswith=f"{_family}.")
_AT_THE_COMMAND_LINE = _COMMANDS & Q(acting_for=None, user=None)
"""What commands do of which no person is known: the company reads it as done by the network operator."""

NO_ROLE = "none"
"""The role of a company that has none declared, in a filter."""


@dataclass(frozen=True, slots=True)
class CompanyFilter:
    """What the list of companies is narrowed to; an empty value narrows nothing.

    `text` is words of the name, or the beginning of a SIREN, an EIC code or a contract's number in any grouping.
    `declared` is the state of the first administrator who has not answered.
    """

    text: str = ""
    role: str = ""
    administered: bool | None = None
    contracted: bool | None = None
    declared: InvitationState | None = None


def companies(
    *, actor: Membership, wanted: CompanyFilter | None = None, now: datetime
) -> QuerySet[Organisation]:
    """The companies that the filter lets through, by name.

    Each says whether it is `administered` and `contracted` today, and whether a first administrator `awaited` has a
    link that is good, or one that has `expired`. Raises `NotAllowed`.
    """
    require_operator(actor)
    wanted = wanted or CompanyFilter()
    own = OuterRef("pk")
    open_declarations = Invitation.objects.filter(
        organisation=own,
        kind=Invitation.Kind.FIRST_ADMINISTRATOR,
        accepted_at=None,
        cancelled_at=None,
    )
    found = Organisation.objects.filter(_found(wanted.text), is_operator=False).annotate(
        administered=Exists(_present_administrators(organisation=own)),
        contracted=Exists(Contract.objects.filter(in_force(_today(now)), organisation=own)),
        awaited=Exists(open_declarations.filter(expires_at__gt=now)),
        expired=Exists(open_declarations.filter(expires_at__lte=now)),
    )
    if wanted.role:
        found = found.filter(names_none() if wanted.role == NO_ROLE else names_one([wanted.role]))
    if wanted.administered is not None:
        found = found.filter(administered=wanted.administered)
    if wanted.contracted is not None:
        found = found.filter(contracted=wanted.contracted)
    if wanted.declared is not None:
        found = found.filter(**{_DECLARED[wanted.declared]: True})
    return found.order_by("search_text", "pk")


_DECLARED = {InvitationState.PENDING: "awaited", InvitationState.EXPIRED: "expired"}


def company(*, actor: Membership, siren: str) -> Organisation:
    """One company. Raises `NotAllowed`, and `OrganisationNotFound`."""
    require_operator(actor)
    try:
        number = parse_siren(siren)
    except GridgateError:
        number = ""
    found = Organisation.objects.filter(siren=number, is_operator=False).first()
    if found is None:
        raise OrganisationNotFound(f"no company has the SIREN {siren} here")
    return found


class ContractNotFound(OrganisationNotFound):
    """No such contract of this company."""


def in_force(day: date) -> Q:
    """Contracts that cover the civil day."""
    return Q(valid_from__lte=day) & (Q(valid_to=None) | Q(valid_to__gt=day))


def contracts_of(*, actor: Membership, organisation: Organisation) -> QuerySet[Contract]:
    """The company's contracts, the latest first. Raises `NotAllowed`."""
    require_operator(actor)
    return organisation.contracts.select_related("organisation").order_by("-valid_from", "number")


def contract_of(*, actor: Membership, organisation: Organisation, pk: int) -> Contract:
    """Raises `NotAllowed`, and `ContractNotFound`."""
    found = contracts_of(actor=actor, organisation=organisation).filter(pk=pk).first()
    if found is None:
        raise ContractNotFound(f"no contract {pk} of {organisation}")
    return found


def eic_codes_of(*, actor: Membership, organisation: Organisation) -> QuerySet[EicCode]:
    """The company's codes of the register, the active ones first. Raises `NotAllowed`."""
    require_operator(actor)
    return organisation.eic_codes.order_by("-active", "type", "code")


def administrators_of(*, actor: Membership, organisation: Organisation) -> QuerySet[Membership]:
    """Who administers the company at present, by name. Raises `NotAllowed`."""
    require_operator(actor)
    present = _present_administrators(organisation=organisation)
    return present.select_related("user").order_by("user__full_name", "pk")


def declarations_of(*, actor: Membership, organisation: Organisation) -> QuerySet[Invitation]:
    """The first administrators declared for the company, the latest first. Raises `NotAllowed`.

    Whom the company itself invites is its own business: see `people_counts`.
    """
    require_operator(actor)
    declared = organisation.invitations.filter(kind=Invitation.Kind.FIRST_ADMINISTRATOR)
    return declared.select_related("organisation", "invited_by__user").order_by("-created_at", "-pk")


def declaration_numbered(*, actor: Membership, organisation: Organisation, pk: int) -> Invitation:
    """Raises `NotAllowed`, and `OrganisationNotFound`."""
    found = declarations_of(actor=actor, organisation=organisation).filter(pk=pk).first()
    if found is None:
        raise OrganisationNotFound(f"no first administrator {pk} was declared for {organisation}")
    return found


@dataclass(frozen=True, slots=True)
class PeopleCounts:
    """How many people act for a company, how many of them administer it, how many are invited."""

    members: int
    administrators: int
    invited: int


def people_counts(*, actor: Membership, organisation: Organisation) -> PeopleCounts:
    """Raises `NotAllowed`."""
    require_operator(actor)
    present = organisation.memberships.present().filter(user__is_active=True)
    counted = present.aggregate(
        members=Count("pk"),
        administrators=Count("pk", filter=Q(role=Membership.Role.ADMINISTRATOR)),
    )
    invited = organisation.invitations.unclosed()
    return PeopleCounts(**counted, invited=invited.count())


@dataclass(frozen=True, slots=True)
class Concerned:
    """How many people a rule concerns, and how many of them have no second factor yet."""

    people: int
    without_factor: int


def people_by_role(*, actor: Membership) -> dict[str, Concerned]:
    """By field of `SecurityPolicy`, the people whom requiring a second factor would concern; one statement.

    Somebody who acts for several companies counts in each role that they have. Raises `NotAllowed`.
    """
    require_operator_administrator(actor)
    staff = Q(organisation__is_operator=True)
    administrator = Q(role=Membership.Role.ADMINISTRATOR)
    roles = {
        "strong_for_operator": staff,
        "strong_for_administrators": ~staff & administrator,
        "strong_for_users": ~staff & ~administrator,
    }
    factors = Authenticator.objects.filter(user=OuterRef("user"), type__in=FACTORS)
    present = Membership.objects.present().filter(user__is_active=True)
    counts = {name: Count("user", distinct=True, filter=role) for name, role in roles.items()}
    lacking = {
        f"{name}_without": Count("user", distinct=True, filter=role & Q(has_factor=False))
        for name, role in roles.items()
    }
    found = present.annotate(has_factor=Exists(factors)).aggregate(**counts, **lacking)
    return {name: Concerned(found[name], found[f"{name}_without"]) for name in roles}


def asked_of_terms(*, actor: Membership) -> int:
    """How many people a new version of the general terms is put to: all but the operator's own staff.

    Raises `NotAllowed`.
    """
    require_operator_administrator(actor)
    staff = Membership.objects.present().filter(organisation__is_operator=True, user=OuterRef("pk"))
    return User.objects.filter(~Exists(staff), is_active=True).count()


def versions_of_terms(*, actor: Membership, now: datetime) -> QuerySet[GeneralTerms]:
    """The versions published, the one in force first, each with how many people `accepted` it. Raises `NotAllowed`."""
    require_operator_administrator(actor)
    return terms_published(now=now).annotate(accepted=Count("acceptances__user", distinct=True))


def acts_for(*, actor: Membership, organisation: Organisation) -> QuerySet[AuditEvent]:
    """What the operator's staff did on the company's behalf, at the command line too, the latest first. Raises
    `NotAllowed`.

    What the company does with its own rights is not the operator's to follow, nor what ends there by itself.
    """
    require_operator(actor)
    events = events_of(actor=actor, organisation=organisation.pk)
    return events.filter(Q(acting_for=actor.organisation_id) | _AT_THE_COMMAND_LINE)


def who_last(action: str, *, actor: Membership, organisation: Organisation) -> str:
    """The name of whoever of the operator's staff did this for the company last; empty for nobody of a name."""
    last = acts_for(actor=actor, organisation=organisation).filter(action=action).first()
    return "" if last is None else last.user_name


def _present_administrators(**of: object) -> QuerySet[Membership]:
    return Membership.objects.present().filter(role=Membership.Role.ADMINISTRATOR, user__is_active=True, **of)


def _found(text: str) -> Q:
    compact = "".join(text.split())
    if not compact:
        return Q()
    codes = EicCode.objects.filter(code__startswith=compact.upper(), organisation=OuterRef("pk"))
    numbers = Contract.objects.filter(number__istartswith=" ".join(text.split()), organisation=OuterRef("pk"))
    found = company_named_like(text) | Q(Exists(codes)) | Q(Exists(numbers))
    return found | Q(siren__startswith=compact) if compact.isdigit() else found


def _today(now: datetime) -> date:
    return civil_day_of(now, get_default_timezone())
