"""Filling in the questionnaire: beginning it, answering its sections, joining documents."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.kyc.answers import Answers, carried_over, entered
from gridgate.kyc.form import FileField, Form, TextField
from gridgate.kyc.kind import DECIDED, EDITABLE, KYC
from gridgate.kyc.models import KycAttachment, KycForm, KycQuestionnaire
from gridgate.kyc.operations.forgetting import discard_unnamed
from gridgate.kyc.operations.forms import form_of
from gridgate.kyc.operations.time import today
from gridgate.organisations.as_read import fingerprint, require_read
from gridgate.organisations.authority import NotAllowed
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership, Organisation, User
from gridgate.requests.attachments import TYPES, AttachmentRefused, clean_name, store
from gridgate.requests.kinds import RequestNotFound
from gridgate.requests.models import OPEN_STATES, RequestState
from gridgate.requests.operations.life import RequestNotOpen


class NoForm(GridgateError):
    """No version of the questionnaire is published."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.CONFLICT, "no questionnaire is published", remedy="Run gridgate kyc publish."
        )


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
            answers |= carried_over(form, earlier.answers, today=today(now))
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
        row = editable(questionnaire, user, actor)
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
    return others | entered(asked, typed, today=today(now))


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
        asked = _file_field(editable(questionnaire, user, actor), field)
    documents = store()
    most = settings.ENVIRONMENT.attachment_megabytes * 1024 * 1024
    with documents.held():
        kept = documents.keep(chunks, most=most, types=asked.types)
        try:
            with transaction.atomic():
                row = editable(questionnaire, user, actor)
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
            discard_unnamed([kept.sha256])
            raise


def detach(*, questionnaire: KycQuestionnaire, attachment: int, user: User, actor: Membership | None) -> None:
    """Take a document away again, and its content when nothing else names it; one that the operator received stays
    theirs until the answers are sent again. Removing it twice is no fault.
    """
    with store().held():
        with transaction.atomic():
            row = editable(questionnaire, user, actor)
            chosen = row.attachments.filter(pk=attachment)
            named = list(chosen)
            chosen.sent().update(removed=True)
            chosen.filter(sent_at=None).delete()
        discard_unnamed(one.sha256 for one in named)


def editable(questionnaire: KycQuestionnaire, user: User, actor: Membership | None) -> KycQuestionnaire:
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
