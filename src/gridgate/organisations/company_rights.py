"""Who of a company has which service on which points, now and after a change that is being considered.

What a screen shows before a change of rights: who would lose what, who would gain what, what would open to all, at once
and at each later instant at which that differs. The rule is that of `core.roles.decide_right`, for all members at once;
property tests hold the one to the other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from itertools import pairwise

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

    def becoming(self, after: "CompanyRights") -> list["Change"]:
        """What the change does to each service that it touches, now and at each later instant at which that differs:
        in the order of time, then of the catalogue.
        """
        found = [
            (place, change)
            for place, entry in enumerate(self.services)
            for change in self._changes(entry, after)
        ]
        found.sort(key=lambda one: (one[1].at is not None, one[1].at or self.at, one[0]))
        return [change for _place, change in found]

    def _changes(self, entry: CatalogueEntry, after: "CompanyRights") -> list["Change"]:
        """Of one service. What it does now comes first, if it does anything; what it does later, only where it differs
        from what it does just before, be it that it does nothing any more.
        """
        if self._same(entry, after):
            return []
        terms = {*self._terms(entry), *after._terms(entry)}
        begins = {term.begins for term in terms}
        people = (*self.people.values(), *after.people.values())
        leave = {person.until for person in people if person.until is not None}
        edges = {
            edge for edge in {*leave, *(edge for term in terms for edge in term.edges)} if edge > self.at
        }
        said = [self._change(entry, after)]
        for edge in sorted(edges):
            then = replace(self, at=edge)._change(entry, replace(after, at=edge))
            said.append(replace(then, at=edge, by_end=edge not in begins))
        found = [said[0]] if said[0].matters else []
        return found + [now for before, now in pairwise(said) if not now.says_as(before)]

    def _same(self, entry: CatalogueEntry, after: "CompanyRights") -> bool:
        """Whether nothing differs that the answers rest on."""
        given = self.given.get(entry.code, {})
        return (
            self.people == after.people
            and self.programs == after.programs
            and given == after.given.get(entry.code, {})
            and all(self.members.get(group, {}) == after.members.get(group, {}) for group in given)
        )

    def _terms(self, entry: CatalogueEntry) -> Iterable[Term]:
        for group, gift in self.given.get(entry.code, {}).items():
            yield gift.term
            yield from self.members.get(group, {}).values()

    def _change(self, entry: CatalogueEntry, after: "CompanyRights") -> "Change":
        names = {key: one.name for key, one in {**after.people, **self.people}.items()}
        was, becomes = self._reaches(entry), after._reaches(entry)
        programs = {key: one.name for key, one in self.programs.items() if key in after.programs}
        read, reads = self._programs_reach(entry), after._programs_reach(entry)
        held = self.held if entry.by_point else frozenset[str]()
        return Change(
            entry,
            groups_before=len(self.reserving(entry)),
            groups_after=len(after.reserving(entry)),
            losses=_differences(names, was, becomes, held),
            gains=_differences(names, becomes, was, held),
            programs_lose=_differences(programs, read, reads, held),
            programs_gain=_differences(programs, reads, read, held),
            reach=becomes,
            programs_reach=reads,
        )

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

    def _reaches(self, entry: CatalogueEntry) -> dict[int, Extent]:
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

    def _programs_reach(self, entry: CatalogueEntry) -> dict[int, Extent]:
        """By program, the points that it reads; of services that programs do not read within, nothing."""
        if entry.code != READ_BY_PROGRAMS:
            return {}
        reaches = {
            key: ALL if program.group is None else self._by_groups(entry, (program.group,))
            for key, program in self.programs.items()
            if not program.gone
        }
        return {key: extent for key, extent in reaches.items() if extent is not None}


@dataclass(frozen=True, slots=True)
class Difference:
    """What some have of a service and others have not, before a change or after it; the same for all of them."""

    names: tuple[str, ...]
    keys: tuple[int, ...]
    """Of those named, in the same order: two may have one name."""
    points: frozenset[str]
    """Of those that the company holds or held."""
    whole: bool
    """Not some points: the service itself."""
    everywhere: bool
    """Of the whole service: it is on all points. Of some points: also on those that the company comes to hold."""


def _differences(
    names: Mapping[int, str],
    more: Mapping[int, Extent],
    less: Mapping[int, Extent],
    held: frozenset[str],
) -> tuple[Difference, ...]:
    """What each reaches by `more` and not by `less`; those with the same difference together."""
    known: dict[tuple[Extent, Extent | None], tuple[frozenset[str], bool, bool] | None] = {}
    alike: dict[tuple[frozenset[str], bool, bool], list[int]] = {}
    for key in names:
        wide = more.get(key)
        if wide is None:
            continue
        pair = (wide, less.get(key))
        if pair not in known:
            known[pair] = _beyond(*pair, held)
        difference = known[pair]
        if difference is not None:
            alike.setdefault(difference, []).append(key)
    return _together(names, alike)


def _together(
    names: Mapping[int, str], alike: Mapping[tuple[frozenset[str], bool, bool], Sequence[int]]
) -> tuple[Difference, ...]:
    return tuple(
        Difference(tuple(names[key] for key in keys), tuple(keys), points, whole, everywhere)
        for (points, whole, everywhere), keys in alike.items()
    )


def _beyond(
    wide: Extent, narrow: Extent | None, held: frozenset[str]
) -> tuple[frozenset[str], bool, bool] | None:
    """The points of `wide` that `narrow` leaves out, whether it is the whole service, and whether on points to come."""
    reached = held if wide.everything else wide.points & held
    if narrow is None:
        return reached, True, wide.everything
    if narrow.everything:
        return None
    left = reached - narrow.points
    return (left, False, wide.everything) if left or wide.everything else None


class Ease(Enum):
    """What is so where a change that made a difference makes none any more."""

    AGAIN = "had again: it was lost until then"
    NEITHER = "had no more, as without the change: it was lost before"
    ANYWAY = "had, as without the change: it was gained before"
    NO_MORE = "had no more: it was gained until then"


@dataclass(frozen=True, slots=True)
class Eased:
    """Of whom, and of what, that is so."""

    ease: Ease
    difference: Difference


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one service: who loses it or gains it where, and whether it opens, closes or is reserved."""

    entry: CatalogueEntry
    groups_before: int
    groups_after: int
    losses: tuple[Difference, ...]
    gains: tuple[Difference, ...]
    programs_lose: tuple[Difference, ...] = ()
    programs_gain: tuple[Difference, ...] = ()
    eased: tuple[Eased, ...] = ()
    """Of what `newly` tells: what was lost or gained before, and is so no more."""
    programs_eased: tuple[Eased, ...] = ()
    reach: Mapping[int, Extent] = field(default_factory=dict, compare=False, repr=False)
    """By member, how far those who may use the service may, once it is made."""
    programs_reach: Mapping[int, Extent] = field(default_factory=dict, compare=False, repr=False)
    at: datetime | None = None
    """From when on; None: at once."""
    by_end: bool = False
    """At that instant something ends, and nothing begins."""

    def says_as(self, other: "Change") -> bool:
        """Whether it is the same, whatever the instant."""
        mine, theirs = (replace(one, at=None, by_end=False) for one in (self, other))
        return mine == theirs or not (self.matters or other.matters)

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
        differs = self.losses or self.gains or self.programs_lose or self.programs_gain
        return bool(differs or self.opens or self.closes or self.reserves)

    @property
    def asks_to_confirm(self) -> bool:
        """It takes the service from somebody or from a program, or opens it to all."""
        return bool(self.losses or self.programs_lose) or self.opens


def newly(changes: Iterable[Change]) -> list[Change]:
    """What each change says that the one before it of the same service did not: what somebody loses is told once, on the
    day on which it becomes so. A change that adds nothing stays, without anybody: what becomes of the service may differ.
    """
    said: dict[str, Change] = {}
    found = []
    for change in changes:
        before = said.get(change.entry.code)
        said[change.entry.code] = change
        found.append(change if before is None else _added(before, change))
    return found


def _added(before: Change, change: Change) -> Change:
    return replace(
        change,
        losses=_more(change.losses, before.losses),
        gains=_more(change.gains, before.gains),
        programs_lose=_more(change.programs_lose, before.programs_lose),
        programs_gain=_more(change.programs_gain, before.programs_gain),
        eased=_no_more(before.losses, before.gains, change.losses, change.gains, change.reach),
        programs_eased=_no_more(
            before.programs_lose,
            before.programs_gain,
            change.programs_lose,
            change.programs_gain,
            change.programs_reach,
        ),
    )


def _no_more(
    lost: tuple[Difference, ...],
    gained: tuple[Difference, ...],
    loses: tuple[Difference, ...],
    gains: tuple[Difference, ...],
    reach: Mapping[int, Extent],
) -> tuple[Eased, ...]:
    """What was lost or gained and is neither now, by whether those of whom it is told have it."""
    again, neither = _parted(_more(_more(lost, loses), gains), reach)
    anyway, no_more = _parted(_more(_more(gained, gains), loses), reach)
    found = {Ease.AGAIN: again, Ease.NEITHER: neither, Ease.ANYWAY: anyway, Ease.NO_MORE: no_more}
    return tuple(Eased(ease, one) for ease, differences in found.items() for one in differences)


def _parted(
    some: Iterable[Difference], reach: Mapping[int, Extent]
) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """What of it the same people have, and what they have not."""
    names: dict[int, str] = {}
    had: dict[tuple[frozenset[str], bool, bool], list[int]] = {}
    not_had: dict[tuple[frozenset[str], bool, bool], list[int]] = {}
    for one in some:
        for key, name in zip(one.keys, one.names, strict=True):
            names[key] = name
            extent = reach.get(key)
            if extent is None or extent.everything:
                alike = not_had if extent is None else had
                alike.setdefault((one.points, one.whole, one.everywhere), []).append(key)
                continue
            left = one.points - extent.points
            if left or one.everywhere:
                not_had.setdefault((left, False, one.everywhere), []).append(key)
            if here := one.points & extent.points:
                had.setdefault((here, False, False), []).append(key)
    return _together(names, had), _together(names, not_had)


def _more(some: Iterable[Difference], others: Iterable[Difference]) -> tuple[Difference, ...]:
    """What of `some` the same people have not among `others`; those of whom that is the same together."""
    theirs = {key: one for one in others for key in one.keys}
    names: dict[int, str] = {}
    alike: dict[tuple[frozenset[str], bool, bool], list[int]] = {}
    for one in some:
        for key, name in zip(one.keys, one.names, strict=True):
            other = theirs.get(key)
            points = one.points if other is None else one.points - other.points
            everywhere = one.everywhere and not (other is not None and other.everywhere)
            if other is None or points or everywhere:
                names[key] = name
                whole = one.whole and not (other is not None and other.whole)
                alike.setdefault((points, whole, everywhere), []).append(key)
    return _together(names, alike)


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
