"""Reads of what a company's own directory manages: its tokens, and its people and groups as it knows them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.crypto import salted_hmac

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.directory.described import Described, Group, Person
from gridgate.directory.models import DirectoryGroup, DirectoryPerson, DirectoryToken
from gridgate.organisations.models import (
    GroupMember,
    Membership,
    Organisation,
    present,
)

NAMED_AT_MOST = 500
"""How many rows a statement names one by one; for more it reads the whole company."""


class TokenNotFound(GridgateError):
    """No token of the actor's company: of another one and absent look the same."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.NOT_FOUND, "no such token in this company")


def tokens_of(*, actor: Membership) -> QuerySet[DirectoryToken]:
    """The tokens of the company that the actor administers, those in use first and the latest before the others."""
    if not actor.is_administrator or not actor.is_present():
        return DirectoryToken.objects.none()
    return (
        DirectoryToken.objects.filter(organisation=actor.organisation_id)
        .select_related("organisation", "created_by__user")
        .order_by(F("revoked_at").desc(nulls_first=True), "-created_at", "-pk")
    )


def token_of(*, actor: Membership, pk: int) -> DirectoryToken:
    """One token of the company that the actor administers. Raises `TokenNotFound`."""
    found = tokens_of(actor=actor).filter(pk=pk).first()
    if found is None:
        raise TokenNotFound
    return found


def know_everyone(organisation: Organisation, *, now: datetime) -> None:
    """Give people and groups who came by the portal the identifiers under which the directory finds them.

    Their names are those of their accounts: they act for the company already, which sees them.
    """
    known = DirectoryPerson.objects.filter(organisation=organisation).values("user")
    unknown = (
        Membership.objects.present(now)
        .filter(organisation=organisation, user__deleted_at=None)
        .exclude(user__in=known)
        .select_related("user")
    )
    people = [
        DirectoryPerson(
            organisation=organisation,
            user=membership.user,
            display_name=membership.user.full_name,
            created_at=membership.created_at,
        )
        for membership in unknown
    ]
    if people:
        DirectoryPerson.objects.bulk_create(people, ignore_conflicts=True, batch_size=1000)
    groups = [DirectoryGroup(group=group) for group in organisation.groups.filter(directory_group=None)]
    if groups:
        DirectoryGroup.objects.bulk_create(groups, ignore_conflicts=True, batch_size=1000)


def people_of(organisation: Organisation) -> QuerySet[DirectoryPerson]:
    """Those whom the company's directory knows, in the order in which it came to; closed accounts are gone."""
    return (
        DirectoryPerson.objects.filter(organisation=organisation, user__deleted_at=None)
        .select_related("user", "organisation")
        .order_by("created_at", "pk")
    )


def groups_of(organisation: Organisation) -> QuerySet[DirectoryGroup]:
    """The company's groups that its directory knows, oldest first, each with what its `revision` is made of."""
    there = present(of="group__members__membership__")
    return (
        DirectoryGroup.objects.filter(group__organisation=organisation)
        .select_related("group__organisation")
        .annotate(
            members=Count("group__members", filter=there),
            last=Coalesce(Sum("group__members__pk", filter=there), 0),
        )
        .order_by("group__created_at", "group__pk")
    )


def latest_memberships(people: Collection[DirectoryPerson]) -> dict[int, Membership]:
    """By account, the membership in the company that is present or, of those that ended, the last."""
    if not people:
        return {}
    company = next(iter(people)).organisation_id
    named = _among("user", [person.user_id for person in people])
    memberships = Membership.objects.filter(named, organisation=company).select_related("user").order_by("pk")
    return {membership.user_id: membership for membership in memberships}


def describe_people(people: Collection[DirectoryPerson], *, with_groups: bool) -> list[Person]:
    """What the directory sees of each; two statements, or three with the groups."""
    latest = latest_memberships(people)
    groups = _groups_by_membership(people, latest) if with_groups else {}
    found = []
    for person in people:
        membership = latest.get(person.user_id)
        found.append(
            Person(
                id=person.pk,
                email=person.user.email,
                said=Described(
                    external_id=membership.external_id if membership else "",
                    display_name=person.display_name,
                    formatted_name=person.formatted_name,
                    given_name=person.given_name,
                    family_name=person.family_name,
                    preferred_language=person.preferred_language,
                ),
                active=membership is not None and membership.is_present(),
                created_at=person.created_at,
                groups=tuple(groups.get(membership.pk, ())) if membership else (),
            )
        )
    return found


def describe_groups(groups: Iterable[DirectoryGroup], *, with_members: bool) -> list[Group]:
    """What the directory sees of each; one statement more with the members."""
    groups = list(groups)
    members = _members_by_group(groups) if with_members else {}
    return [
        Group(
            id=group.pk,
            name=group.group.name,
            external_id=group.group.external_id,
            created_at=group.group.created_at,
            revision=_revision(group),
            members=tuple(members.get(group.group_id, ())),
        )
        for group in groups
    ]


def _revision(group: Any) -> str:
    """Keyed: it is made of counters of the registry, which would say how much other companies change."""
    return salted_hmac("directory-group-revision", f"{group.members}-{group.last}").hexdigest()


def memberships_named(organisation: Organisation, ids: Collection[UUID]) -> dict[UUID, Membership]:
    """The present memberships of those people of the company; whoever is of another, or inactive, is missing."""
    people = list(people_of(organisation).filter(_among("pk", ids)))
    latest = latest_memberships(people)
    wanted = set(ids)
    return {
        person.pk: latest[person.user_id]
        for person in people
        if person.pk in wanted and person.user_id in latest and latest[person.user_id].is_present()
    }


def _groups_by_membership(
    people: Collection[DirectoryPerson], latest: Mapping[int, Membership]
) -> dict[int, list[tuple[UUID, str]]]:
    if not people:
        return {}
    rows = (
        GroupMember.objects.filter(
            _among("membership", [membership.pk for membership in latest.values()]),
            present(of="membership__"),
            group__organisation=next(iter(people)).organisation_id,
            group__directory_group__isnull=False,
        )
        .order_by("group__name", "group__pk")
        .values_list("membership", "group__directory_group__pk", "group__name")
    )
    found: dict[int, list[tuple[UUID, str]]] = {}
    for membership, group, name in rows:
        found.setdefault(membership, []).append((group, name))
    return found


def _members_by_group(groups: Collection[DirectoryGroup]) -> dict[int, list[UUID]]:
    if not groups:
        return {}
    company = next(iter(groups)).group.organisation_id
    rows = list(
        GroupMember.objects.filter(
            _among("group", [group.group_id for group in groups]),
            present(of="membership__"),
            group__organisation=company,
        )
        .order_by("pk")
        .values_list("group", "membership__user")
    )
    people = DirectoryPerson.objects.filter(
        _among("user", {user for _group, user in rows}), organisation=company, user__deleted_at=None
    )
    ids = dict(people.values_list("user", "pk"))
    found: dict[int, list[UUID]] = {}
    for group, user in rows:
        if user in ids:
            found.setdefault(group, []).append(ids[user])
    return found


def _among(field: str, values: Collection[Any]) -> Q:
    return Q(**{f"{field}__in": values}) if len(values) <= NAMED_AT_MOST else Q()
