"""A section of the questionnaire as controls, made from the form's own words; and what was typed in them.

Nothing is refused here: what was typed is kept by the operation, and what is wrong is shown beside the field.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.kyc.answers import AnswerFault
from gridgate.kyc.countries import in_order
from gridgate.kyc.form import (
    AnyField,
    CheckedField,
    ChoiceField,
    ChoicesField,
    CountryField,
    DateField,
    FileField,
    Form,
    GroupField,
    LongTextField,
    NumberField,
    PercentageField,
    Section,
    SirenField,
    YesNoField,
)
from gridgate.kyc.models import KycAttachment
from gridgate.portal.kit import formats
from gridgate.portal.screens.kyc import answer_faults, document_refusals, form_texts
from gridgate.portal.screens.kyc.shown import Document, document
from gridgate.requests.attachments import TYPES

PREFIX = "q-"
"""Begins every name, so that no field of a form is taken for one of the page's own."""
FEW = 6
"""Choices that are shown all at once; more are a list to open."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a group."""

    title: str
    place: str
    """`owners-1`, for the button that removes it."""
    anchor: str
    fields: list[forms.BoundField]


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at one place of the section: a field, a group of rows, or documents."""

    field: forms.BoundField | None = None
    name: str = ""
    label: str = ""
    help: str = ""
    anchor: str = ""
    errors: Sequence[str] = ()
    rows: Sequence[Row] = ()
    add: str = ""
    """What the button that adds a row says; empty when there is no room."""
    documents: Sequence[Document] | None = None


class SectionForm(forms.Form):
    """The controls of a section, with what was answered in them and what is wrong beside them."""

    use_required_attribute = False

    def __init__(
        self,
        form: Form,
        section: Section,
        *,
        answers: Mapping[str, Any],
        attachments: Iterable[KycAttachment] = (),
        faults: Iterable[AnswerFault] = (),
        refusals: Mapping[str, list[str]] | None = None,
        longer: str = "",
    ) -> None:
        """`refusals`: why documents were not joined, by field; `longer`: the group that shows one more row."""
        super().__init__()
        self.form, self.section = form, section
        self._said: dict[str, list[str]] = {}
        for found in faults:
            self._said.setdefault(_name(found), []).append(answer_faults.fault(found))
        for name, texts in (refusals or {}).items():
            self._said.setdefault(f"{PREFIX}{name}", []).extend(texts)
        self._documents: dict[str, list[KycAttachment]] = {}
        for one in attachments:
            self._documents.setdefault(one.field, []).append(one)
        self.entries = [self._entry(one, answers, longer) for one in section.fields]
        self._errors = ErrorDict()
        for name, texts in self._said.items():
            if name in self.fields:
                self._errors[name] = self.error_class(
                    texts, renderer=self.renderer, field_id=self[name].auto_id
                )

    def problems(self) -> Iterator[tuple[str, str, str]]:
        """What is wrong, for the list above the form: where it is, what the field is called, why."""
        for entry in self.entries:
            if entry.field is None and entry.errors:
                yield entry.anchor, entry.label, entry.errors[0]
            bound = [entry.field] if entry.field is not None else []
            bound += [one for row in entry.rows for one in row.fields]
            for one in bound:
                if one.errors:
                    yield one.id_for_label or f"{one.auto_id}_0", str(one.label), str(one.errors[0])

    def _entry(self, field: AnyField, answers: Mapping[str, Any], longer: str) -> Entry:
        hint = self._hint(field, self.form.by_name)
        if isinstance(field, GroupField):
            return self._group(field, answers.get(field.name), hint, longer == field.name)
        name = f"{PREFIX}{field.name}"
        if isinstance(field, FileField):
            return self._file(field, name, hint)
        return Entry(field=self._add(field, name, answers.get(field.name), hint))

    def _group(self, group: GroupField, given: Any, hint: str, longer: bool) -> Entry:
        rows = list(given) if isinstance(given, list) else []
        if longer or not rows:
            rows.append({})
        rows = rows[: group.most]
        others = {one.name: one for one in group.fields}
        made = []
        for index, row in enumerate(rows):
            place = f"{group.name}-{index}"
            bound = [
                self._add(
                    field, f"{PREFIX}{place}-{field.name}", row.get(field.name), self._hint(field, others)
                )
                for field in group.fields
            ]
            made.append(
                Row(f"{form_texts.in_language(group.row)} {index + 1}", place, f"rang-{place}", bound)
            )
        room = len(rows) < group.most
        return Entry(
            name=group.name,
            label=form_texts.in_language(group.label),
            help=hint,
            anchor=f"groupe-{group.name}",
            errors=self._said.get(f"{PREFIX}{group.name}", ()),
            rows=made,
            add=_("Ajouter : %(row)s") % {"row": form_texts.in_language(group.row).lower()} if room else "",
        )

    def _file(self, field: FileField, name: str, hint: str) -> Entry:
        joined = [document(each) for each in self._documents.get(field.name, [])]
        bound = None
        if len(joined) < field.most:
            self.fields[name] = forms.FileField(
                label=form_texts.in_language(field.label),
                required=_marked(field),
                help_text=hint,
                widget=_upload(field),
            )
            bound = self[name]
        return Entry(
            field=bound,
            name=field.name,
            label=form_texts.in_language(field.label),
            anchor=f"id_{name}",
            documents=joined,
            errors=self._said.get(name, ()),
        )

    def _add(self, field: AnyField, name: str, given: Any, hint: str) -> forms.BoundField:
        self.fields[name] = forms.Field(
            label=form_texts.in_language(field.label),
            required=_marked(field),
            initial=_initial(field, given),
            help_text=hint,
            widget=_widget(field, given),
        )
        return self[name]

    def _hint(self, field: AnyField, others: Mapping[str, AnyField]) -> str:
        """What helps to answer; the operator's words are escaped."""
        lines = [form_texts.in_language(field.help)] if field.help else []
        if field.required_if is not None:
            lines.append(f"{form_texts.condition(field.required_if, others)}.")
        match field:
            case NumberField() | PercentageField() if field.unit:
                lines.append(_("En %(unit)s.") % {"unit": field.unit})
            case FileField():
                size = formats.number(settings.ENVIRONMENT.attachment_megabytes)
                lines.append(
                    _("%(types)s, %(size)s Mo au plus.")
                    % {"types": document_refusals.types(field.types), "size": size}
                )
                if field.most > 1:
                    lines.append(
                        ngettext("%(count)s fichier au plus.", "%(count)s fichiers au plus.", field.most)
                        % {"count": field.most}
                    )
        return str(format_html_join(" ", "{}", ((line,) for line in lines)))


def typed_in(section: Section, posted: QueryDict) -> dict[str, Any]:
    """What was typed, by field; rows of groups in their order."""
    typed: dict[str, Any] = {}
    for field in section.fields:
        if isinstance(field, GroupField):
            typed[field.name] = [
                {
                    inner.name: _typed(inner, f"{field.name}-{index}-{inner.name}", posted)
                    for inner in field.fields
                }
                for index in _rows_in(field, posted)
            ]
        elif not isinstance(field, FileField):
            typed[field.name] = _typed(field, field.name, posted)
    return typed


def _rows_in(group: GroupField, posted: QueryDict) -> list[int]:
    pattern = re.compile(rf"{PREFIX}{group.name}-([0-9]{{1,2}})-")
    return sorted({int(found[1]) for name in posted if (found := pattern.match(name))})


def _typed(field: AnyField, name: str, posted: QueryDict) -> Any:
    if isinstance(field, ChoicesField):
        return posted.getlist(f"{PREFIX}{name}")
    return posted.get(f"{PREFIX}{name}", "")


def _name(fault: AnswerFault) -> str:
    if fault.row is None:
        return f"{PREFIX}{fault.name}"
    return f"{PREFIX}{fault.name}-{fault.row}-{fault.inner}"


def _marked(one: AnyField) -> bool:
    """False for what says that it may be left out; what is asked at times says when, instead."""
    return one.required or one.required_if is not None


def _initial(field: AnyField, given: Any) -> Any:
    if isinstance(field, YesNoField) and isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(field, (NumberField, PercentageField)) and formats.current_language() == "fr":
        canonical = isinstance(given, str) and re.fullmatch(r"-?[0-9]+\.[0-9]+", given)
        return given.replace(".", ",") if canonical else given
    return given


def _widget(field: AnyField, given: Any) -> forms.Widget:
    match field:
        case LongTextField():
            return forms.Textarea(attrs={"rows": 4})
        case NumberField() | PercentageField():
            return forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        case DateField():
            return _date_input(given)
        case YesNoField():
            return forms.RadioSelect(choices=[("yes", _("Oui")), ("no", _("Non"))])
        case ChoiceField() if len(field.choices) <= FEW:
            return forms.RadioSelect(choices=_choices(field))
        case ChoiceField():
            return forms.Select(choices=[("", "–"), *_choices(field)])
        case ChoicesField():
            return forms.CheckboxSelectMultiple(choices=_choices(field))
        case CountryField():
            return forms.Select(choices=[("", "–"), *in_order(formats.current_language())])
        case SirenField():
            return forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
        case CheckedField():
            return forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.TextInput()


def _date_input(given: Any) -> forms.Widget:
    """A browser's date control shows nothing of what is no date: that stays as it was typed."""
    try:
        date.fromisoformat(given or "2000-01-01")
    except ValueError:
        return forms.TextInput(attrs={"autocomplete": "off"})
    return forms.DateInput(attrs={"type": "date"})


def _choices(one: ChoiceField | ChoicesField) -> list[tuple[str, str]]:
    return [(choice.value, form_texts.in_language(choice.label)) for choice in one.choices]


class _Files(forms.FileInput):
    allow_multiple_selected = True


def _upload(field: FileField) -> forms.FileInput:
    accepted = ",".join(extension for name in field.types for extension in TYPES[name].extensions)
    attrs: dict[str, Any] = {"accept": accepted}
    if field.most > 1:
        return _Files(attrs=attrs | {"multiple": True})
    return forms.FileInput(attrs=attrs)
