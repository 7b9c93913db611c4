"""What a screen shows before a change of rights: who would lose what, who would gain what, what would open to all.

At once, and at each later instant at which that differs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from itertools import pairwise

from gridgate.core.roles import Term
from gridgate.organisations.catalogue import CatalogueEntry
from gridgate.organisations.company_rights import CompanyRights, Extent


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


def becoming(before: CompanyRights, after: CompanyRights) -> list[Change]:
    """What the change does to each service that it touches, now and at each later instant at which that differs:
    in the order of time, then of the catalogue.
    """
    found = [
        (place, change)
        for place, entry in enumerate(before.services)
        for change in _changes(before, entry, after)
    ]
    found.sort(key=lambda one: (one[1].at is not None, one[1].at or before.at, one[0]))
    return [change for _place, change in found]


def _changes(before: CompanyRights, entry: CatalogueEntry, after: CompanyRights) -> list[Change]:
    """Of one service. What it does now comes first, if it does anything; what it does later, only where it differs
    from what it does just before, be it that it does nothing any more.
    """
    if _same(before, entry, after):
        return []
    terms = {*_terms(before, entry), *_terms(after, entry)}
    begins = {term.begins for term in terms}
    people = (*before.people.values(), *after.people.values())
    leave = {person.until for person in people if person.until is not None}
    edges = {edge for edge in {*leave, *(edge for term in terms for edge in term.edges)} if edge > before.at}
    said = [_change(before, entry, after)]
    for edge in sorted(edges):
        then = _change(replace(before, at=edge), entry, replace(after, at=edge))
        said.append(replace(then, at=edge, by_end=edge not in begins))
    found = [said[0]] if said[0].matters else []
    return found + [now for last, now in pairwise(said) if not now.says_as(last)]


def _same(before: CompanyRights, entry: CatalogueEntry, after: CompanyRights) -> bool:
    """Whether nothing differs that the answers rest on."""
    given = before.given.get(entry.code, {})
    return (
        before.people == after.people
        and before.programs == after.programs
        and given == after.given.get(entry.code, {})
        and all(before.members.get(group, {}) == after.members.get(group, {}) for group in given)
    )


def _terms(rights: CompanyRights, entry: CatalogueEntry) -> Iterable[Term]:
    for group, gift in rights.given.get(entry.code, {}).items():
        yield gift.term
        yield from rights.members.get(group, {}).values()


def _change(before: CompanyRights, entry: CatalogueEntry, after: CompanyRights) -> Change:
    names = {key: one.name for key, one in {**after.people, **before.people}.items()}
    was, becomes = before.reaches(entry), after.reaches(entry)
    programs = {key: one.name for key, one in before.programs.items() if key in after.programs}
    read, reads = before.programs_reach_of(entry), after.programs_reach_of(entry)
    held = before.held if entry.by_point else frozenset[str]()
    return Change(
        entry,
        groups_before=len(before.reserving(entry)),
        groups_after=len(after.reserving(entry)),
        losses=_differences(names, was, becomes, held),
        gains=_differences(names, becomes, was, held),
        programs_lose=_differences(programs, read, reads, held),
        programs_gain=_differences(programs, reads, read, held),
        reach=becomes,
        programs_reach=reads,
    )


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
