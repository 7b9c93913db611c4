"""How types, states, faults and what was done are said on the screens about EIC codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gridgate.core.errors import GridgateError
from gridgate.organisations.eic_codes import EicFault, Examined, examine
from gridgate.organisations.eic_form import ALL_TYPES, eic_form
from gridgate.organisations.models import EicCode, EicType, RequestState
from gridgate.organisations.operations.eic import AskedFault, EicCodeTaken, InvalidEicBody, Wrong
from gridgate.organisations.operations.eic_register import InvalidEicCode
from gridgate.organisations.operations.requests import ReasonMissing, RequestNotOpen
from gridgate.portal.kit import formats

TYPES: dict[str, Any] = {
    EicType.X: gettext_lazy(
        "Une entreprise présente sur les marchés ou sur le réseau : producteur, fournisseur, responsable d’équilibre, "
        "gestionnaire de réseau, consommateur."
    ),
    EicType.Y: gettext_lazy(
        "Un ensemble de points ou de réseaux : zone de marché, zone de réglage, périmètre d’un distributeur."
    ),
    EicType.Z: gettext_lazy("Un point, physique ou calculé, où l’énergie est mesurée ou comptée."),
    EicType.W: gettext_lazy(
        "Un moyen de production, de stockage ou de consommation : centrale, groupe, site. Ni ligne ni transformateur."
    ),
    EicType.T: gettext_lazy("Une liaison physique entre deux zones, ou à l’intérieur d’une zone."),
    EicType.V: gettext_lazy(
        "Un lieu, physique ou informatique, d’un acteur : site, système qui échange des messages."
    ),
    EicType.A: gettext_lazy("Un poste électrique du réseau."),
}
"""What each type names, for somebody who asks for a code for the first time."""


_FIELDS: dict[str, Any] = {
    "type": gettext_lazy("Type"),
    "display_name": gettext_lazy("Nom d’affichage"),
    "long_name": gettext_lazy("Nom complet"),
    "responsible_party": gettext_lazy("Acteur responsable"),
    "parent": gettext_lazy("Code parent"),
    "justification": gettext_lazy("Pourquoi ce code"),
}


@dataclass(frozen=True, slots=True)
class Tag:
    tone: str
    text: str
    icon: str


def type_name(letter: str) -> str:
    """`X, acteur`; empty for none."""
    return f"{letter}, {EicType(letter).label}" if letter in ALL_TYPES and letter else ""


def field_name(where: str) -> str:
    """What a field of a request is called: `details.vat_number` as the operator named it."""
    if where in _FIELDS:
        return str(_FIELDS[where])
    name = where.removeprefix("details.")
    return next((str(one.label) for one in eic_form().fields if one.name == name), name)


def state(value: str) -> Tag:
    """The state of a request in a word or two."""
    tone, icon = {
        RequestState.DRAFT: ("", "pen"),
        RequestState.SUBMITTED: ("info", "clock"),
        RequestState.IN_REVIEW: ("info", "clock"),
        RequestState.RETURNED: ("warn", "alert"),
        RequestState.ACCEPTED: ("good", "check"),
        RequestState.REFUSED: ("bad", "x"),
        RequestState.WITHDRAWN: ("", "minus"),
    }[RequestState(value)]
    return Tag(tone, str(RequestState(value).label), icon)


def status(code: EicCode) -> Tag:
    """Whether a code is to be used."""
    return Tag("good", _("Actif"), "check") if code.active else Tag("", _("Désactivé"), "minus")


def fault(examined: Examined) -> str:
    """What is wrong with a code, in numbers; empty when nothing is."""
    match examined.fault:
        case EicFault.LENGTH:
            found = len(examined.code)
            return ngettext(
                "%(found)s caractère saisi, un code EIC en a 16.",
                "%(found)s caractères saisis, un code EIC en a 16.",
                found,
            ) % {"found": found}
        case EicFault.CHARACTERS:
            return _(
                "Un code EIC n’a que des chiffres, des lettres sans accent et des tirets, pas %(strange)s."
            ) % {"strange": " ".join(examined.strange)}
        case EicFault.TYPE:
            return _("Le troisième caractère dit le type : %(types)s, pas %(found)s.") % {
                "types": ", ".join(ALL_TYPES),
                "found": examined.code[2],
            }
        case EicFault.CHECK:
            return _("Le dernier caractère devrait être %(expected)s.") % {"expected": examined.expected}
        case EicFault.NO_CHECK:
            return _("Ces 15 premiers caractères ne font aucun code : le dernier serait un tiret.")
    return ""


def hint(text: str) -> str:
    """What is wrong with a code that is looked for; empty for a text that does not look like one."""
    examined = examine(text)
    return fault(examined) if examined.recordable else ""


def wrong(found: Wrong, *, typed: str = "", readable: bool = True) -> str:
    """What is wrong with one thing that a request says. `readable`: the code that has the name may be named."""
    match found.fault:
        case AskedFault.MISSING:
            return _("À remplir.")
        case AskedFault.TOO_LONG:
            return _("%(longest)s caractères au plus, %(found)s saisis.") % {
                "longest": formats.number(found.longest),
                "found": formats.number(len(typed)),
            }
        case AskedFault.CHARACTERS if found.where == "display_name":
            return _("Des capitales sans accent, des chiffres et les signes - + _ seulement, sans espace.")
        case AskedFault.NOT_OFFERED:
            return _("Ce type de code n’est pas attribué ici.")
        case AskedFault.TAKEN if found.code is not None and readable:
            return _("Le code %(code)s, %(name)s, a déjà ce nom d’affichage. Choisissez-en un autre.") % {
                "code": found.code.pk,
                "name": found.code.long_name,
            }
        case AskedFault.TAKEN:
            return _("Un autre code a déjà ce nom d’affichage. Choisissez-en un autre.")
        case AskedFault.NOT_A_CODE if found.examined is not None:
            return fault(found.examined)
        case AskedFault.NOT_A_PARTY:
            return _("Donnez le code d’un acteur (type X), pas celui d’un autre objet.")
    return _("Cette réponse ne convient pas.")


def refusal(error: GridgateError) -> str:
    """Why an operation refused, and what to do."""
    match error:
        case EicCodeTaken():
            return _("Le registre a déjà %(code)s. Choisissez autre chose, ou demandez un complément.") % {
                "code": error.code
            }
        case InvalidEicBody():
            return body_fault(error.examined)
        case RequestNotOpen():
            return _("Cette demande a changé d’état entre-temps. Voici où elle en est.")
        case InvalidEicCode(examined=examined) if examined is not None:
            return fault(examined)
        case ReasonMissing():
            return _("Dites pourquoi : le motif est gardé dans l’historique du code.")
    return str(error)


def body_fault(examined: Examined) -> str:
    """What is wrong with the 12 characters that an office chose."""
    match examined.fault:
        case EicFault.LENGTH:
            found = max(0, len(examined.code) - 3)
            return ngettext(
                "%(found)s caractère saisi, il en faut 12.",
                "%(found)s caractères saisis, il en faut 12.",
                found,
            ) % {"found": found}
        case EicFault.NO_CHECK:
            return _("Avec ces caractères, le dernier serait un tiret : changez-en un.")
    return fault(examined)


ACTIONS: dict[str, Any] = {
    "eic.issued": gettext_lazy("Attribué"),
    "eic.recorded": gettext_lazy("Inscrit au registre"),
    "eic.changed": gettext_lazy("Mis à jour par un import"),
    "eic.deactivated": gettext_lazy("Désactivé"),
    "eic.reactivated": gettext_lazy("Réactivé"),
    "eic.linked": gettext_lazy("Rattaché à une entreprise"),
    "eic.unlinked": gettext_lazy("Détaché d’une entreprise"),
}
_DETAILS: dict[str, Any] = {
    "display_name": gettext_lazy("nom d’affichage"),
    "long_name": gettext_lazy("nom complet"),
    "parent": gettext_lazy("code parent"),
    "responsible_party": gettext_lazy("acteur responsable"),
    "request": gettext_lazy("demande"),
    "reason": gettext_lazy("motif"),
    "company": gettext_lazy("entreprise"),
}


def details(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What an event says besides its action: `motif : Cessation`, `nom complet : A → B`."""
    lines = []
    for name, label in _DETAILS.items():
        was, became = before.get(name), after.get(name)
        if was and became:
            lines.append(formats.said(str(label), f"{was} → {became}"))
        elif was or became:
            lines.append(formats.said(str(label), str(became or was)))
    return lines
