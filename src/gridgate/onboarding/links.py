"""Activation links: what their address says, and reading it. Nothing of them is stored.

A link names an invitation and the round it was sent in, signed with the instance's secret key. Sending again starts
another round, and only the last one's link is good; whatever else a link needs to be good stands in the registry.
"""

from typing import NamedTuple

from django.core.signing import BadSignature, Signer

from gridgate.onboarding.models import Invitation
from gridgate.organisations.handles import handle_of, number_of

_KIND = "activation"


class Named(NamedTuple):
    """What a genuine link names."""

    invitation: int
    round: int


def token_of(invitation: Invitation) -> str:
    """What stands in the address of the link last sent for this invitation."""
    return _signer().sign(f"{handle_of(_KIND, invitation.pk)}-{invitation.round}")


def read_token(token: str) -> Named | None:
    """What the link names; None unless this instance made it."""
    try:
        name, _, sent = _signer().unsign(token).rpartition("-")
        number = number_of(_KIND, name)
        return None if number is None else Named(number, int(sent))
    except (BadSignature, ValueError):
        return None


def _signer() -> Signer:
    return Signer(sep=".", salt="gridgate.organisations.activation")
