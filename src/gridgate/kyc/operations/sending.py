"""Sending the questionnaire, taking it back, and the operator's decision."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.timezone import get_default_timezone

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.time import civil_day_bounds, months_from
from gridgate.kyc.answers import AnswerFault, faults_of
from gridgate.kyc.kind import KYC
from gridgate.kyc.models import KycQuestionnaire
from gridgate.kyc.operations.filling import editable
from gridgate.kyc.operations.forgetting import discard_unnamed, forget
from gridgate.kyc.operations.forms import form_of
from gridgate.kyc.operations.time import today
from gridgate.organisations.models import Membership, User
from gridgate.requests.attachments import store
from gridgate.requests.operations.life import accept_request, submit, withdraw_request


class QuestionnaireIncomplete(GridgateError):
    """The questionnaire cannot be sent: `faults` says what is missing or wrong."""

    def __init__(self, faults: list[AnswerFault]) -> None:
        self.faults = faults
        super().__init__(ErrorKind.INVALID, f"{len(faults)} answers are missing or wrong")


def submit_questionnaire(
    *,
    questionnaire: KycQuestionnaire,
    seen: str | None = None,
    user: User,
    actor: Membership | None,
    now: datetime,
) -> KycQuestionnaire:
    """Send it to the operator. `seen`: the fingerprint of what was read, None to ask nothing.

    Raises `QuestionnaireIncomplete`, `RequestChanged`, `RequestNotFound` and `RequestNotOpen`.
    """
    with store().held():
        with transaction.atomic():
            row = editable(questionnaire, user, actor)
            KYC.require_read(row, seen)
            faults = faults_in(row, now=now)
            if faults:
                raise QuestionnaireIncomplete(faults)
            gone = list(row.attachments.filter(removed=True).values_list("sha256", flat=True))
            sent = submit(KYC, row, user=user, actor=actor, now=now)
        discard_unnamed(gone)
    return sent


def faults_in(questionnaire: KycQuestionnaire, *, now: datetime) -> list[AnswerFault]:
    """What keeps it from being sent."""
    files: dict[str, int] = {}
    for name in questionnaire.attachments.present().values_list("field", flat=True):
        files[name] = files.get(name, 0) + 1
    return faults_of(form_of(questionnaire), questionnaire.answers, files, today=today(now))


def withdraw_questionnaire(
    *, questionnaire: KycQuestionnaire, user: User, actor: Membership | None, now: datetime
) -> KycQuestionnaire:
    """Take it back while it is undecided. What the operator never received is forgotten, documents included."""
    with store().held():
        with transaction.atomic():
            unsent = questionnaire.attachments.filter(sent_at=None)
            gone = list(unsent.values_list("sha256", flat=True))
            row = withdraw_request(KYC, questionnaire, user=user, actor=actor, now=now)
            if row.submitted_at is None:
                gone = forget(row)
        discard_unnamed(gone)
    return row


def accept_questionnaire(
    *, questionnaire: KycQuestionnaire, seen: str | None = None, actor: Membership, now: datetime
) -> KycQuestionnaire:
    """Accept it, for as long as its version says. Raises `RequestChanged` when it was sent again since `seen`."""

    def set_end(row: KycQuestionnaire) -> None:
        row.valid_until = end_of_validity(now, row.form.months_valid)

    return accept_request(KYC, questionnaire, seen=seen, actor=actor, now=now, effect=set_end)


def end_of_validity(now: datetime, months: int) -> datetime:
    """The last second of the civil day with the same number, so many months on; of a shorter month, its last day."""
    same = months_from(today(now), months)
    end = civil_day_bounds(same, get_default_timezone()).end
    assert end is not None
    return end - timedelta(seconds=1)
