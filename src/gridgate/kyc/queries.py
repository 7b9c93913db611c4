"""Reads of the customer questionnaire: versions of the form, where a company stands, documents, what came before."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.kyc.kind import KYC
from gridgate.kyc.models import KycAttachment, KycForm, KycQuestionnaire
from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import Membership, User
from gridgate.requests.attachments import store
from gridgate.requests.kinds import RequestNotFound
from gridgate.requests.models import OPEN_STATES, RequestState


class FormNotFound(GridgateError):
    """No such version."""

    def __init__(self, version: str) -> None:
        super().__init__(ErrorKind.NOT_FOUND, f"no version {version} of the questionnaire")


def documents_lost() -> int:
    """How many of the documents that questionnaires name are not in their place, or not whole."""
    documents = KycAttachment.objects.values_list("sha256", "size").distinct()
    kept = store()
    return sum(not kept.has(sha256, size=size) for sha256, size in documents.iterator())


class AttachmentNotFound(GridgateError):
    """Absent, or not this actor's."""

    def __init__(self, number: str) -> None:
        super().__init__(ErrorKind.NOT_FOUND, f"no such document of {number}")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a company, or a person of none, stands with its questionnaire."""

    accepted: KycQuestionnaire | None
    """The latest that was accepted, be it over by now."""
    running: KycQuestionnaire | None
    """One that is being filled in, or is with the operator."""
    refused: KycQuestionnaire | None
    """The latest, when it was refused and nothing came after."""


def present_form() -> KycForm | None:
    """The version that a new questionnaire is of."""
    return KycForm.objects.order_by("-published_at", "-pk").first()


def form_versions(*, actor: Membership) -> QuerySet[KycForm]:
    """Every version, the newest first; `running` and `valid` count its questionnaires."""
    require_operator(actor)
    running = Count("questionnaires", filter=Q(questionnaires__state__in=(RequestState.DRAFT, *OPEN_STATES)))
    accepted = Count("questionnaires", filter=Q(questionnaires__state=RequestState.ACCEPTED))
    return KycForm.objects.annotate(running=running, accepted=accepted).order_by("-published_at", "-pk")


def form_version(*, version: str, actor: Membership | None = None) -> KycForm:
    """One version, by its name. Raises `FormNotFound`."""
    require_operator(actor)
    found = KycForm.objects.filter(version=version).first()
    if found is None:
        raise FormNotFound(version)
    return found


def questionnaires_of(*, user: User, actor: Membership | None) -> QuerySet[KycQuestionnaire]:
    """The company's, or the person's own, the newest first."""
    return KYC.of(user=user, actor=actor).select_related("form").order_by("-created_at", "-pk")


def questionnaire_of(number: str, *, user: User, actor: Membership | None) -> KycQuestionnaire:
    """Raises `RequestNotFound`."""
    found = questionnaires_of(user=user, actor=actor).filter(number=number).first()
    if found is None:
        raise RequestNotFound(number)
    return found


def standing(*, user: User, actor: Membership | None) -> Standing:
    """From the one list of what was asked."""
    every = list(questionnaires_of(user=user, actor=actor))
    decided = sorted((one for one in every if one.decided_at), key=_decided_at, reverse=True)
    return Standing(
        accepted=next((one for one in decided if one.state == RequestState.ACCEPTED), None),
        running=next((one for one in every if one.state in (RequestState.DRAFT, *OPEN_STATES)), None),
        refused=decided[0] if decided and decided[0].state == RequestState.REFUSED else None,
    )


def accepted_before(questionnaire: KycQuestionnaire) -> KycQuestionnaire | None:
    """The one that was accepted before it, to compare with."""
    same = KycQuestionnaire.objects.filter(
        organisation=questionnaire.organisation_id, state=RequestState.ACCEPTED
    )
    if questionnaire.organisation_id is None:
        same = same.filter(requester=questionnaire.requester_id)
    earlier = same.filter(created_at__lt=questionnaire.created_at).exclude(pk=questionnaire.pk)
    return earlier.select_related("form").order_by("-decided_at", "-pk").first()


def attachment_of(number: str, pk: int, *, user: User, actor: Membership | None) -> KycAttachment:
    """A document: for whoever asked, or may ask for their company, and, once it was sent, for the operator's staff.

    Raises `AttachmentNotFound`.
    """
    if actor is not None and actor.organisation.is_operator:
        readable, joined = KYC.for_desk(actor=actor), KycAttachment.objects.sent()
    else:
        readable, joined = KYC.of(user=user, actor=actor), KycAttachment.objects.present()
    found = joined.filter(
        pk=pk, questionnaire__number=number, questionnaire__in=readable.values("pk")
    ).first()
    if found is None:
        raise AttachmentNotFound(number)
    return found


def _decided_at(questionnaire: KycQuestionnaire) -> datetime:
    assert questionnaire.decided_at is not None
    return questionnaire.decided_at
