"""The request for a code as a kind of request."""

from gridgate.eic.models import EicRequest
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.requests.kinds import RequestKind
from gridgate.requests.models import RequestState

EIC = RequestKind(
    EicRequest,
    "EIC",
    "eic",
    contents=(
        "type",
        "display_name",
        "long_name",
        "parent",
        "responsible_party",
        "justification",
        "details",
    ),
)

CHANGEABLE = (RequestState.DRAFT, RequestState.RETURNED)


def may_request(actor: Membership | None) -> bool:
    """Whether somebody may ask the operator for something: for themselves, acting for no company, or for theirs."""
    if actor is None:
        return True
    return not actor.organisation.is_operator and actor.has(EntitlementCode.REQUESTS)
