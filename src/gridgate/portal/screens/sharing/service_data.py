"""What a service or a permission covers: kinds of measurements, step, directions, and on what basis."""

import re
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.core.quantities import FlowDirection, Kind, directions_of, kinds_of
from gridgate.core.sharing import LegalBasis
from gridgate.core.time import Resolution
from gridgate.portal.kit import formats
from gridgate.sharing.models import DataService

KINDS = {
    Kind.LOAD_CURVE: gettext_lazy("courbe de charge"),
    Kind.DAILY_ENERGY: gettext_lazy("énergie quotidienne"),
    Kind.MAXIMUM_POWER: gettext_lazy("puissance maximale"),
    Kind.REGISTER_READING: gettext_lazy("index"),
}
DIRECTIONS = {
    FlowDirection.WITHDRAWAL: gettext_lazy("soutirage"),
    FlowDirection.INJECTION: gettext_lazy("injection"),
}
BASES = {
    LegalBasis.CONSENT: gettext_lazy("votre consentement"),
    LegalBasis.CONTRACT: gettext_lazy("un contrat avec vous"),
    LegalBasis.LEGAL_OBLIGATION: gettext_lazy("une obligation légale"),
    LegalBasis.PUBLIC_TASK: gettext_lazy("une mission de service public"),
}


class Says(Protocol):
    """What a permission and a service both say."""

    kinds: int
    directions: int
    finest_resolution: int
    legal_basis: str


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def kind(code: str) -> str:
    """`Courbe de charge`; the code itself when it is not one of ours."""
    return capital(str(KINDS[Kind(code)])) if code in set(Kind) else code


def step(seconds: int) -> str:
    """`30 min`, `par jour`; empty for "as stored"."""
    if not seconds:
        return ""
    return _("par jour") if seconds == Resolution.P1D.seconds else formats.duration(seconds)


def kinds(says: Says) -> str:
    """`Courbe de charge 30 min, puissance maximale`: kinds in their order, the step beside the curve."""
    return capital(", ".join(_kind_words(says)))


def _kind_words(says: Says) -> list[str]:
    words = []
    for one in sorted(kinds_of(says.kinds), key=list(Kind).index):
        word = str(KINDS[one])
        if one is Kind.LOAD_CURVE and says.finest_resolution:
            word = _("courbe de charge %(step)s") % {"step": step(says.finest_resolution)}
        words.append(word)
    return words


def directions(mask: int) -> str:
    """`soutirage et injection`."""
    words = [str(DIRECTIONS[one]) for one in FlowDirection if one in directions_of(mask)]
    return _(" et ").join(words)


def data(says: Says) -> str:
    """Kinds, step and directions in one line; withdrawal alone goes without saying."""
    both = directions_of(says.directions)
    if both == {FlowDirection.WITHDRAWAL}:
        return kinds(says)
    return f"{kinds(says)}, {directions(says.directions)}"


def basis(says: Says) -> str:
    return str(BASES[LegalBasis(says.legal_basis)])


def why_kept(service: DataService) -> str:
    """Why a service cannot be ended: its legal reference, else its legal basis."""
    reference = service.text("legal_reference").strip().rstrip(".")
    reference = re.sub(r"(?<=\d)-(?=\d)", "\u2011", reference)  # an article's number stays on one line
    return reference or capital(_("fondé sur %(basis)s") % {"basis": basis(service)})


def kind_lines(says: Says) -> list[str]:
    """Each kind on its own, the step beside the curve."""
    return [capital(word) for word in _kind_words(says)]
