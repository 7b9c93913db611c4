"""What is wrong in a version's file, in French; in English the words are the command line's."""

from dataclasses import dataclass
from typing import Any

from gridgate.kyc.form import LARGEST_DOCUMENT
from gridgate.kyc.form_file import Fault
from gridgate.portal.kit import formats

FRENCH: dict[str, str] = {
    "too_large": f"le fichier pèse plus de {LARGEST_DOCUMENT // 1024} Ko",
    "not_utf8": "ce n’est pas de l’UTF-8",
    "not_json": "ce n’est pas du JSON, à partir de la colonne {column}",
    "too_deep": "trop de niveaux sont imbriqués",
    "repeated_key": "la clé {key} figure deux fois dans un objet",
    "not_an_object": "le document doit être un objet JSON avec « sections »",
    "missing": "la clé manque",
    "extra_forbidden": "cette clé n’existe pas ici",
    "model_type": "un objet est attendu",
    "model_attributes_type": "un objet est attendu",
    "string_type": "un texte est attendu",
    "string_too_short": "le texte est vide",
    "string_too_long": "le texte a plus de {max_length} caractères",
    "string_pattern_mismatch": "minuscules sans accent, chiffres et _ seulement ; un nom commence par une lettre et a "
    "40 caractères au plus",
    "bool_type": "true ou false est attendu",
    "bool_parsing": "true ou false est attendu",
    "int_type": "un nombre entier est attendu",
    "int_parsing": "un nombre entier est attendu",
    "int_from_float": "un nombre entier est attendu",
    "decimal_type": "un nombre est attendu",
    "decimal_parsing": "un nombre est attendu",
    "finite_number": "un nombre est attendu",
    "decimal_max_digits": "un nombre de 15 chiffres au plus, et de 6 décimales, est attendu",
    "decimal_whole_digits": "un nombre de 15 chiffres au plus, et de 6 décimales, est attendu",
    "decimal_max_places": "un nombre de 15 chiffres au plus, et de 6 décimales, est attendu",
    "greater_than_equal": "{ge} au moins",
    "less_than_equal": "{le} au plus",
    "tuple_type": "une liste est attendue",
    "too_short": "{min_length} au moins",
    "too_long": "{max_length} au plus",
    "literal_error": "la valeur attendue est l’une de {expected}",
    "union_tag_invalid": "{tag} n’est pas une sorte de champ ici ; les sortes sont {expected_tags}",
    "union_tag_not_found": "le champ n’a pas de « kind »",
    "too_many_controls": "toutes lignes comprises, la section a {found} réponses, {most} au plus",
    "repeated_name": "un autre champ porte ce nom",
    "prefill_in_group": "un champ de groupe n’a pas de « prefill »",
    "repeated_choice": "le choix {value} figure deux fois",
    "least_above_most": "« least » dépasse « most »",
    "required_twice": "le champ est déjà obligatoire",
    "one_comparison": "une condition a soit « is », soit « is_not »",
    "unknown_field": "aucun autre champ ne s’appelle {field} ici",
    "no_condition_on": "{field} n’est ni yes_no, ni choice, ni choices, ni country",
    "never_so": "{field} ne vaut jamais {value}",
}


@dataclass(frozen=True, slots=True)
class Said:
    """A fault as the page says it."""

    where: str
    text: str


def said(fault: Fault) -> Said:
    """In the language of the request."""
    if formats.current_language() == "en":
        where = f"line {fault.line}" if fault.line is not None else fault.place
        return Said(where, fault.message)
    where = f"ligne {fault.line}" if fault.line is not None else fault.place
    text = FRENCH.get(fault.code)
    return Said(where, _filled(text, fault.details) if text else fault.message)


def _filled(text: str, details: Any) -> str:
    return text.format_map(details)
