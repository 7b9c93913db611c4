"""Beneficiary roles where they are kept as a list of codes: in order, and in SQL.

A column of codes is JSON; each code is whole between its quotes, so that looking for it in the text is exact on every
database.
"""

from collections.abc import Iterable

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import Contains

from gridgate.core.roles import BeneficiaryRole


def in_order(roles: Iterable[str]) -> list[str]:
    """Each role once, in the order of the enumeration. Raises `ValueError` for what is none."""
    wanted = {BeneficiaryRole(role) for role in roles}
    return [role.value for role in BeneficiaryRole if role in wanted]


def names_one(roles: Iterable[str], field: str = "roles") -> Q:
    """The condition that a column of codes names one of these roles."""
    found = Q(pk__in=[])
    for role in in_order(roles):
        found |= Q(Contains(Cast(field, TextField()), f'"{role}"'))
    return found


def names_none(field: str = "roles") -> Q:
    """The condition that a column of codes is empty."""
    return Q(**{field: []})
