"""Who of a company has which service on which points, at an instant: as it is, or as it would be after a change.

The rule is that of `core.roles.decide_right`, for all members at once; property tests hold the one to the other.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils import timezone

from gridgate.core.roles import ALWAYS, Term
from gridgate.organisations.catalogue import CatalogueEntry, offered_to
from gridgate.organisations.models import Entitlement, GroupMember, Membership, PerimeterPoint
from gridgate.organisations.queries import members_of

Cell = tuple[int, str]
"""A group's number and the code of a service."""


READ_BY_PROGRAMS = "measurements"
"""The service within whose perimeter a program of a group reads."""


@dataclass(frozen=True, slots=True)
class Extent:
    """On which points somebody has a service. `everything`: on all of the company's, now and later."""

    everything: bool = False
    points: frozenset[str] = frozenset()


ALL = Extent(everything=True)


@dataclass(frozen=True, slots=True)
class Gift:
    """A service that a group has: on which points, from when until when."""

    extent: Extent = ALL
    term: Term = ALWAYS


@dataclass(frozen=True, slots=True)
class Person:
    """A present member."""

    name: str
    administrator: bool
    until: datetime | None = None
    """When they no longer act for the company, if that is known: what changes later changes nothing for them."""


@dataclass(frozen=True, slots=True)
class Program:
    """One of the company's own. `group`: within whose perimeter it reads; None: all that the company may.

    `gone`: the group is no more, and the program reads nothing.
    """

    name: str
    group: int | None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class CompanyRights:
    """The company's people, programs and groups, as far as deciding goes, at the instant `at`."""

    at: datetime
    services: tuple[CatalogueEntry, ...]
    """Those that the company is offered, in the order of the catalogue."""
    people: Mapping[int, Person]
    """The present members, in alphabetical order."""
    members: Mapping[int, Mapping[int, Term]]
    """By group, its members, each with the term of their place."""
    given: Mapping[str, Mapping[int, Gift]]
    """By service, what the groups have of it, be it later or no more."""
    held: frozenset[str] = frozenset()
    """The points that the company holds or held: a perimeter opens no other."""
    programs: Mapping[int, Program] = field(default_factory=dict)

    def reach(self, member: int, entry: CatalogueEntry) -> Extent | None:
        """On which points the member may use the service; None when not at all."""
        person = self.people.get(member)
        if person is None or (person.until is not None and person.until <= self.at):
            return None
        return ALL if person.administrator else self._by_groups(entry, self.giving(member, entry))

    def from_now_on(self, member: int, entry: CatalogueEntry) -> list["CompanyRights"]:
        """The rights now, and at each later instant at which what the member may do with the service may turn."""
        person = self.people[member]
        terms = [
            term
            for group, gift in self.given.get(entry.code, {}).items()
            for term in (gift.term, self.members.get(group, {}).get(member, ALWAYS))
        ]
        edges = {edge for term in terms for edge in term.edges} if not person.administrator else set()
        if person.until is not None:
            edges.add(person.until)
        return [self, *(replace(self, at=edge) for edge in sorted(edges) if edge > self.at)]

    def reserving(self, entry: CatalogueEntry) -> frozenset[int]:
        """The groups to which the service is reserved: it stays so after the end of their terms."""
        gifts = self.given.get(entry.code, {})
        return frozenset(group for group, gift in gifts.items() if gift.term.has_begun(self.at))

    def giving(self, member: int, entry: CatalogueEntry) -> list[int]:
        """The groups that give the member the service."""
        return [
            group
            for group, gift in self.given.get(entry.code, {}).items()
            if gift.term.holds(self.at) and self._is_in(group, member)
        ]

    def with_services(self, *, give: Iterable[Cell] = (), withdraw: Iterable[Cell] = ()) -> "CompanyRights":
        given = {code: dict(groups) for code, groups in self.given.items()}
        for group, code in give:
            given.setdefault(code, {}).setdefault(group, Gift())
        for group, code in withdraw:
            given.get(code, {}).pop(group, None)
        return replace(self, given=given)

    def with_perimeter(
        self,
        group: int,
        codes: Iterable[str],
        points: Collection[str] | None,
        term: Term = ALWAYS,
    ) -> "CompanyRights":
        """The group has these services on exactly these points (None: on all); `term`, those that it had not."""
        extent = ALL if points is None else Extent(points=frozenset(points))
        changed = {}
        for code in codes:
            known = self.given.get(code, {})
            gift = replace(known[group], extent=extent) if group in known else Gift(extent, term)
            changed[code] = {**known, group: gift}
        return replace(self, given={**self.given, **changed})

    def with_term(self, group: int, code: str, term: Term) -> "CompanyRights":
        """The group has the service from when until when; one that it had not, on all points."""
        known = self.given.get(code, {})
        gift = replace(known.get(group, Gift()), term=term)
        return replace(self, given={**self.given, code: {**known, group: gift}})

    def with_place(self, group: int, member: int, term: Term) -> "CompanyRights":
        """The member is in the group from when until when."""
        places = {**self.members.get(group, {}), member: term}
        return replace(self, members={**self.members, group: places})

    def with_members(self, group: int, members: Iterable[int], term: Term = ALWAYS) -> "CompanyRights":
        """The group has exactly these members; `term`, the places of those who come."""
        known = self.members.get(group, {})
        lasting = {member: place for member, place in known.items() if not place.is_over(self.at)}
        places = {member: lasting.get(member, term) for member in members}
        return replace(self, members={**self.members, group: places})

    def with_groups(self, member: int, groups: Iterable[int]) -> "CompanyRights":
        """The member is in these groups and in no other."""
        wanted = frozenset(groups)
        nobody: Mapping[int, Term] = {}
        members = {
            group: {**present, member: ALWAYS}
            if group in wanted and present.get(member, ALWAYS).is_over(self.at)
            else {member: ALWAYS, **present}
            if group in wanted
            else {key: term for key, term in present.items() if key != member}
            for group, present in {**dict.fromkeys(wanted, nobody), **self.members}.items()
        }
        return replace(self, members=members)

    def with_role(self, member: int, *, administrator: bool) -> "CompanyRights":
        changed = replace(self.people[member], administrator=administrator)
        return replace(self, people={**self.people, member: changed})

    def with_until(self, member: int, until: datetime | None) -> "CompanyRights":
        """The member acts for the company until then."""
        return replace(self, people={**self.people, member: replace(self.people[member], until=until)})

    def with_programs(self, group: int, programs: Collection[int]) -> "CompanyRights":
        """These programs read within the group; those that did and are not among them read everything again."""
        moved = {
            key: replace(program, group=group if key in programs else None, gone=False)
            for key, program in self.programs.items()
            if key in programs or program.group == group
        }
        return replace(self, programs={**self.programs, **moved})

    def without_group(self, group: int) -> "CompanyRights":
        """Its programs leave the comparison with it: whoever shows it says that they read nothing any more."""
        given = {
            code: {key: gift for key, gift in groups.items() if key != group}
            for code, groups in self.given.items()
        }
        programs = {key: program for key, program in self.programs.items() if program.group != group}
        return replace(self, given=given, programs=programs)

    def without_member(self, member: int) -> "CompanyRights":
        return replace(self, people={key: one for key, one in self.people.items() if key != member})

    def _is_in(self, group: int, member: int) -> bool:
        place = self.members.get(group, {}).get(member)
        return place is not None and place.holds(self.at)

    def _mine(self, entry: CatalogueEntry) -> dict[int, list[int]]:
        """By member, the groups that give them the service now."""
        mine: dict[int, list[int]] = {}
        for group, gift in self.given.get(entry.code, {}).items():
            if gift.term.holds(self.at):
                for member, place in self.members.get(group, {}).items():
                    if place.holds(self.at):
                        mine.setdefault(member, []).append(group)
        return mine

    def reaches(self, entry: CatalogueEntry) -> dict[int, Extent]:
        """By member, how far those who may use the service may."""
        mine = self._mine(entry)
        known: dict[tuple[int, ...], Extent | None] = {}
        found = {}
        for key, person in self.people.items():
            if person.until is not None and person.until <= self.at:
                continue
            groups = tuple(mine.get(key, ()))
            if person.administrator:
                found[key] = ALL
                continue
            if groups not in known:
                known[groups] = self._by_groups(entry, groups)
            extent = known[groups]
            if extent is not None:
                found[key] = extent
        return found

    def _by_groups(self, entry: CatalogueEntry, groups: Iterable[int]) -> Extent | None:
        """How far somebody of these groups may use the service; None when not at all."""
        if not self.reserving(entry):
            return ALL if entry.rule.open else None
        given = self.given.get(entry.code, {})
        gifts = [given[group] for group in groups if group in given]
        extents = [gift.extent for gift in gifts if gift.term.holds(self.at)]
        if not extents:
            return None
        if any(extent.everything for extent in extents):
            return ALL
        return Extent(points=frozenset[str]().union(*(extent.points for extent in extents)))

    def programs_reach_of(self, entry: CatalogueEntry) -> dict[int, Extent]:
        """By program, the points that it reads; of services that programs do not read within, nothing."""
        if entry.code != READ_BY_PROGRAMS:
            return {}
        reaches = {
            key: ALL if program.group is None else self._by_groups(entry, (program.group,))
            for key, program in self.programs.items()
            if not program.gone
        }
        return {key: extent for key, extent in reaches.items() if extent is not None}


def company_rights(
    *,
    actor: Membership,
    held: frozenset[str] = frozenset(),
    programs: Mapping[int, Program] | None = None,
    at: datetime | None = None,
) -> CompanyRights:
    """The rights of the actor's company, in four statements however many members, groups and points it has; without
    `at`, now.

    `held`, its points, and `programs`, its own, live above this app: whoever asks knows them.
    """
    company = actor.organisation
    people = members_of(actor=actor).values_list("pk", "user__full_name", "user__email", "role", "until")
    rows = GroupMember.objects.filter(group__organisation=company)
    members: dict[int, dict[int, Term]] = {}
    for group, membership, begins, ends in rows.values_list(
        "group", "membership", "valid_from", "valid_until"
    ):
        members.setdefault(group, {})[membership] = _term(begins, ends)
    perimeters: dict[int, set[str]] = {}
    points = PerimeterPoint.objects.filter(
        entitlement__group__organisation=company, entitlement__restricted=True
    )
    for entitlement, point in points.values_list("entitlement", "metering_point_id"):
        perimeters.setdefault(entitlement, set()).add(point)
    given: dict[str, dict[int, Gift]] = {}
    entitlements = Entitlement.objects.filter(group__organisation=company)
    for pk, group, code, restricted, begins, ends in entitlements.values_list(
        "pk", "group", "code", "restricted", "valid_from", "valid_until"
    ):
        extent = Extent(points=frozenset(perimeters.get(pk, ()))) if restricted else ALL
        given.setdefault(code, {})[group] = Gift(extent, _term(begins, ends))
    administrator = Membership.Role.ADMINISTRATOR
    return CompanyRights(
        at=at or timezone.now(),
        services=tuple(offered_to(company.beneficiary_roles)),
        people={
            pk: Person(name or email, role == administrator, until) for pk, name, email, role, until in people
        },
        members=members,
        given=given,
        held=held,
        programs=programs or {},
    )


def _term(begins: datetime | None, ends: datetime | None) -> Term:
    return ALWAYS if begins is None and ends is None else Term(begins, ends)
