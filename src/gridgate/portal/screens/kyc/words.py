"""How states, ends, conditions, faults and refusals are said on the screens of the questionnaire."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from gridgate.core.errors import GridgateError
from gridgate.organisations.attachments import AttachmentRefused
from gridgate.organisations.countries import countries
from gridgate.organisations.kyc_answers import AnswerFault
from gridgate.organisations.kyc_form import (
    AnyField,
    ChoiceField,
    ChoicesField,
    Condition,
    CountryField,
    Words,
)
from gridgate.organisations.models import KycQuestionnaire, RequestState
from gridgate.organisations.operations.kyc import REMINDERS, last_day_of
from gridgate.organisations.operations.requests import RequestNotOpen
from gridgate.portal.kit import formats


@dataclass(frozen=True, slots=True)
class Tag:
    tone: str
    text: str
    icon: str | None = None


_STATES: dict[str, tuple[str, Any, str]] = {
    RequestState.DRAFT: ("", gettext_lazy("Brouillon"), "pen"),
    RequestState.SUBMITTED: ("info", gettext_lazy("Envoyé"), "clock"),
    RequestState.IN_REVIEW: ("info", gettext_lazy("En cours d’examen"), "clock"),
    RequestState.RETURNED: ("warn", gettext_lazy("À compléter"), "alert"),
    RequestState.ACCEPTED: ("good", gettext_lazy("Accepté"), "check"),
    RequestState.REFUSED: ("bad", gettext_lazy("Refusé"), "x"),
    RequestState.WITHDRAWN: ("", gettext_lazy("Retiré"), "minus"),
}


def words(text: Words | None) -> str:
    """A text of the form in the language of the page."""
    return "" if text is None else text.said(formats.current_language(get_language()))


def state(questionnaire: KycQuestionnaire, *, today: date) -> Tag:
    """The state in a word or two; of an accepted one, until when: `Valable jusqu’au …`, `Expire dans 23 jours`."""
    if questionnaire.state != RequestState.ACCEPTED:
        tone, text, icon = _STATES[questionnaire.state]
        return Tag(tone, str(text), icon)
    last = last_day_of(questionnaire)
    days = (last - today).days
    if days < 0:
        return Tag("bad", _("Expiré le %(day)s") % {"day": formats.day(last)})
    if days > max(REMINDERS):
        return Tag("good", _("Valable jusqu’au %(day)s") % {"day": formats.day(last)})
    return Tag("warn", _expires(days), "clock")


def _expires(days: int) -> str:
    if days == 0:
        return _("Expire aujourd’hui")
    return ngettext("Expire dans %(count)s jour", "Expire dans %(count)s jours", days) % {"count": days}


def event(step: str) -> str:
    """What a step in its life was."""
    return str(
        {
            RequestState.SUBMITTED: _("Envoyé"),
            RequestState.IN_REVIEW: _("Pris en charge"),
            RequestState.RETURNED: _("Complément demandé"),
            RequestState.ACCEPTED: _("Accepté"),
            RequestState.REFUSED: _("Refusé"),
            RequestState.WITHDRAWN: _("Retiré"),
        }.get(RequestState(step), "")
    )


def condition(asked: Condition, others: Mapping[str, AnyField]) -> str:
    """When a field must be answered: `À remplir si « Pays » est France.`"""
    other = others[asked.field]
    value = asked.differs if asked.equals is None else asked.equals
    if value is True or value is False:
        value = value is (asked.equals is not None)
        text = _("À remplir si vous répondez oui à « %(label)s »")
        if not value:
            text = _("À remplir si vous répondez non à « %(label)s »")
        return text % {"label": words(other.label)}
    text = _("À remplir si « %(label)s » est : %(answer)s")
    if asked.equals is None:
        text = _("À remplir si « %(label)s » n’est pas : %(answer)s")
    return text % {"label": words(other.label), "answer": option(other, str(value))}


def option(one: AnyField, value: str) -> str:
    """One of the answers that a field offers, as people read it."""
    match one:
        case ChoiceField() | ChoicesField():
            return next((words(choice.label) for choice in one.choices if choice.value == value), value)
        case CountryField():
            return countries().get(value, {}).get(formats.current_language(), value)
    return value


def fault(found: AnswerFault) -> str:
    """Why an answer will not do, in numbers."""
    unit = str(found.details.get("unit", ""))
    given = {name: _figure(value, unit) for name, value in found.details.items()}
    if found.code in _COUNTED:
        return _COUNTED[found.code](int(str(found.details["found"]))) % given
    text = _FAULTS.get(found.code)
    return str(text) % given if text is not None else _("Cette réponse ne convient pas.")


def _figure(value: object, unit: str) -> object:
    if isinstance(value, Decimal):
        return formats.with_unit(value, unit, max(0, -int(value.normalize().as_tuple().exponent))).strip()
    return formats.number(value) if isinstance(value, int) else value


_COUNTED: dict[str, Callable[[int], str]] = {
    "length": lambda typed: ngettext(
        "%(found)s caractère saisi sur %(expected)s.", "%(found)s caractères saisis sur %(expected)s.", typed
    ),
    "bic_form": lambda typed: ngettext(
        "%(found)s caractère saisi\u202f; un BIC en a 8 ou 11, dont deux lettres de pays au milieu.",
        "%(found)s caractères saisis\u202f; un BIC en a 8 ou 11, dont deux lettres de pays au milieu.",
        typed,
    ),
}

_FAULTS: dict[str, Any] = {
    "missing": gettext_lazy("À remplir."),
    "missing_rows": gettext_lazy("Ajoutez au moins une ligne."),
    "missing_file": gettext_lazy("Joignez ce document."),
    "too_long": gettext_lazy("%(found)s caractères saisis, %(most)s au plus."),
    "not_a_number": gettext_lazy("Donnez un nombre, en chiffres."),
    "too_many_decimals": gettext_lazy("Chiffres après la virgule : %(most)s au plus."),
    "too_small": gettext_lazy("%(least)s au moins."),
    "too_large": gettext_lazy("%(most)s au plus."),
    "not_a_date": gettext_lazy("Écrivez la date ainsi : 31/12/1980."),
    "no_such_day": gettext_lazy("Cette date n’existe pas. Écrivez-la ainsi : 31/12/1980."),
    "not_past": gettext_lazy("Cette date doit être passée."),
    "not_a_choice": gettext_lazy("Choisissez l’une des réponses proposées."),
    "digits_only": gettext_lazy("Des chiffres seulement."),
    "check": gettext_lazy("La clé ne convient pas : un caractère est faux. Vérifiez chacun."),
    "iban_form": gettext_lazy("Un IBAN commence par les deux lettres d’un pays et deux chiffres."),
    "iban_country": gettext_lazy("Aucun pays n’a d’IBAN qui commence par %(country)s."),
    "iban_length": gettext_lazy(
        "%(found)s caractères saisis ; un IBAN qui commence par %(country)s en a %(expected)s."
    ),
    "bic_country": gettext_lazy(
        "Les lettres %(country)s, cinquième et sixième, ne sont pas celles d’un pays."
    ),
    "vat_form": gettext_lazy("Commencez par les deux lettres du pays : FR, DE, BE…"),
    "vat_country": gettext_lazy(
        "Ce numéro n’est pas fait comme ceux du pays %(country)s. Vérifiez chaque caractère."
    ),
}


def types(names: tuple[str, ...]) -> str:
    """`PDF, PNG ou JPEG`."""
    *first, last = [str(_TYPES[name]) for name in names]
    return _("%(first)s ou %(last)s") % {"first": ", ".join(first), "last": last} if first else last


_TYPES: dict[str, Any] = {
    "pdf": "PDF",
    "png": "PNG",
    "jpeg": "JPEG",
    "tiff": "TIFF",
    "text": gettext_lazy("texte"),
}


def document_refusal(error: AttachmentRefused, *, name: str, allowed: tuple[str, ...], megabytes: int) -> str:
    """Why a document was not joined, and what to do."""
    details = {
        "types": types(allowed),
        "size": formats.number(megabytes),
        "found": str(_TYPES.get(str(error.details.get("found")), "")),
        "most": error.details.get("most"),
    }
    text = _REFUSALS.get(error.code, gettext_lazy("Ce document ne peut pas être joint."))
    return formats.said(name, str(text) % details)


_REFUSALS: dict[str, Any] = {
    "empty": gettext_lazy(
        "le fichier est vide. Vérifiez qu’il s’ouvre chez vous, puis joignez-le de nouveau."
    ),
    "too_large": gettext_lazy("le fichier pèse plus de %(size)s Mo. Réduisez-le ou coupez-le en plusieurs."),
    "not_allowed": gettext_lazy("le contenu est du type %(found)s, et non du type attendu (%(types)s)."),
    "unknown_type": gettext_lazy(
        "le contenu n’est pas du type attendu (%(types)s), quel que soit le nom du fichier."
    ),
    "truncated": gettext_lazy("il manque la fin du fichier. Enregistrez ou numérisez-le de nouveau."),
    "no_pages": gettext_lazy("ce PDF ne contient aucune page. Vérifiez qu’il s’ouvre chez vous."),
    "two_faces": gettext_lazy(
        "le fichier contient autre chose que le document. Enregistrez-le de nouveau, par exemple en l’imprimant en PDF."
    ),
    "too_many": gettext_lazy("%(most)s au plus ici. Retirez-en un d’abord."),
}


def refusal(error: GridgateError) -> str:
    """Why an operation refused."""
    if isinstance(error, RequestNotOpen):
        return _("Ce questionnaire a changé d’état entre-temps. Voici où il en est.")
    return str(error)


def until(questionnaire: KycQuestionnaire) -> date | None:
    return last_day_of(questionnaire) if questionnaire.valid_until else None


def today(now: datetime) -> date:
    """The civil day of the network."""
    return formats.civil_day(now)
