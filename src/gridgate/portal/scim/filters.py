"""Filters in SQL, as far as they name what is indexed: a directory asks for one person at a time.

What is made here lets through everything that the filter does, and perhaps more: `ScimFilter.match` decides, with
the standard's own rules of case, presence and several values.
"""

from collections.abc import Callable
from functools import partial, reduce
from operator import and_, or_

from django.db.models import Q, QuerySet
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

from gridgate.organisations.models import Membership, Organisation, present
from gridgate.portal.scim.bodies import identifier

NOTHING = Q(pk__in=[])


def narrow_people(node: FilterNode, organisation: Organisation) -> Q:
    """A condition on `DirectoryPerson` that everyone of the company who matches meets."""
    memberships = Membership.objects.filter(organisation=organisation)
    return _narrow(node, partial(_person_named, memberships)) or Q()


def narrow_groups(node: FilterNode) -> Q:
    """The same for `DirectoryGroup`."""
    return _narrow(node, _group_named) or Q()


def mentions(node: FilterNode, attribute: str) -> bool:
    """Whether the filter looks at the attribute."""
    match node:
        case Comparison(attr_path=path) | Present(attr_path=path) | ValuePath(attr_path=path):
            return path.attr.lower() == attribute.lower()
        case Not(expr=inner):
            return mentions(inner, attribute)
        case LogicalExpr(terms=terms):
            return any(mentions(term, attribute) for term in terms)
    return True


def _narrow(node: FilterNode, named: Callable[[AttrPath, object], Q | None]) -> Q | None:
    match node:
        case Comparison(attr_path=path, op=CompareOperator.eq, value=value):
            return named(path, value)
        case ValuePath(attr_path=AttrPath(attr=attribute), val_filter=inner):
            return _narrow(inner, lambda path, value: named(AttrPath(attribute, path.attr), value))
        case LogicalExpr(op=LogicalOperator.and_, terms=terms):
            found = [narrowed for term in terms if (narrowed := _narrow(term, named)) is not None]
            return reduce(and_, found) if found else None
        case LogicalExpr(op=LogicalOperator.or_, terms=terms):
            each = [_narrow(term, named) for term in terms]
            return reduce(or_, [one for one in each if one is not None]) if None not in each else None
    return None


def _person_named(memberships: QuerySet[Membership], path: AttrPath, value: object) -> Q | None:
    name = f"{path.attr}.{path.sub_attr}".lower() if path.sub_attr else path.attr.lower()
    if name == "active" and isinstance(value, bool):
        active = Q(user__in=memberships.filter(present()).values("user"))
        return active if value else ~active
    if not isinstance(value, str):
        return None
    if not _can_be_asked(value):
        return NOTHING
    match name:
        case "id":
            return _identified(value)
        case "username" | "emails" | "emails.value":
            return Q(user__email__iexact=value.lower())
        case "externalid":
            return Q(user__in=memberships.filter(external_id=value).values("user"))
    return None


def _group_named(path: AttrPath, value: object) -> Q | None:
    if not isinstance(value, str) or path.sub_attr:
        return None
    if not _can_be_asked(value):
        return NOTHING
    match path.attr.lower():
        case "id":
            return _identified(value)
        case "externalid":
            return Q(group__external_id=value)
    return None


def _identified(value: str) -> Q:
    found = identifier(value)
    return NOTHING if found is None else Q(pk=found)


def _can_be_asked(value: str) -> bool:
    """False for text that no database keeps: nobody is called so."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value
