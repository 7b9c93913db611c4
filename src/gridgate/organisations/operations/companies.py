"""Registering companies, their roles and their contracts."""

from collections.abc import Iterable
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.core.validators import DomainNameValidator
from django.db import transaction

from gridgate.audit.events import Subject, changed, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import parse_siren
from gridgate.core.text import address, line
from gridgate.organisations.as_read import fingerprint, require_read
from gridgate.organisations.authority import require_operator
from gridgate.organisations.beneficiaries import in_order
from gridgate.organisations.models import Contract, Membership, Organisation


class OrganisationExists(GridgateError):
    """A company is known by its SIREN, once."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorKind.CONFLICT, message)


class InvalidContract(GridgateError):
    """The number or the dates of a contract will not do."""

    def __init__(self, message: str, *, where: str) -> None:
        super().__init__(ErrorKind.INVALID, message, where=where)


class InvalidDomain(GridgateError):
    """The text is no domain of e-mail addresses."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(
            ErrorKind.INVALID,
            f"{text!r} is not a domain of e-mail addresses",
            remedy="Write what stands after the @, such as example.com.",
            where="email_domains",
        )


class DomainTaken(GridgateError):
    """A domain of e-mail addresses is one company's: its directory adds whoever has an address there."""

    def __init__(self, domain: str, company: Organisation) -> None:
        self.domain, self.company = domain, company
        super().__init__(
            ErrorKind.CONFLICT,
            f"{domain} is a domain of {company.legal_name}",
            remedy="Take it from that company first.",
            where="email_domains",
        )


def create_organisation(
    *,
    legal_name: str,
    siren: str,
    is_operator: bool = False,
    roles: Iterable[str] = (),
    contact_email: str = "",
    contact_url: str = "",
    email_domains: Iterable[str] = (),
    actor: Membership | None = None,
    now: datetime,
) -> Organisation:
    """Register a company.

    Raises `InvalidIdentifier` for a SIREN that does not check, `InvalidDomain`, `DomainTaken`, and
    `OrganisationExists` when the SIREN is known or the instance already has its operator.
    """
    require_operator(actor)
    siren = parse_siren(siren)
    with transaction.atomic():
        if Organisation.objects.filter(siren=siren).exists():
            raise OrganisationExists(f"the SIREN {siren} is already registered")
        if is_operator and Organisation.objects.filter(is_operator=True).exists():
            raise OrganisationExists("the instance already has its operator")
        company = Organisation.objects.create(
            legal_name=line(legal_name),
            siren=siren,
            is_operator=is_operator,
            roles=in_order(roles),
            contact_email=contact_email,
            contact_url=contact_url,
            email_domains=_free(parse_domains(email_domains)),
            created_at=now,
        )
        after = {"legal_name": company.legal_name, "siren": siren, "roles": company.roles}
        if company.email_domains:
            after["email_domains"] = company.email_domains
        _record("company.registered", company, actor=actor, after=after, now=now)
    return company


def ensure_organisation(*, siren: str, legal_name: str = "", now: datetime) -> Organisation:
    """Return the company of this SIREN, registering it under `legal_name` when it is new here.

    A known company keeps its name. Raises `InvalidIdentifier`, and `GridgateError` (INVALID) when a new
    company has no name.
    """
    siren = parse_siren(siren)
    with transaction.atomic():
        known = Organisation.objects.filter(siren=siren).first()
        if known is not None:
            return known
        if not line(legal_name):
            raise GridgateError(
                ErrorKind.INVALID,
                f"no company has the SIREN {siren} here",
                remedy="Give its legal name to register it.",
            )
        return create_organisation(legal_name=legal_name, siren=siren, now=now)


def update_organisation(
    *,
    organisation: Organisation,
    legal_name: str,
    contact_email: str,
    contact_url: str,
    roles: Iterable[str],
    email_domains: Iterable[str],
    seen: str | None = None,
    actor: Membership | None,
    now: datetime,
) -> None:
    """Change what the operator records of a company. The SIREN is what it is known by, and stays.

    `seen`: the `record_as_read` that is changed, None to ask nothing. Raises `InvalidDomain`, `DomainTaken`, and
    `ChangedMeanwhile` when somebody else recorded something that would be undone.
    """
    require_operator(actor)
    with transaction.atomic():
        domains = _free(parse_domains(email_domains), company=organisation)
        before = _recorded(Organisation.objects.select_for_update().get(pk=organisation.pk))
        organisation.legal_name = line(legal_name)
        organisation.contact_email, organisation.contact_url = contact_email, contact_url
        organisation.roles = in_order(roles)
        organisation.email_domains = domains
        was, became = changed(before, _recorded(organisation))
        if not became:
            return
        require_read(seen, before)
        organisation.save(update_fields=_RECORDED)
        _record("company.changed", organisation, actor=actor, before=was, after=became, now=now)


_RECORDED = ("legal_name", "contact_email", "contact_url", "roles", "email_domains")


def _recorded(organisation: Organisation) -> dict[str, object]:
    return {name: getattr(organisation, name) for name in _RECORDED}


def record_as_read(organisation: Organisation) -> str:
    """Differs when what the operator records of the company does."""
    return fingerprint(_recorded(organisation))


def parse_domains(texts: Iterable[str]) -> list[str]:
    """The domains in one spelling, each once, in alphabetical order. Raises `InvalidDomain`.

    >>> parse_domains(["Example.com", "@example.com ", "a.example"])
    ['a.example', 'example.com']
    """
    domains = set()
    for text in texts:
        domain = address(text).removeprefix("@")
        try:
            DomainNameValidator()(domain)
        except ValidationError:
            raise InvalidDomain(text) from None
        domains.add(domain)
    return sorted(domains)


def _free(domains: list[str], *, company: Organisation | None = None) -> list[str]:
    """The domains, which no other company has, nor gets before this transaction ends. Raises `DomainTaken`."""
    if domains:
        # Two clerks who save at the same moment queue at the operator's row: a company that is new has none to hold.
        Organisation.objects.select_for_update().filter(is_operator=True).first()
        for other in Organisation.objects.order_by("pk"):
            for domain in domains:
                if domain in other.email_domains and other != company:
                    raise DomainTaken(domain, other)
    return domains


def record_contract(
    *,
    organisation: Organisation,
    number: str,
    label: str = "",
    valid_from: date,
    valid_to: date | None = None,
    actor: Membership | None = None,
    now: datetime,
) -> Contract:
    """Record an access contract. Raises `InvalidContract` for a known number or an end that is not after the start."""
    require_operator(actor)
    number = line(number)
    if not number:
        raise InvalidContract("a contract has a number", where="number")
    if valid_to is not None and valid_to <= valid_from:
        raise InvalidContract("a contract ends after it begins", where="valid_to")
    with transaction.atomic():
        if Contract.objects.filter(number__iexact=number).exists():
            raise InvalidContract(f"the contract {number} is already recorded", where="number")
        contract = Contract.objects.create(
            organisation=organisation,
            number=number,
            label=line(label),
            valid_from=valid_from,
            valid_to=valid_to,
            created_at=now,
        )
        _record_contract("contract.recorded", contract, before={}, actor=actor, now=now)
    return contract


def end_contract(
    *, contract: Contract, valid_to: date | None, actor: Membership | None = None, now: datetime
) -> None:
    """Set the first civil day that the contract no longer covers; None reopens it. Raises `InvalidContract`."""
    require_operator(actor)
    if valid_to is not None and valid_to <= contract.valid_from:
        raise InvalidContract("a contract ends after it begins", where="valid_to")
    with transaction.atomic():
        before = _days(contract)
        contract.valid_to = valid_to
        contract.save(update_fields=["valid_to"])
        _record_contract("contract.ended", contract, before=before, actor=actor, now=now)


def _record(
    action: str,
    company: Organisation,
    *,
    actor: Membership | None,
    before: dict[str, object] | None = None,
    after: dict[str, object],
    now: datetime,
) -> None:
    subject = Subject("company", str(company.pk), company.legal_name)
    record(action, subject=subject, organisation=company.pk, actor=actor, before=before, after=after, now=now)


def _record_contract(
    action: str, contract: Contract, *, before: dict[str, object], actor: Membership | None, now: datetime
) -> None:
    was, became = changed(before, _days(contract))
    subject = Subject("contract", str(contract.pk), contract.number)
    record(
        action,
        subject=subject,
        organisation=contract.organisation_id,
        actor=actor,
        before=was,
        after=became,
        now=now,
    )


def _days(contract: Contract) -> dict[str, object]:
    ends = contract.valid_to
    return {
        "valid_from": contract.valid_from.isoformat(),
        "valid_to": None if ends is None else ends.isoformat(),
    }
