"""Reads: companies, memberships, whom to ask, and a company's people, groups and invitations."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import parse_siren
from gridgate.core.roles import Term
from gridgate.core.text import address
from gridgate.organisations.folding import Folded, named_like
from gridgate.organisations.models import (
    Entitlement,
    GroupMember,
    Membership,
    Organisation,
    PerimeterPoint,
    SignIn,
    User,
    UserGroup,
    present,
)
from gridgate.organisations.rights import in_term, not_over


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
    """The person who signs in with this address, however it is spelled, unless their account is closed."""
    return User.objects.filter(email__iexact=address(email), is_active=True).first()


def memberships_of(*, user: User) -> QuerySet[Membership]:
    """The companies a person acts for at present, in alphabetical order."""
    return (
        user.memberships.present()
        .select_related("user", "organisation")
        .order_by("organisation__legal_name", "pk")
    )


def present_membership(pk: int) -> Membership | None:
    """A membership as it is now, with its person and company; None once it has ended, or the account is closed."""
    present = Membership.objects.present().filter(pk=pk, user__is_active=True)
    return present.select_related("user", "organisation").first()


def members_of(*, actor: Membership) -> QuerySet[Membership]:
    """The present members of the actor's company, in alphabetical order."""
    return (
        Membership.objects.present()
        .filter(organisation=actor.organisation_id, user__is_active=True)
        .select_related("user")
        .order_by(Folded("user__full_name"), "pk")
    )


def administrators_of(*, actor: Membership) -> QuerySet[Membership]:
    """Whom the actor asks for a right they do not have: the administrators of their company."""
    return members_of(actor=actor).filter(role=Membership.Role.ADMINISTRATOR)


# --- a company's people and groups ------------------------------------------------------------------------


class MemberNotFound(GridgateError):
    """No present member of the actor's company: of another one and absent look the same."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.NOT_FOUND, "no such member in this company")


class GroupNotFound(GridgateError):
    """No group of the actor's company."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.NOT_FOUND, "no such group in this company")


def member_of(*, actor: Membership, pk: int) -> Membership:
    """One present member of the actor's company. Raises `MemberNotFound`."""
    found = members_of(actor=actor).select_related("organisation").filter(pk=pk).first()
    if found is None:
        raise MemberNotFound
    return found


def members_matching(*, actor: Membership, text: str) -> QuerySet[Membership]:
    """The present members whose name or address has every word of `text`."""
    return members_of(actor=actor).filter(named_like(text, "user__full_name", "user__email"))


def former_memberships(*, actor: Membership, user: User) -> list[int]:
    """The numbers of all that a person was and is for the actor's company: one who came back has two."""
    return list(user.memberships.filter(organisation=actor.organisation_id).values_list("pk", flat=True))


def last_sign_in(*, actor: Membership, member: Membership) -> datetime | None:
    """When a member of the actor's company last signed in; earlier than they began for it is not its to know."""
    if member.organisation_id != actor.organisation_id:
        return None
    signed_in = SignIn.objects.filter(user=member.user_id, at__gte=member.created_at)
    return signed_in.order_by("-at").values_list("at", flat=True).first()


def groups_of(*, actor: Membership, text: str = "") -> QuerySet[UserGroup]:
    """The groups of the actor's company, in alphabetical order, each with its `size` in present members whose
    place is not over.
    """
    counted = GroupMember.objects.filter(
        not_over(timezone.now()),
        present(of="membership__"),
        group=OuterRef("pk"),
        membership__user__is_active=True,
    )
    size = counted.order_by().values("group").annotate(n=Count("pk")).values("n")
    groups = UserGroup.objects.filter(organisation=actor.organisation_id).select_related("organisation")
    return (
        groups.filter(named_like(text, "name"))
        .annotate(size=Coalesce(Subquery(size), 0))
        .order_by(Folded("name"), "pk")
    )


def group_of(*, actor: Membership, pk: int) -> UserGroup:
    """One group of the actor's company. Raises `GroupNotFound`."""
    found = groups_of(actor=actor).filter(pk=pk).first()
    if found is None:
        raise GroupNotFound
    return found


def members_in(*, actor: Membership, group: UserGroup) -> QuerySet[Membership]:
    """The present members of a group of the actor's company, in alphabetical order, each with the dates of their place,
    `place_from` and `place_until`.
    """
    return (
        members_of(actor=actor)
        .filter(groups__group=group)
        .annotate(place_from=F("groups__valid_from"), place_until=F("groups__valid_until"))
    )


def places_of(*, actor: Membership, members: Collection[int]) -> QuerySet[GroupMember]:
    """The places of these members in groups of the actor's company, by the names of these."""
    places = GroupMember.objects.filter(group__organisation=actor.organisation_id, membership__in=members)
    return places.select_related("group").order_by(Folded("group__name"))


def place_of(*, actor: Membership, group: UserGroup, member: Membership) -> Term:
    """From when until when the member is in the group of the actor's company. Raises `GroupNotFound` for no place."""
    found = places_of(actor=actor, members=[member.pk]).filter(group=group).first()
    if found is None:
        raise GroupNotFound
    return found.term


def group_names_of(*, actor: Membership, members: Collection[int] | None = None) -> dict[int, list[str]]:
    """The names of the groups of each of these members of the actor's company, or of all, in which their place is not
    over; one statement.
    """
    these = {} if members is None else {"membership__in": members}
    rows = (
        GroupMember.objects.filter(
            not_over(timezone.now()), **these, group__organisation=actor.organisation_id
        )
        .order_by(Folded("group__name"))
        .values_list("membership", "group__name")
    )
    names: dict[int, list[str]] = {}
    for member, name in rows:
        names.setdefault(member, []).append(name)
    return names


def entitlements_of(*, actor: Membership, groups: Collection[int]) -> QuerySet[Entitlement]:
    """What these groups of the actor's company have, each with the number of `points` of its perimeter."""
    return (
        Entitlement.objects.filter(group__in=groups, group__organisation=actor.organisation_id)
        .annotate(points=Count("perimeter"))
        .order_by("group", "code")
    )


def perimeter_in(*, actor: Membership, entitlement: Entitlement) -> list[str]:
    """The identifiers of the points that an entitlement of the actor's company is restricted to."""
    points = PerimeterPoint.objects.filter(
        entitlement=entitlement, entitlement__group__organisation=actor.organisation_id
    )
    return list(points.values_list("metering_point_id", flat=True))


@dataclass(frozen=True, slots=True)
class Reserved:
    """A service that groups have, had or are to have: how many have it, and with none, since when and until when."""

    groups: int = 0
    ended: datetime | None = None
    """When the last one ended."""
    begins: datetime | None = None
    """When the next one begins."""


def reservations_of(*, actor: Membership, at: datetime) -> dict[str, Reserved]:
    """By service, to how many groups of the actor's company it is given at that instant; a service that was never given
    is absent. One statement.
    """
    rows = Entitlement.objects.filter(group__organisation=actor.organisation_id).order_by()
    said = rows.values_list("code").annotate(
        groups=Count("pk", filter=in_term(at)),
        ended=Max("valid_until", filter=Q(valid_until__lte=at)),
        begins=Min("valid_from", filter=Q(valid_from__gt=at)),
    )
    return {code: Reserved(groups, ended, begins) for code, groups, ended, begins in said}
