"""Answering searches: which people and groups of one company, in which order, and which page of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scim2_models import Resource, SearchRequest

from gridgate.directory import queries as directory
from gridgate.directory.models import DirectoryGroup, DirectoryPerson
from gridgate.organisations.models import Organisation
from gridgate.portal.scim.answers import Writer
from gridgate.portal.scim.filters import mentions, narrow_groups, narrow_people
from gridgate.portal.scim.resources import (
    Group,
    Page,
    User,
    page_of,
)
from gridgate.portal.scim.searches import asks_for


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found, and how much was."""

    resources: Sequence[Resource[Any]]
    total: int
    page: Page


def find_people(organisation: Organisation, search: SearchRequest[Any], writer: Writer) -> Found:
    """People page by page in SQL, unless they are filtered or sorted, which the standard's own rules do."""
    page, with_groups = page_of(search), asks_for(search, "groups")
    people = directory.people_of(organisation)
    if search.filter is None and search.sort_by is None:
        rows = list(people[page.start : page.start + page.length])
        return Found(_users(rows, writer, with_groups), people.count(), page)
    if search.filter is not None:
        people = people.filter(narrow_people(search.filter.ast, organisation))
    known = {str(person.pk): person for person in people}
    looked_at = _looks_at(search, "groups")
    chosen = _chosen(search, _users(known.values(), writer, looked_at))
    shown = chosen[page.start : page.start + page.length]
    if with_groups and not looked_at:
        shown = _users([known[str(user.id)] for user in shown], writer, True)
    return Found(shown, len(chosen), page)


def find_groups(organisation: Organisation, search: SearchRequest[Any], writer: Writer) -> Found:
    """The same of groups."""
    page, with_members = page_of(search), asks_for(search, "members")
    groups = directory.groups_of(organisation)
    if search.filter is None and search.sort_by is None:
        rows = list(groups[page.start : page.start + page.length])
        return Found(_groups(rows, writer, with_members), groups.count(), page)
    if search.filter is not None:
        groups = groups.filter(narrow_groups(search.filter.ast))
    known = {str(group.pk): group for group in groups}
    looked_at = _looks_at(search, "members")
    chosen = _chosen(search, _groups(known.values(), writer, looked_at))
    shown = chosen[page.start : page.start + page.length]
    if with_members and not looked_at:
        shown = _groups([known[str(group.id)] for group in shown], writer, True)
    return Found(shown, len(chosen), page)


def find_both(organisation: Organisation, search: SearchRequest[Any], writer: Writer) -> Found:
    """People, then groups, unless they are sorted together."""
    page = page_of(search)
    people, groups = directory.people_of(organisation), directory.groups_of(organisation)
    resources: list[Resource[Any]] = [
        *_users(people, writer, asks_for(search, "groups") or _looks_at(search, "groups")),
        *_groups(groups, writer, asks_for(search, "members") or _looks_at(search, "members")),
    ]
    chosen = _chosen(search, resources)
    return Found(chosen[page.start : page.start + page.length], len(chosen), page)


def _chosen(search: SearchRequest[Any], resources: Sequence[Resource[Any]]) -> list[Any]:
    matching = [one for one in resources if search.filter is None or search.filter.match(one)]
    return search.sort(matching)


def _looks_at(search: SearchRequest[Any], attribute: str) -> bool:
    if search.filter is not None and mentions(search.filter.ast, attribute):
        return True
    return search.sort_by is not None and attribute in str(search.sort_by).lower()


def _users(people: Any, writer: Writer, with_groups: bool) -> list[User]:
    rows: list[DirectoryPerson] = list(people)
    return [writer.user(person) for person in directory.describe_people(rows, with_groups=with_groups)]


def _groups(groups: Any, writer: Writer, with_members: bool) -> list[Group]:
    rows: list[DirectoryGroup] = list(groups)
    return [writer.group(group) for group in directory.describe_groups(rows, with_members=with_members)]
