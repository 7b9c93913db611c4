"""The customer questionnaire: versions of its form, a company's answers and documents, acceptance, end and renewal.

Its steps from draft to decision are those of every request: see `requests`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.dispatch import receiver
from django.utils.timezone import get_default_timezone

from gridgate.accounts.events import account_deleted
from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.time import civil_day_bounds, civil_day_of
from gridgate.kyc.answers import (
    AnswerFault,
    Answers,
    carried_over,
    entered,
    faults_of,
)
from gridgate.kyc.events import kyc_ended, kyc_ends_soon
from gridgate.kyc.form import (
    BUILT_IN,
    FileField,
    Form,
    TextField,
    read_form,
)
from gridgate.kyc.models import KycAttachment, KycForm, KycQuestionnaire
from gridgate.organisations.as_read import fingerprint, require_read
from gridgate.organisations.authority import NotAllowed, require_operator_administrator
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership, Organisation, User
from gridgate.organisations.queries import operator
from gridgate.requests.attachments import (
    TYPES,
    AttachmentRefused,
    clean_name,
    store,
)
from gridgate.requests.kinds import RequestKind, RequestNotFound
from gridgate.requests.models import OPEN_STATES, TO_TREAT, RequestState
from gridgate.requests.operations.life import RequestNotOpen, accept_request, submit, withdraw_request


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

BUILT_IN_VERSION = "1"
EDITABLE = (RequestState.DRAFT, RequestState.RETURNED)
DECIDED = (RequestState.ACCEPTED, RequestState.REFUSED)
REMINDERS = (60, 30, 7)
"""Days before the end of a questionnaire."""


class InvalidVersion(GridgateError):
    """The name of a version will not do, or is taken: what is published never changes."""

    def __init__(self, version: str, *, taken: bool) -> None:
        self.taken = taken
        if taken:
            message, remedy = f"the version {version} is published, and never changes", "Give another name."
        else:
            message = f"{version!r} is no name of a version"
            remedy = "Give 1 to 20 letters, digits, dots or hyphens, such as 2 or 2027-01."
        kind = ErrorKind.CONFLICT if taken else ErrorKind.INVALID
        super().__init__(kind, message, remedy=remedy, where="version")


class NoForm(GridgateError):
    """No version of the questionnaire is published."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.CONFLICT, "no questionnaire is published", remedy="Run gridgate kyc publish."
        )


class QuestionnaireIncomplete(GridgateError):
    """The questionnaire cannot be sent: `faults` says what is missing or wrong."""

    def __init__(self, faults: list[AnswerFault]) -> None:
        self.faults = faults
        super().__init__(ErrorKind.INVALID, f"{len(faults)} answers are missing or wrong")


def publish_form(*, document: bytes, version: str, actor: Membership | None = None, now: datetime) -> KycForm:
    """Publish a version: new questionnaires are of this one, those begun stay on theirs.

    Raises `InvalidForm` and `InvalidVersion`.
    """
    require_operator_administrator(actor)
    form, given = read_form(document)
    with transaction.atomic():
        version = usable_version(version)
        made = KycForm.objects.create(
            version=version, sections=given["sections"], months_valid=form.months_valid, published_at=now
        )
        own = operator()
        record(
            "kyc.form_published",
            subject=Subject("kyc_form", str(made.pk), version),
            organisation=own.pk if own else None,
            actor=actor,
            after={"sections": len(form.sections), "months_valid": form.months_valid},
            now=now,
        )
    return made


def usable_version(version: str) -> str:
    """The name, when it may be that of a new version. Raises `InvalidVersion`."""
    version = version.strip()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}", version):
        raise InvalidVersion(version, taken=False)
    if KycForm.objects.filter(version__iexact=version).exists():
        raise InvalidVersion(version, taken=True)
    return version


def publish_built_in_form(*, now: datetime) -> KycForm | None:
    """Publish the built-in version where none is; None where there is one."""
    if KycForm.objects.exists():
        return None
    return publish_form(document=BUILT_IN.read_bytes(), version=BUILT_IN_VERSION, now=now)


def form_of(questionnaire: KycQuestionnaire) -> Form:
    """What the questionnaire's version asks."""
    return Form.of(questionnaire.form.sections, months_valid=questionnaire.form.months_valid)


def start_questionnaire(*, user: User, actor: Membership | None, now: datetime) -> KycQuestionnaire:
    """Begin a questionnaire of the present version, or return the one that is under way.

    It begins with what is known of the company and with what was answered before, documents included. Raises
    `NotAllowed`, and `NoForm`.
    """
    _require_may_ask(actor)
    with transaction.atomic():
        # Two who begin at the same moment queue at the company's row, or at the person's own.
        if actor is not None:
            Organisation.objects.select_for_update().get(pk=actor.organisation_id)
        else:
            User.objects.select_for_update().get(pk=user.pk)
        own = KYC.of(user=user, actor=actor)
        running = own.filter(state__in=(RequestState.DRAFT, *OPEN_STATES)).order_by("-pk").first()
        if running is not None:
            return running
        version = KycForm.objects.order_by("-published_at", "-pk").first()
        if version is None:
            raise NoForm
        earlier = own.filter(state__in=DECIDED).order_by("-decided_at", "-pk").first()
        form = Form.of(version.sections)
        answers = _prefilled(form, actor.organisation if actor else None)
        if earlier is not None:
            answers |= carried_over(form, earlier.answers, today=_today(now))
        made = KYC.numbered(
            lambda number: KycQuestionnaire.objects.create(
                number=number,
                requester=user,
                organisation=actor.organisation if actor else None,
                created_at=now,
                form=version,
                answers=answers,
                renews=earlier if earlier is not None and earlier.state == RequestState.ACCEPTED else None,
            ),
            now=now,
        )
        if earlier is not None:
            KycAttachment.objects.bulk_create(_documents_of(earlier, form, made, now))
    return made


def save_section(
    *,
    questionnaire: KycQuestionnaire,
    section: int,
    typed: Mapping[str, Any],
    seen: str | None = None,
    user: User,
    actor: Membership | None,
    now: datetime,
) -> KycQuestionnaire:
    """Keep what was typed in a section (counted from 0), right or not; the other sections stay as they are.

    `seen`: the `section_as_read` that is changed, None to ask nothing. Raises `RequestNotFound`, `RequestNotOpen` once it
    is sent, and `ChangedMeanwhile` when somebody else answered something that would be undone.
    """
    with transaction.atomic():
        row = _editable(questionnaire, user, actor)
        before = _answered(row, section)
        answers = answers_with(row, section=section, typed=typed, now=now)
        if answers != row.answers:
            require_read(seen, before)
            row.answers = answers
            row.save(update_fields=["answers"])
    return row


def answers_with(
    questionnaire: KycQuestionnaire, *, section: int, typed: Mapping[str, Any], now: datetime
) -> Answers:
    """All the answers, those of the section as they were typed."""
    asked = form_of(questionnaire).sections[section]
    names = {one.name for one in asked.fields}
    others = {name: value for name, value in questionnaire.answers.items() if name not in names}
    return others | entered(asked, typed, today=_today(now))


def section_as_read(questionnaire: KycQuestionnaire, section: int) -> str:
    """Differs when what is answered in the section does."""
    return fingerprint(_answered(questionnaire, section))


def _answered(questionnaire: KycQuestionnaire, section: int) -> dict[str, Any]:
    asked = form_of(questionnaire).sections[section]
    return {one.name: questionnaire.answers.get(one.name) for one in asked.fields}


def attach(
    *,
    questionnaire: KycQuestionnaire,
    field: str,
    name: str,
    chunks: Iterable[bytes],
    user: User,
    actor: Membership | None,
    now: datetime,
) -> KycAttachment:
    """Join a document to the answer of a file field; the same document a second time is the first one.

    Raises `AttachmentRefused`, `RequestNotFound` and `RequestNotOpen`.
    """
    with transaction.atomic():
        asked = _file_field(_editable(questionnaire, user, actor), field)
    documents = store()
    most = settings.ENVIRONMENT.attachment_megabytes * 1024 * 1024
    with documents.held():
        kept = documents.keep(chunks, most=most, types=asked.types)
        try:
            with transaction.atomic():
                row = _editable(questionnaire, user, actor)
                joined = row.attachments.filter(field=field)
                same = joined.filter(sha256=kept.sha256).first()
                if same is not None and not same.removed:
                    return same
                if joined.present().count() >= asked.most:
                    message = f"{asked.most} documents at most are joined here"
                    raise AttachmentRefused("too_many", message, most=asked.most)
                if same is not None:
                    same.removed = False
                    same.save(update_fields=["removed"])
                    return same
                return KycAttachment.objects.create(
                    questionnaire=row,
                    field=field,
                    name=clean_name(name, kept.type),
                    content_type=kept.type.content_type,
                    size=kept.size,
                    sha256=kept.sha256,
                    added_at=now,
                )
        except GridgateError:
            _discard_unnamed([kept.sha256])
            raise


def detach(*, questionnaire: KycQuestionnaire, attachment: int, user: User, actor: Membership | None) -> None:
    """Take a document away again, and its content when nothing else names it; one that the operator received stays
    theirs until the answers are sent again. Removing it twice is no fault.
    """
    with store().held():
        with transaction.atomic():
            row = _editable(questionnaire, user, actor)
            chosen = row.attachments.filter(pk=attachment)
            named = list(chosen)
            chosen.sent().update(removed=True)
            chosen.filter(sent_at=None).delete()
        _discard_unnamed(one.sha256 for one in named)


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
            row = _editable(questionnaire, user, actor)
            KYC.require_read(row, seen)
            faults = faults_in(row, now=now)
            if faults:
                raise QuestionnaireIncomplete(faults)
            gone = list(row.attachments.filter(removed=True).values_list("sha256", flat=True))
            sent = submit(KYC, row, user=user, actor=actor, now=now)
        _discard_unnamed(gone)
    return sent


def faults_in(questionnaire: KycQuestionnaire, *, now: datetime) -> list[AnswerFault]:
    """What keeps it from being sent."""
    files: dict[str, int] = {}
    for name in questionnaire.attachments.present().values_list("field", flat=True):
        files[name] = files.get(name, 0) + 1
    return faults_of(form_of(questionnaire), questionnaire.answers, files, today=_today(now))


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
                gone = _forget(row)
        _discard_unnamed(gone)
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
    day = _today(now)
    month = day.year * 12 + day.month - 1 + months
    first_of_next = date((month + 1) // 12, (month + 1) % 12 + 1, 1)
    last = (first_of_next - timedelta(days=1)).day
    same = date(month // 12, month % 12 + 1, min(day.day, last))
    end = civil_day_bounds(same, get_default_timezone()).end
    assert end is not None
    return end - timedelta(seconds=1)


def last_day_of(questionnaire: KycQuestionnaire) -> date:
    """The last civil day on which an accepted questionnaire is valid."""
    assert questionnaire.valid_until is not None
    return _today(questionnaire.valid_until)


def tell_of_ends(*, now: datetime) -> int:
    """Remind of the questionnaires that end in 60, 30 and 7 days, and tell of those that have ended; each once.

    One that was replaced by a newer one ends in silence, and none is reminded of while its renewal is with the
    operator. Returns how many were told of.
    """
    told = 0
    for pk in [row.pk for row in _untold(now) if _step_due(row, now) is not None]:
        with transaction.atomic():
            row = _untold(now).select_for_update(of=("self",)).filter(pk=pk).first()
            step = None if row is None else _step_due(row, now)
            if row is not None and step is not None:
                told += _tell(row, step, now)
    return told


def forget_unnamed_documents(*, now: datetime) -> int:
    """Remove documents that no row names: what a killed process left behind. Returns how many."""
    with store().held():
        return _discard_unnamed(store().older_than(now))


def _untold(now: datetime) -> QuerySet[KycQuestionnaire]:
    soon = now + timedelta(days=max(REMINDERS) + 1)
    untold = Q(reminded_at=None) | Q(reminded_at__lt=F("valid_until"))
    return (
        KycQuestionnaire.objects.filter(untold, state=RequestState.ACCEPTED, valid_until__lte=soon)
        .select_related("organisation", "requester", "form")
        .order_by("valid_until", "pk")
    )


def _step_due(row: KycQuestionnaire, now: datetime) -> int | None:
    """The reminder that is due, by its days; 0 for the end itself; None when its turn is not, or was told already."""
    assert row.valid_until is not None
    if row.valid_until <= now:
        return 0
    last = last_day_of(row)
    due = [step for step in REMINDERS if (last - _today(now)).days <= step]
    since = row.reminded_at or row.decided_at
    begun = since is not None and (last - _today(since)).days <= due[-1] if due else True
    return None if begun else due[-1]


def _tell(row: KycQuestionnaire, step: int, now: datetime) -> bool:
    same = KycQuestionnaire.objects.filter(organisation=row.organisation_id)
    if row.organisation_id is None:
        same = same.filter(requester=row.requester_id)
    replaced = same.filter(state=RequestState.ACCEPTED, decided_at__gt=row.decided_at).exists()
    if step and not replaced and same.filter(state__in=TO_TREAT).exists():
        return False
    row.reminded_at = now
    row.save(update_fields=["reminded_at"])
    if replaced:
        return False
    last = last_day_of(row)
    if step:
        kyc_ends_soon.send(KycQuestionnaire, questionnaire=row, last_day=last, step=step, now=now)
        return True
    record(
        "kyc.expired",
        subject=Subject("kyc", str(row.pk), row.number),
        organisation=row.organisation_id,
        after={"last_day": last.isoformat()},
        now=now,
    )
    kyc_ended.send(KycQuestionnaire, questionnaire=row, last_day=last, now=now)
    return True


def _editable(questionnaire: KycQuestionnaire, user: User, actor: Membership | None) -> KycQuestionnaire:
    """The row, locked, when it is the actor's and may still be filled in."""
    own = KYC.of(user=user, actor=actor).select_related("organisation", "requester", "form")
    row = own.select_for_update(of=("self",)).filter(pk=questionnaire.pk).first()
    if row is None:
        raise RequestNotFound(questionnaire.number)
    if row.state not in EDITABLE:
        raise RequestNotOpen(row, "changed")
    return row


def _require_may_ask(actor: Membership | None) -> None:
    if actor is None:
        return
    if actor.organisation.is_operator or not actor.has(EntitlementCode.REQUESTS):
        raise NotAllowed("this is for members who may make requests for their company")


def _file_field(questionnaire: KycQuestionnaire, name: str) -> FileField:
    asked = form_of(questionnaire).by_name.get(name)
    if not isinstance(asked, FileField):
        raise AttachmentRefused("no_field", f"the form asks for no document {name!r}")
    return asked


def _prefilled(form: Form, company: Organisation | None) -> Answers:
    if company is None:
        return {}
    known = {"legal_name": company.legal_name, "siren": company.siren}
    answers: Answers = {}
    for one in form.fields():
        wanted = getattr(one, "prefill", None)
        if wanted is not None:
            value = known[wanted]
            answers[one.name] = value[: one.longest] if isinstance(one, TextField) else value
    return answers


def _documents_of(
    earlier: KycQuestionnaire, form: Form, made: KycQuestionnaire, now: datetime
) -> Iterator[KycAttachment]:
    """The earlier documents, by reference, whose field is still there and still takes them."""
    joined = list(earlier.attachments.order_by("pk"))
    for one in form.files():
        taken = {TYPES[name].content_type for name in one.types}
        fitting = [each for each in joined if each.field == one.name and each.content_type in taken]
        for document in fitting[: one.most]:
            yield KycAttachment(
                questionnaire=made,
                field=one.name,
                name=document.name,
                content_type=document.content_type,
                size=document.size,
                sha256=document.sha256,
                added_at=now,
            )


def _forget(row: KycQuestionnaire) -> list[str]:
    """Empty a questionnaire that nobody received; returns the documents it named."""
    gone = list(row.attachments.values_list("sha256", flat=True))
    row.attachments.all().delete()
    row.answers = {}
    row.save(update_fields=["answers"])
    return gone


def _discard_unnamed(documents: Iterable[str]) -> int:
    """Remove those that no row names; within `held`, after the transaction."""
    wanted = set(documents)
    named = set(KycAttachment.objects.filter(sha256__in=wanted).values_list("sha256", flat=True))
    for sha256 in wanted - named:
        store().discard(sha256)
    return len(wanted - named)


def _today(instant: datetime) -> date:
    return civil_day_of(instant, get_default_timezone())


@receiver(account_deleted)
def _forget_drafts_of(user: User, now: datetime, **_: Any) -> None:
    """A deleted account leaves no draft of its own behind; `forget_unnamed_documents` takes the documents."""
    own = KycQuestionnaire.objects.filter(requester=user, organisation=None, submitted_at=None)
    for row in own.filter(state=RequestState.DRAFT):
        _forget(row)
        row.state = RequestState.WITHDRAWN
        row.save(update_fields=["state"])
