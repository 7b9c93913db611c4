"""The questionnaire that a company must act on."""

from datetime import datetime, timedelta

from gridgate.kyc.models import KycQuestionnaire
from gridgate.kyc.operations.time import REMINDERS
from gridgate.kyc.queries import standing
from gridgate.organisations.models import Membership
from gridgate.requests.models import RequestState
from gridgate.requests.to_act import ToAct


def questionnaire_to_act_on(*, actor: Membership, now: datetime) -> ToAct | None:
    """The questionnaire that is sent back, or not sent yet; or the renewal of one that ends within its first reminder."""
    stands = standing(user=actor.user, actor=actor)
    ends = _ends(stands.accepted, now)
    running = stands.running
    if running is None:
        return ToAct("", "", returned=False, due_at=ends) if ends is not None else None
    if running.state not in (RequestState.DRAFT, RequestState.RETURNED):
        return None
    return ToAct(running.number, "", running.state == RequestState.RETURNED, ends)


def _ends(accepted: KycQuestionnaire | None, now: datetime) -> datetime | None:
    if accepted is None or accepted.valid_until is None:
        return None
    soon = now + timedelta(days=max(REMINDERS) + 1)
    return accepted.valid_until if accepted.valid_until <= soon else None
