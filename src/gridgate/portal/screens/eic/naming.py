"""How types, fields, states and what was done are called on the screens about EIC codes."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.eic.form import ALL_TYPES, eic_form
from gridgate.eic.models import EicCode, EicType
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Tag
from gridgate.requests.models import RequestState

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
