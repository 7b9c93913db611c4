"""Why a document was not joined to a questionnaire."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.portal.kit import formats
from gridgate.requests.attachments import AttachmentRefused


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
