"""Answers as people read them: by section, with their documents, and beside what was answered before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.organisations.kyc_answers import is_empty
from gridgate.organisations.kyc_form import (
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
from gridgate.organisations.models import KycAttachment, KycQuestionnaire
from gridgate.organisations.models.kyc import KycAttachmentQuerySet
from gridgate.organisations.operations.kyc import form_of
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
    found = []
    for one in section.fields:
        given = questionnaire.answers.get(one.name)
        if isinstance(one, FileField) or given == typed.get(one.name):
            continue
        if isinstance(one, GroupField):
            rows = (", ".join(formats.said(*pair) for pair in _row(one, row)) for row in given or ())
            text = "\n".join(rows)
        else:
            text = said(one, given)
        found.append((words(one.label), text or formats.NONE))
    return found


def document(attachment: KycAttachment) -> Document:
    """A document, with the way to it."""
    number = attachment.questionnaire.number
    return Document(
        attachment.pk,
        attachment.name,
        formats.weight(attachment.size),
        reverse("kyc_attachment", args=[number, attachment.pk]),
    )


def said(one: AnyField, value: Any) -> str:
    """An answer that is no group and no file; what will not do is said as it was typed."""
    if is_empty(value):
        return ""
    try:
        return _said(one, value)
    except (ArithmeticError, ValueError, TypeError):
        return str(value)


def _said(one: AnyField, value: Any) -> str:
    match one:
        case YesNoField() if isinstance(value, bool):
            return _("Oui") if value else _("Non")
        case ChoicesField():
            return ", ".join(option(one, str(each)) for each in value)
        case DateField():
            return formats.long_day(date.fromisoformat(value))
        case PercentageField():
            return formats.percent(Decimal(value) / 100, _decimals(Decimal(value)))
        case NumberField():
            return formats.with_unit(Decimal(value), one.unit, _decimals(Decimal(value))).strip()
        case CheckedField() if one.kind == "iban":
            return " ".join(value[at : at + 4] for at in range(0, len(value), 4))
        case SirenField():
            return formats.NARROW.join(formats.groups(value))
    return option(one, str(value))


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

    def documents(self, one: AnyField) -> list[KycAttachment]:
        return self._documents.get(one.name, []) if isinstance(one, FileField) else []

    def asks(self, one: AnyField) -> bool:
        return one.required_if is None or one.is_required(self.answers)

    def answer(self, one: AnyField) -> Any:
        given = self.answers.get(one.name)
        return None if is_empty(given) else given

    def same(self, one: AnyField, other: "_Given") -> bool:
        if isinstance(one, FileField):
            own, others = self.documents(one), other.documents(one)
            return {each.sha256 for each in own} == {each.sha256 for each in others}
        return bool(self.answer(one) == other.answer(one))

    def shown(self, one: AnyField) -> Answer:
        label = words(one.label)
        if isinstance(one, FileField):
            return Answer(label, documents=[document(each) for each in self.documents(one)])
        given = self.answer(one)
        if isinstance(one, GroupField):
            return Answer(label, rows=[list(_row(one, row)) for row in given or ()])
        return Answer(label, said(one, given), is_code=isinstance(one, CheckedField))


def _row(group: GroupField, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in group.fields:
        text = said(one, row.get(one.name))
        if text:
            yield words(one.label), text


def _answer(one: AnyField, now: _Given, before: _Given | None) -> Answer:
    shown = now.shown(one)
    if before is None or now.same(one, before):
        return shown
    asked = before.form.by_name.get(one.name)
    was = before.shown(asked) if asked is not None and asked.kind == one.kind else None
    return replace(shown, changed=True, before=was)
