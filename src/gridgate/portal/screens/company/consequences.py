"""What a change of groups or of their services does to people, in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.organisations.company_rights import Change
from gridgate.portal import formats

NAMED = 20
"""How many of those who lose a service are named one by one."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """One service: what becomes of it, and of whom."""

    service: str
    becomes: str
    lost: str
    gained: str
    names: tuple[str, ...]
    """Those who lose it, the first ones."""
    more: int
    """How many others lose it."""


def consequences(changes: Sequence[Change]) -> list[Consequence]:
    return [
        Consequence(
            service=change.entry.label,
            becomes=_becomes(change),
            lost=losing(change),
            gained=_gaining(change),
            names=change.lost[:NAMED] if len(change.lost) > 1 else (),
            more=max(0, len(change.lost) - NAMED),
        )
        for change in changes
    ]


def losses(changes: Sequence[Change]) -> str:
    """One line on who loses what, for the message after a change; empty when nobody does."""
    return " ".join(losing(change) for change in changes if change.lost)


def fingerprint(changes: Sequence[Change]) -> str:
    """Differs when the consequences do: what was read and confirmed must be what happens."""
    said = [(one.entry.code.value, one.groups_after, one.lost, one.gained) for one in changes]
    return sha256(repr(said).encode()).hexdigest()[:16]


def losing(change: Change) -> str:
    """`Bob et 5 autres perdent « Gestion des services de données ».`"""
    if not change.lost:
        return ""
    first, others = change.lost[0], len(change.lost) - 1
    if not others:
        return _("%(name)s perd « %(service)s ».") % {"name": first, "service": change.entry.label}
    return ngettext(
        "%(name)s et %(count)s autre perdent « %(service)s ».",
        "%(name)s et %(count)s autres perdent « %(service)s ».",
        others,
    ) % {"name": first, "count": formats.number(others), "service": change.entry.label}


def _gaining(change: Change) -> str:
    if not change.gained or change.opens:
        return ""
    first, others = change.gained[0], len(change.gained) - 1
    if not others:
        return _("%(name)s gagne « %(service)s ».") % {"name": first, "service": change.entry.label}
    return ngettext(
        "%(name)s et %(count)s autre gagnent « %(service)s ».",
        "%(name)s et %(count)s autres gagnent « %(service)s ».",
        others,
    ) % {"name": first, "count": formats.number(others), "service": change.entry.label}


def _becomes(change: Change) -> str:
    groups = change.groups_after
    if change.opens:
        return _("Plus aucun groupe ne l’a : il redevient ouvert à tous vos utilisateurs.")
    if change.closes:
        return _("Plus aucun groupe ne l’a : seuls vos administrateurs le gardent.")
    if change.reserves:
        return ngettext(
            "Il était ouvert à tous vos utilisateurs ; il devient réservé à %(count)s groupe.",
            "Il était ouvert à tous vos utilisateurs ; il devient réservé à %(count)s groupes.",
            groups,
        ) % {"count": formats.number(groups)}
    if groups > change.groups_before:
        return ngettext(
            "Il est désormais réservé à %(count)s groupe.",
            "Il est désormais réservé à %(count)s groupes.",
            groups,
        ) % {"count": formats.number(groups)}
    return ngettext(
        "Il reste réservé à %(count)s groupe.", "Il reste réservé à %(count)s groupes.", groups
    ) % {"count": formats.number(groups)}
