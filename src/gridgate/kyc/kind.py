"""The questionnaire as a kind of request: what is sent with it, and what goes when it is taken back."""

from datetime import datetime

from gridgate.kyc.models import KycQuestionnaire
from gridgate.requests.kinds import RequestKind
from gridgate.requests.models import RequestState


def _send_documents(row: KycQuestionnaire, now: datetime) -> None:
    row.attachments.filter(removed=True).delete()
    row.attachments.filter(sent_at=None).update(sent_at=now)


def _put_documents_back(row: KycQuestionnaire) -> None:
    row.attachments.filter(sent_at=None).delete()
    row.attachments.filter(removed=True).update(removed=False)


KYC = RequestKind(
    KycQuestionnaire,
    "KYC",
    "kyc",
    contents=("answers",),
    besides=lambda row: row.attachments.present().order_by("pk").values_list("field", "name", "sha256"),
    when_sent=_send_documents,
    when_taken_back=_put_documents_back,
)

EDITABLE = (RequestState.DRAFT, RequestState.RETURNED)

DECIDED = (RequestState.ACCEPTED, RequestState.REFUSED)
