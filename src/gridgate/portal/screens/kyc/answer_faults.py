"""Why an answer will not do, in numbers."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gridgate.kyc.answers import AnswerFault
from gridgate.portal.kit import formats


def fault(answer_fault: AnswerFault) -> str:
    """Why an answer will not do, in numbers."""
    unit = str(answer_fault.details.get("unit", ""))
    given = {name: _figure(value, unit) for name, value in answer_fault.details.items()}
    if answer_fault.code in _COUNTED:
        return _COUNTED[answer_fault.code](int(str(answer_fault.details["found"]))) % given
    text = _FAULTS.get(answer_fault.code)
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
