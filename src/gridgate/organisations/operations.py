"""Writes: companies, their members, what each member may do and on which points. One transaction each."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import parse_metering_point_id, parse_siren
from gridgate.organisations.events import membership_changed
from gridgate.organisations.models import (
    Entitlement,
    EntitlementCode,
    Membership,
    Organisation,
    PerimeterPoint,
    User,
)


class OrganisationExists(GridgateError):
    """A company is known by its SIREN, once."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorKind.CONFLICT, message)


class InvalidMember(GridgateError):
    """The address, role, entitlement or password given for a member will not do."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(ErrorKind.INVALID, message, remedy=remedy)


class MembershipExists(GridgateError):
    """A person is a member of a company once at a time."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorKind.CONFLICT, message)


def create_organisation(
    *,
    legal_name: str,
    siren: str,
    is_operator: bool = False,
    contact_email: str = "",
    contact_url: str = "",
    now: datetime,
) -> Organisation:
    """Register a company.

    Raises `InvalidIdentifier` for a SIREN that does not check, and `OrganisationExists` when the SIREN is
    known or the instance already has its operator.
    """
    siren = parse_siren(siren)
    with transaction.atomic():
        if Organisation.objects.filter(siren=siren).exists():
            raise OrganisationExists(f"the SIREN {siren} is already registered")
        if is_operator and Organisation.objects.filter(is_operator=True).exists():
            raise OrganisationExists("the instance already has its operator")
        return Organisation.objects.create(
            legal_name=legal_name.strip(),
            siren=siren,
            is_operator=is_operator,
            contact_email=contact_email,
            contact_url=contact_url,
            created_at=now,
        )


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
        if not legal_name.strip():
            raise GridgateError(
                ErrorKind.INVALID,
                f"no company has the SIREN {siren} here",
                remedy="Give its legal name to register it.",
            )
        return create_organisation(legal_name=legal_name, siren=siren, now=now)


def add_member(
    *,
    organisation: Organisation,
    email: str,
    full_name: str,
    role: str = Membership.Role.USER,
    entitlements: Iterable[str] = (),
    perimeter: Iterable[str] | None = None,
    password: str | None = None,
    language: str = "fr",
    now: datetime,
) -> Membership:
    """Let a person act for a company. `perimeter` restricts them to these points; None means all its points.

    A person who already signs in for another company keeps their account: name, password and language are
    then left as they are, for they are not this company's to change. Raises `InvalidMember`, and
    `MembershipExists` when the person is already a member.
    """
    email = _address(email)
    _require_role(role)
    with transaction.atomic():
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            user = _create_user(email, full_name.strip(), password, language, now)
        if user.memberships.filter(organisation=organisation, ended_at=None).exists():
            raise MembershipExists(f"{email} is already a member of {organisation.legal_name}")
        membership = Membership.objects.create(
            user=user, organisation=organisation, role=role, created_at=now
        )
        _write_entitlements(membership, entitlements)
        _write_perimeter(membership, perimeter)
        membership_changed.send(Membership, membership=membership, now=now)
    return membership


def end_membership(*, membership: Membership, now: datetime) -> None:
    """Unlink a person from a company from `now` on, at their very next request. Their account stays.

    Ending it twice keeps the first instant.
    """
    with transaction.atomic():
        if Membership.objects.filter(pk=membership.pk, ended_at=None).update(ended_at=now):
            membership.ended_at = now
            membership_changed.send(Membership, membership=membership, now=now)


def set_role(*, membership: Membership, role: str, now: datetime) -> None:
    """Make a member an administrator or a user. Raises `InvalidMember` for another role."""
    _require_role(role)
    with transaction.atomic():
        membership.role = role
        membership.save(update_fields=["role"])
        membership_changed.send(Membership, membership=membership, now=now)


def set_entitlements(*, membership: Membership, entitlements: Iterable[str], now: datetime) -> None:
    """Give a member exactly these entitlements. Raises `InvalidMember` for an unknown code."""
    with transaction.atomic():
        _write_entitlements(membership, entitlements)
        membership_changed.send(Membership, membership=membership, now=now)


def set_perimeter(*, membership: Membership, perimeter: Iterable[str] | None, now: datetime) -> None:
    """Restrict a member to exactly these points; None lifts the restriction, an empty list leaves nothing.

    Raises `InvalidIdentifier` for what is not a metering point's identifier.
    """
    with transaction.atomic():
        _write_perimeter(membership, perimeter)
        membership_changed.send(Membership, membership=membership, now=now)


def disable_user(*, user: User) -> None:
    """Close a person's account for every company: no sign-in, and open sessions end at their next request."""
    user.is_active = False
    user.save(update_fields=["is_active"])


def update_profile(*, user: User, full_name: str, language: str) -> None:
    """Change what a person says of themselves."""
    user.full_name, user.language = full_name.strip(), language
    user.save(update_fields=["full_name", "language"])


def _address(text: str) -> str:
    # One spelling a person: addresses differ by case in the standard only, and sign-in compares without it.
    email = text.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidMember(f"{text!r} is not an e-mail address") from None
    return email


def _create_user(email: str, full_name: str, password: str | None, language: str, now: datetime) -> User:
    if password is not None:
        try:
            validate_password(password, User(email=email, full_name=full_name))
        except ValidationError as error:
            raise InvalidMember(" ".join(error.messages), remedy="Choose another password.") from None
    return User.objects.create_user(email, password, full_name=full_name, language=language, created_at=now)


def _require_role(role: str) -> None:
    if role not in Membership.Role.values:
        raise InvalidMember(f"no role {role!r}", remedy=f"Roles are {', '.join(Membership.Role.values)}.")


def _write_entitlements(membership: Membership, codes: Iterable[str]) -> None:
    wanted = {str(code) for code in codes}
    if unknown := sorted(wanted - set(EntitlementCode.values)):
        raise InvalidMember(
            f"no entitlement {', '.join(unknown)}",
            remedy=f"Entitlements are {', '.join(EntitlementCode.values)}.",
        )
    membership.entitlements.exclude(code__in=wanted).delete()
    held = set(membership.entitlements.values_list("code", flat=True))
    Entitlement.objects.bulk_create(
        Entitlement(membership=membership, code=code) for code in sorted(wanted - held)
    )
    membership.__dict__.pop("_codes", None)  # what `Membership.has` remembers


def _write_perimeter(membership: Membership, points: Iterable[str] | None) -> None:
    membership.restricted = points is not None
    membership.save(update_fields=["restricted"])
    membership.perimeter.all().delete()
    wanted = sorted({parse_metering_point_id(point) for point in points or ()})
    PerimeterPoint.objects.bulk_create(
        PerimeterPoint(membership=membership, metering_point_id=point) for point in wanted
    )
