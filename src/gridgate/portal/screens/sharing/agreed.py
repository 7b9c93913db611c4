"""What is about to be given, said before it is: on the page that asks for a last press, and on its button."""

from collections.abc import Collection, Sequence
from hashlib import sha256

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.portal.kit import formats
from gridgate.portal.screens.sharing.picker import PointPicker


class Agreed:
    """The points of a choice, in words, and the form that says it again.

    `chosen` is None for all points, now and later. `seen` goes with the form, and comes back: only what it stands for
    is given.
    """

    def __init__(
        self,
        chosen: Collection[str] | None,
        picker: PointPicker,
        *,
        carried: Sequence[tuple[str, str]] = (),
        seen: str,
        again: bool = False,
    ) -> None:
        self.everything = chosen is None
        self.points = picker.total if chosen is None else len(chosen)
        self.named = [] if chosen is None else picker.named(chosen)
        self.more = 0 if chosen is None else len(chosen) - len(self.named)
        self.button = giving(chosen)
        self.carried = [*picker.carried, *carried, ("seen", seen)]
        self.again = again
        """True when another choice than this one had been read before."""


def fingerprint(chosen: Collection[str] | None, *terms: object) -> str:
    """Differs when what would be given does: what a button said must be what its press gives."""
    said = None if chosen is None else sorted(chosen)
    return sha256(repr((said, terms)).encode()).hexdigest()[:16]


def giving(chosen: Collection[str] | None) -> str:
    """What the button says: for how many points."""
    if chosen is None:
        return _("Autoriser pour tous vos compteurs, présents et à venir")
    return ngettext(
        "Autoriser pour %(count)s compteur", "Autoriser pour %(count)s compteurs", len(chosen)
    ) % {"count": formats.number(len(chosen))}
