"""Questionnaires: the built-in version, filled in, at any step of its life."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gridgate.kyc.models import KycAttachment, KycForm, KycQuestionnaire
from gridgate.kyc.operations.filling import attach, save_section, start_questionnaire
from gridgate.kyc.operations.forms import form_of, publish_built_in_form
from gridgate.kyc.operations.sending import accept_questionnaire, submit_questionnaire
from gridgate.kyc.operations.time import last_day_of
from gridgate.organisations.models import Membership, User
from gridgate.requests.models import RequestEvent, RequestState
from tests.factories.documents import pdf

ANSWERS: dict[str, Any] = {
    "legal_name": "ACME Industries",
    "legal_form": "SAS",
    "country": "FR",
    "siren": "111222337",
    "incorporated_on": "1994-05-02",
    "registered_office": "12 rue des Ateliers\n69007 Lyon",
    "in_group": False,
    "listed": False,
    "has_owners": True,
    "owners": [
        {"name": "Alice", "birth_date": "1970-02-03", "share": "60", "country": "FR"},
        {"name": "Bob", "birth_date": "1968-07-21", "share": "40", "country": "BE"},
    ],
    "representatives": [
        {"name": "Alice", "function": "Présidente", "birth_date": "1970-02-03", "country": "FR"}
    ],
    "activities": ["brp", "capacity"],
    "activity": "Pièces mécaniques.",
    "regulated": False,
    "remit": False,
    "account_holder": "ACME Industries",
    "iban": "FR7630006000011234567890189",
    "bic": "BNPAFRPP",
    "sanctions": False,
    "convictions": False,
    "pep": False,
}
FILES = {"registration_extract": 1, "articles": 1, "identity_papers": 1, "bank_details": 1}


def ensure_form(now: datetime) -> KycForm:
    """The built-in version, published."""
    publish_built_in_form(now=now)
    return KycForm.objects.get(version="1")


def make_draft(
    actor: Membership | None,
    *,
    user: User | None = None,
    answers: Mapping[str, Any] = ANSWERS,
    files: bool = True,
    now: datetime,
) -> KycQuestionnaire:
    """A questionnaire begun, with these answers and one document in each field that asks one."""
    who = user or (actor.user if actor else None)
    assert who is not None
    ensure_form(now)
    made = start_questionnaire(user=who, actor=actor, now=now)
    for index in range(len(form_of(made).sections)):
        save_section(questionnaire=made, section=index, typed=answers, user=who, actor=actor, now=now)
    for field in FILES if files else ():
        attach(
            questionnaire=made,
            field=field,
            name=f"{field}.pdf",
            chunks=[pdf(field)],
            user=who,
            actor=actor,
            now=now,
        )
    made.refresh_from_db()
    return made


def make_submitted(
    actor: Membership | None, *, user: User | None = None, answers: Mapping[str, Any] = ANSWERS, now: datetime
) -> KycQuestionnaire:
    draft = make_draft(actor, user=user, answers=answers, now=now)
    who = user or (actor.user if actor else None)
    assert who is not None
    return submit_questionnaire(questionnaire=draft, user=who, actor=actor, now=now)


def make_accepted(
    actor: Membership | None,
    operator: Membership,
    *,
    user: User | None = None,
    answers: Mapping[str, Any] = ANSWERS,
    days_left: int | None = None,
    now: datetime,
) -> KycQuestionnaire:
    """Accepted now, or so long ago that its last day is in `days_left` days."""
    sent = make_submitted(actor, user=user, answers=answers, now=now)
    done = accept_questionnaire(questionnaire=sent, actor=operator, now=now)
    if days_left is not None:
        shift = (last_day_of(done) - now.date()) - timedelta(days=days_left)
        KycQuestionnaire.objects.filter(pk=done.pk).update(
            created_at=now - shift,
            submitted_at=now - shift,
            decided_at=now - shift,
            valid_until=done.valid_until - shift,  # type: ignore[operator]
        )
        done.refresh_from_db()
    return done


def make_begun(actor: Membership, *, now: datetime) -> KycAttachment:
    """A document of a questionnaire that has just begun."""
    ensure_form(now)
    begun = start_questionnaire(user=actor.user, actor=actor, now=now)
    return attach(
        questionnaire=begun,
        field="articles",
        name="statuts.pdf",
        chunks=[pdf()],
        user=actor.user,
        actor=actor,
        now=now,
    )


def make_more(document: KycAttachment, count: int, *, now: datetime) -> None:
    """So many more of what pages about questionnaires list: versions, former questionnaires, documents."""
    item = document.questionnaire
    known = KycQuestionnaire.objects.count()
    for number in range(known, known + count):
        form = KycForm.objects.create(version=f"v{number}", sections=item.form.sections, published_at=now)
        KycQuestionnaire.objects.create(
            number=f"KYC-2020-{number:05}",
            requester=item.requester,
            organisation=item.organisation,
            state=RequestState.WITHDRAWN,
            created_at=now - timedelta(days=900),
            form=form,
        )
        RequestEvent.objects.create(
            number=item.number, state=RequestState.RETURNED, at=now, user=item.requester
        )
        document.pk, document.field = None, "other_documents"
        document.save(force_insert=True)
