"""What this room tells the rest of the house of itself (`core.capability`)."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from gridgate.core.capability import PersonalData, Rows
from gridgate.core.text import counted
from gridgate.kyc.kind import KYC
from gridgate.kyc.models import KycQuestionnaire
from gridgate.kyc.operations.forgetting import forget
from gridgate.kyc.queries import documents_lost
from gridgate.organisations.models import User
from gridgate.requests.models import UNDECIDED, RequestState
from gridgate.requests.operations.life import withdraw_request
from gridgate.requests.personal_data import told


def _requests(user: User) -> Rows:
    asked = KycQuestionnaire.objects.filter(requester=user).select_related("organisation")
    return [told("questionnaire", request, request.answers) for request in asked]


def _end(user: User, now: datetime) -> None:
    """What was sent for no company ends with who sent it. Of a draft of theirs nothing is left: the documents go with
    `forget_unnamed_documents`.
    """
    own = KycQuestionnaire.objects.filter(requester=user, organisation=None, state__in=UNDECIDED)
    for request in own.filter(submitted_at__isnull=False).order_by("-created_at"):
        withdraw_request(KYC, request, user=user, actor=None, now=now)
    for draft in own.filter(submitted_at=None):
        forget(draft)
        draft.state = RequestState.WITHDRAWN
        draft.save(update_fields=["state"])


PERSONAL_DATA = PersonalData(sections={"requests": _requests}, end=_end)


def faults() -> Iterator[str]:
    """Documents that were joined and are not there."""
    if lost := documents_lost():
        yield (
            f"{settings.ENVIRONMENT.attachments}: missing or damaged there: {counted(lost, 'document')} that had been"
            " joined. Put them back from the last backup; nothing else is touched by it."
        )
