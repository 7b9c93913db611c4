"""What becomes of drafts and documents that nobody received and nobody needs."""

from collections.abc import Iterable
from datetime import datetime

from gridgate.kyc.models import KycAttachment, KycQuestionnaire
from gridgate.requests.attachments import store


def forget_unnamed_documents(*, now: datetime) -> int:
    """Remove documents that no row names: what a killed process left behind. Returns how many."""
    with store().held():
        return discard_unnamed(store().older_than(now))


def forget(row: KycQuestionnaire) -> list[str]:
    """Empty a questionnaire that nobody received; returns the documents it named."""
    gone = list(row.attachments.values_list("sha256", flat=True))
    row.attachments.all().delete()
    row.answers = {}
    row.save(update_fields=["answers"])
    return gone


def discard_unnamed(documents: Iterable[str]) -> int:
    """Remove those that no row names; within `held`, after the transaction."""
    wanted = set(documents)
    named = set(KycAttachment.objects.filter(sha256__in=wanted).values_list("sha256", flat=True))
    for sha256 in wanted - named:
        store().discard(sha256)
    return len(wanted - named)
