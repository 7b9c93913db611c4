"""Answers as people read them: by section, with their documents, and beside what was answered before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.kyc.answers import is_empty
from gridgate.kyc.form import (
    AnyField,
    CheckedField,
    ChoicesField,
    DateField,
    FileField,
    GroupField,
    NumberField,
    PercentageField,
    Section,
    SirenField,
    YesNoField,
)
from gridgate.kyc.models import KycAttachment, KycAttachmentQuerySet, KycQuestionnaire
from gridgate.kyc.operations.forms import form_of
from gridgate.portal.kit import formats
from gridgate.portal.screens.kyc.form_texts import in_language as words
from gridgate.portal.screens.kyc.form_texts import option


@dataclass(frozen=True, slots=True)
class Document:
    """One attachment."""

    pk: int
    name: str
    size: str
    url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One field and what was answered; one of `text`, `rows`, `documents` says it."""

    label: str
    text: str = ""
    rows: Sequence[Sequence[tuple[str, str]]] = ()
    documents: Sequence[Document] = ()
    is_code: bool = False
    changed: bool = False
    """Differs from the questionnaire that was accepted before."""
    before: "Answer | None" = None

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.rows or self.documents)


@dataclass(frozen=True, slots=True)
class ShownSection:
    number: int
    title: str
    answers: list[Answer] = field(default_factory=list)

    @property
    def changes(self) -> int:
        return sum(answer.changed for answer in self.answers)

    @property
    def changes_text(self) -> str:
        return ngettext("%(count)s réponse a changé", "%(count)s réponses ont changé", self.changes) % {
            "count": self.changes
        }


def sections_of(
    questionnaire: KycQuestionnaire,
    *,
    documents: KycAttachmentQuerySet,
    previous: KycQuestionnaire | None = None,
) -> list[ShownSection]:
    """The whole questionnaire, less the questions that earlier answers made pointless; with `previous`, what differs
    is marked. `documents` are those that the reader sees.
    """
    now = _Given(questionnaire, documents)
    before = _Given(previous, previous.attachments.sent()) if previous is not None else None
    shown = []
    for number, section in enumerate(now.form.sections, start=1):
        answers = [(one, _answer(one, now, before)) for one in section.fields]
        told = [answer for one, answer in answers if not answer.is_empty or answer.changed or now.asks(one)]
        shown.append(ShownSection(number, words(section.title), told))
    return shown


def saved_otherwise(
    questionnaire: KycQuestionnaire, section: Section, typed: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """By the name of each field of the section that was typed otherwise: what is saved, a line for each row."""
    differing = []
    for question in section.fields:
        given = questionnaire.answers.get(question.name)
        if isinstance(question, FileField) or given == typed.get(question.name):
            continue
        if isinstance(question, GroupField):
            rows = (", ".join(formats.said(*pair) for pair in _row(question, row)) for row in given or ())
            text = "\n".join(rows)
        else:
            text = said(question, given)
        differing.append((words(question.label), text or formats.NONE))
    return differing


def document(attachment: KycAttachment) -> Document:
    """A document, with the way to it."""
    number = attachment.questionnaire.number
    return Document(
        attachment.pk,
        attachment.name,
        formats.weight(attachment.size),
        reverse("kyc_attachment", args=[number, attachment.pk]),
    )


def said(question: AnyField, value: Any) -> str:
    """An answer that is no group and no file; what will not do is said as it was typed."""
    if is_empty(value):
        return ""
    try:
        return _said(question, value)
    except (ArithmeticError, ValueError, TypeError):
        return str(value)


def _said(question: AnyField, value: Any) -> str:
    match question:
        case YesNoField() if isinstance(value, bool):
            return _("Oui") if value else _("Non")
        case ChoicesField():
            return ", ".join(option(question, str(each)) for each in value)
        case DateField():
            return formats.long_day(date.fromisoformat(value))
        case PercentageField():
            return formats.percent(Decimal(value) / 100, _decimals(Decimal(value)))
        case NumberField():
            return formats.with_unit(Decimal(value), question.unit, _decimals(Decimal(value))).strip()
        case CheckedField() if question.kind == "iban":
            return " ".join(value[at : at + 4] for at in range(0, len(value), 4))
        case SirenField():
            return formats.NARROW.join(formats.groups(value))
    return option(question, str(value))


def _decimals(value: Decimal) -> int:
    return max(0, -int(value.normalize().as_tuple().exponent))


class _Given:
    """A questionnaire taken apart."""

    def __init__(self, questionnaire: KycQuestionnaire, documents: KycAttachmentQuerySet) -> None:
        self.form = form_of(questionnaire)
        self.answers: Mapping[str, Any] = questionnaire.answers
        self._documents: dict[str, list[KycAttachment]] = {}
        for one in documents.order_by("pk"):
            self._documents.setdefault(one.field, []).append(one)

    def documents(self, question: AnyField) -> list[KycAttachment]:
        return self._documents.get(question.name, []) if isinstance(question, FileField) else []

    def asks(self, question: AnyField) -> bool:
        return question.required_if is None or question.is_required(self.answers)

    def answer(self, question: AnyField) -> Any:
        given = self.answers.get(question.name)
        return None if is_empty(given) else given

    def same(self, question: AnyField, other: "_Given") -> bool:
        if isinstance(question, FileField):
            own, others = self.documents(question), other.documents(question)
            return {each.sha256 for each in own} == {each.sha256 for each in others}
        return bool(self.answer(question) == other.answer(question))

    def shown(self, question: AnyField) -> Answer:
        label = words(question.label)
        if isinstance(question, FileField):
            return Answer(label, documents=[document(each) for each in self.documents(question)])
        given = self.answer(question)
        if isinstance(question, GroupField):
            return Answer(label, rows=[list(_row(question, row)) for row in given or ()])
        return Answer(label, said(question, given), is_code=isinstance(question, CheckedField))


def _row(group: GroupField, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for question in group.fields:
        text = said(question, row.get(question.name))
        if text:
            yield words(question.label), text


def _answer(question: AnyField, now: _Given, before: _Given | None) -> Answer:
    shown = now.shown(question)
    if before is None or now.same(question, before):
        return shown
    asked_before = before.form.by_name.get(question.name)
    was = (
        before.shown(asked_before)
        if asked_before is not None and asked_before.kind == question.kind
        else None
    )
    return replace(shown, changed=True, before=was)
