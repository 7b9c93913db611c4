"""What the form of the questionnaire asks, in the language of the page."""

from collections.abc import Mapping

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from gridgate.kyc.countries import name_of
from gridgate.kyc.form import (
    AnyField,
    ChoiceField,
    ChoicesField,
    Condition,
    CountryField,
    Words,
)
from gridgate.portal.kit import formats


def in_language(text: Words | None) -> str:
    """A text of the form in the language of the page."""
    return "" if text is None else text.said(formats.current_language(get_language()))


def condition(rule: Condition, others: Mapping[str, AnyField]) -> str:
    """When a field must be answered: `À remplir si « Pays » est France.`"""
    other = others[rule.field]
    value = rule.differs if rule.equals is None else rule.equals
    if value is True or value is False:
        value = value is (rule.equals is not None)
        text = _("À remplir si vous répondez oui à « %(label)s »")
        if not value:
            text = _("À remplir si vous répondez non à « %(label)s »")
        return text % {"label": in_language(other.label)}
    text = _("À remplir si « %(label)s » est : %(answer)s")
    if rule.equals is None:
        text = _("À remplir si « %(label)s » n’est pas : %(answer)s")
    return text % {"label": in_language(other.label), "answer": option(other, str(value))}


def option(field: AnyField, value: str) -> str:
    """One of the answers that a field offers, as people read it."""
    match field:
        case ChoiceField() | ChoicesField():
            return next(
                (in_language(choice.label) for choice in field.choices if choice.value == value), value
            )
        case CountryField():
            return name_of(value, formats.current_language())
    return value
