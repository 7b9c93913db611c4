"""The requests for codes that a company must act on."""

from gridgate.eic.kind import EIC
from gridgate.organisations.models import Membership
from gridgate.requests.models import RequestState
from gridgate.requests.to_act import ToAct


def codes_to_act_on(*, actor: Membership) -> list[ToAct]:
    """Requests for EIC codes, those sent back first."""
    rows = EIC.of(user=actor.user, actor=actor).filter(state__in=(RequestState.DRAFT, RequestState.RETURNED))
    found = [
        ToAct(row.number, row.display_name, row.state == RequestState.RETURNED)
        for row in rows.order_by("created_at", "pk")
    ]
    return sorted(found, key=lambda one: not one.returned)
