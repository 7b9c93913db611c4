"""Who of a company has which service, now and after a change that is being considered.

What a screen shows before a change of groups or of their services: who would lose what, what would open to all. The
rule is that of `core.roles.decide_right`, for all members at once; a test holds the one to the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gridgate.organisations.catalogue import CatalogueEntry, offered_to
from gridgate.organisations.models import Entitlement, GroupMember, Membership
from gridgate.organisations.queries import members_of

Cell = tuple[int, str]
"""A group's number and the code of a service."""


@dataclass(frozen=True, slots=True)
class CompanyRights:
    """The company's groups as far as deciding goes. Administrators stand outside: they have everything."""

    services: tuple[CatalogueEntry, ...]
    """Those that the company is offered, in the order of the catalogue."""
    users: Mapping[int, str]
    """The present members who are no administrators, with their names, in alphabetical order."""
    members: Mapping[int, frozenset[int]]
    """By group, its members."""
    given: Mapping[str, frozenset[int]]
    """By service, the groups that have it."""

    def who_may(self, entry: CatalogueEntry) -> frozenset[int]:
        """The users who may use the service, be it on some points only."""
        groups = self.given.get(entry.code, frozenset())
        if not groups:
            return frozenset(self.users) if entry.rule.open else frozenset()
        having = frozenset[int]().union(*(self.members.get(group, frozenset()) for group in groups))
        return having & self.users.keys()

    def with_services(self, *, give: Iterable[Cell] = (), withdraw: Iterable[Cell] = ()) -> "CompanyRights":
        given = dict(self.given)
        for group, code in give:
            given[code] = given.get(code, frozenset()) | {group}
        for group, code in withdraw:
            given[code] = given.get(code, frozenset()) - {group}
        return replace(self, given=given)

    def with_members(self, group: int, members: Iterable[int]) -> "CompanyRights":
        return replace(self, members={**self.members, group: frozenset(members)})

    def without_group(self, group: int) -> "CompanyRights":
        return replace(self, given={code: groups - {group} for code, groups in self.given.items()})

    def without_user(self, user: int) -> "CompanyRights":
        return replace(self, users={key: name for key, name in self.users.items() if key != user})

    def becoming(self, after: "CompanyRights") -> list["Change"]:
        """What the change does to each service that it touches, in the order of the catalogue."""
        changes = [self._change(entry, after) for entry in self.services]
        return [change for change in changes if change.matters]

    def _change(self, entry: CatalogueEntry, after: "CompanyRights") -> "Change":
        was, becomes = self.who_may(entry), after.who_may(entry)
        names = {**after.users, **self.users}
        return Change(
            entry,
            groups_before=len(self.given.get(entry.code, ())),
            groups_after=len(after.given.get(entry.code, ())),
            lost=tuple(name for key, name in names.items() if key in was and key not in becomes),
            gained=tuple(name for key, name in names.items() if key in becomes and key not in was),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one service: who loses it, who gains it, and whether it opens, closes or is reserved."""

    entry: CatalogueEntry
    groups_before: int
    groups_after: int
    lost: tuple[str, ...]
    gained: tuple[str, ...]

    @property
    def opens(self) -> bool:
        """Its last group loses it, and it is of the kind that is then open to all again."""
        return self.entry.rule.open and bool(self.groups_before) and not self.groups_after

    @property
    def closes(self) -> bool:
        """Its last group loses it, and it is of the kind that nobody then has."""
        return not self.entry.rule.open and bool(self.groups_before) and not self.groups_after

    @property
    def reserves(self) -> bool:
        """It was open to all, and is no more."""
        return self.entry.rule.open and not self.groups_before and bool(self.groups_after)

    @property
    def matters(self) -> bool:
        return bool(self.lost or self.gained or self.opens or self.closes or self.reserves)

    @property
    def asks_to_confirm(self) -> bool:
        """It takes the service from somebody, or opens it to all."""
        return bool(self.lost) or self.opens


def company_rights(*, actor: Membership) -> CompanyRights:
    """The rights of the actor's company, in three statements however many members and groups it has."""
    company = actor.organisation
    users = members_of(actor=actor).filter(role=Membership.Role.USER)
    rows = GroupMember.objects.filter(group__organisation=company).values_list("group", "membership")
    members: dict[int, set[int]] = {}
    for group, membership in rows:
        members.setdefault(group, set()).add(membership)
    given: dict[str, set[int]] = {}
    for group, code in Entitlement.objects.filter(group__organisation=company).values_list("group", "code"):
        given.setdefault(code, set()).add(group)
    return CompanyRights(
        services=tuple(offered_to(company.beneficiary_roles)),
        users={
            pk: name or email for pk, name, email in users.values_list("pk", "user__full_name", "user__email")
        },
        members={group: frozenset(of_group) for group, of_group in members.items()},
        given={code: frozenset(groups) for code, groups in given.items()},
    )
