"""What this room tells the rest of the house of itself (`core.capability`)."""

from datetime import datetime
from typing import Any

from gridgate.core.capability import PersonalData, Rows
from gridgate.eic.kind import EIC
from gridgate.eic.models import EicRequest
from gridgate.organisations.models import User
from gridgate.requests.models import UNDECIDED
from gridgate.requests.operations.life import withdraw_request
from gridgate.requests.personal_data import told


def _requests(user: User) -> Rows:
    asked = EicRequest.objects.filter(requester=user).select_related("organisation")
    return [told("eic_code", request, _content(request)) for request in asked]


def _content(request: EicRequest) -> dict[str, Any]:
    return {
        "type": str(request.type),
        "display_name": request.display_name,
        "long_name": request.long_name,
        "parent": request.parent,
        "responsible_party": request.responsible_party,
        "details": request.details,
        "justification": request.justification,
    }


def _end(user: User, now: datetime) -> None:
    """What was asked for no company ends with who asked it; what was never sent is emptied."""
    own = EicRequest.objects.filter(requester=user, organisation=None, state__in=UNDECIDED)
    own.filter(submitted_at=None).update(display_name="", long_name="", details={}, justification="")
    for request in own.order_by("-created_at"):
        withdraw_request(EIC, request, user=user, actor=None, now=now)


PERSONAL_DATA = PersonalData(sections={"requests": _requests}, end=_end)
