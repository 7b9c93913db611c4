"""What is wrong with a code or with what a request for one says, in words."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.core.errors import GridgateError
from gridgate.eic.asked import AskedFault, Wrong
from gridgate.eic.codes import EicFault, Examined, examine
from gridgate.eic.form import ALL_TYPES
from gridgate.eic.operations.issuing import EicCodeTaken, InvalidEicBody
from gridgate.eic.operations.register import InvalidEicCode
from gridgate.portal.kit import formats
from gridgate.requests.operations.life import ReasonMissing, RequestNotOpen


def fault(examined: Examined) -> str:
    """What is wrong with a code, in numbers; empty when nothing is."""
    match examined.fault:
        case EicFault.LENGTH:
            typed = len(examined.code)
            return ngettext(
                "%(found)s caractère saisi, un code EIC en a 16.",
                "%(found)s caractères saisis, un code EIC en a 16.",
                typed,
            ) % {"found": typed}
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


def wrong(mistake: Wrong, *, typed: str = "", readable: bool = True) -> str:
    """What is wrong with one thing that a request says. `readable`: the code that has the name may be named."""
    match mistake.fault:
        case AskedFault.MISSING:
            return _("À remplir.")
        case AskedFault.TOO_LONG:
            return _("%(longest)s caractères au plus, %(found)s saisis.") % {
                "longest": formats.number(mistake.longest),
                "found": formats.number(len(typed)),
            }
        case AskedFault.CHARACTERS if mistake.where == "display_name":
            return _("Des capitales sans accent, des chiffres et les signes - + _ seulement, sans espace.")
        case AskedFault.NOT_OFFERED:
            return _("Ce type de code n’est pas attribué ici.")
        case AskedFault.TAKEN if mistake.code is not None and readable:
            return _("Le code %(code)s, %(name)s, a déjà ce nom d’affichage. Choisissez-en un autre.") % {
                "code": mistake.code.pk,
                "name": mistake.code.long_name,
            }
        case AskedFault.TAKEN:
            return _("Un autre code a déjà ce nom d’affichage. Choisissez-en un autre.")
        case AskedFault.NOT_A_CODE if mistake.examined is not None:
            return fault(mistake.examined)
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
            typed = max(0, len(examined.code) - 3)
            return ngettext(
                "%(found)s caractère saisi, il en faut 12.",
                "%(found)s caractères saisis, il en faut 12.",
                typed,
            ) % {"found": typed}
        case EicFault.NO_CHECK:
            return _("Avec ces caractères, le dernier serait un tiret : changez-en un.")
    return fault(examined)
