"""What a company has asked of the operator and must act on: requests sent back, drafts, questionnaires that end."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gridgate.eic.operations.asking import EIC
from gridgate.kyc.models import KycQuestionnaire
from gridgate.kyc.operations import REMINDERS
from gridgate.kyc.queries import standing
from gridgate.organisations.models import Membership
from gridgate.requests.models import RequestState


@dataclass(frozen=True, slots=True)
class ToAct:
    """One request that waits for the company. `title` is the name asked for, of a code.

    `returned`: a complement is asked for; else a draft, or, with `number` empty, a questionnaire to be renewed. `due_at`
    is the end of the accepted questionnaire that it is to replace.
    """

    number: str
    title: str
    returned: bool
    due_at: datetime | None = None


def codes_to_act_on(*, actor: Membership) -> list[ToAct]:
    """Requests for EIC codes, those sent back first."""
    rows = EIC.of(user=actor.user, actor=actor).filter(state__in=(RequestState.DRAFT, RequestState.RETURNED))
    found = [
        ToAct(row.number, row.display_name, row.state == RequestState.RETURNED)
        for row in rows.order_by("created_at", "pk")
    ]
    return sorted(found, key=lambda one: not one.returned)


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
