"""The roles of a company on the network."""

from typing import Any

from gridgate.core.roles import BeneficiaryRole
from gridgate.organisations.catalogue import ROLE_LABELS
from gridgate.portal.kit import formats


def roles(codes: list[str]) -> str:
    """`Producteur, consommateur`; `–` for none."""
    named = [str(ROLE_LABELS[role]) for role in BeneficiaryRole if role.value in codes]
    if not named:
        return formats.NONE
    return ", ".join([named[0], *(name[:1].lower() + name[1:] for name in named[1:])])


def role_choices() -> list[tuple[str, Any]]:
    return [(role.value, ROLE_LABELS[role]) for role in BeneficiaryRole]
