"""Activation links: what their address says, and reading it. Nothing of them is stored.

A link names an invitation and the round it was sent in, signed with the instance's secret key. Sending again starts
another round, and only the last one's link is good; whatever else a link needs to be good stands in the registry.
"""

from typing import NamedTuple

from django.core.signing import BadSignature, Signer

from gridgate.organisations.models import Invitation


class Named(NamedTuple):
    """What a genuine link names."""

    invitation: int
    round: int


def token_of(invitation: Invitation) -> str:
    """What stands in the address of the link last sent for this invitation."""
    return _signer().sign(f"{invitation.pk}-{invitation.round}")


def read_token(token: str) -> Named | None:
    """What the link names; None unless this instance made it."""
    try:
        number, _, sent = _signer().unsign(token).partition("-")
        return Named(int(number), int(sent))
    except (BadSignature, ValueError):
        return None


def _signer() -> Signer:
    return Signer(sep=".", salt="gridgate.organisations.activation")
