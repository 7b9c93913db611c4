"""How many points a permission or a request covers, and the sentences that say it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.portal.kit import formats


@dataclass(frozen=True, slots=True)
class Extent:
    """How many points a permission or a request covers, and how many of them the person sees."""

    seen: int
    covered: int
    everything: bool
    """On all points, now and later."""
    partly: bool
    """It also covers points that the person does not see: of these, no more is told than that they are."""

    @property
    def hides(self) -> bool:
        return self.partly and (self.everything or self.covered > self.seen)

    def __str__(self) -> str:
        if self.everything and self.partly:
            text = _("tous ceux de l’entreprise, présents et à venir, dont %(seen)s que vous voyez")
        elif self.everything:
            text = _("%(covered)s, tous, présents et à venir")
        elif self.hides:
            text = _("%(covered)s, dont %(seen)s que vous voyez")
        else:
            text = "%(covered)s"
        return text % self.figures()

    def figures(self, name: str = "") -> dict[str, str]:
        """What the sentences about it say."""
        return {
            "name": name,
            "seen": formats.number(self.seen),
            "covered": formats.number(self.covered),
        }


def asking(name: str, extent: Extent) -> str:
    """What a third party asks for, as a notice says it."""
    if extent.everything and extent.partly:
        text = _(
            "%(name)s demande à lire tous les compteurs de votre entreprise, dont %(seen)s que vous voyez"
        )
    elif extent.everything:
        text = _("%(name)s demande à lire tous vos compteurs")
    elif extent.hides:
        text = ngettext(
            "%(name)s demande à lire %(covered)s compteur de votre entreprise, dont %(seen)s que vous voyez",
            "%(name)s demande à lire %(covered)s compteurs de votre entreprise, dont %(seen)s que vous voyez",
            extent.covered,
        )
    else:
        text = ngettext(
            "%(name)s demande à lire %(covered)s de vos compteurs",
            "%(name)s demande à lire %(covered)s de vos compteurs",
            extent.covered,
        )
    return text % extent.figures(name)


def question(name: str, extent: Extent) -> str:
    """What a third party asks for, as the title of the page where one answers."""
    if extent.everything and extent.partly:
        text = _(
            "%(name)s demande à lire les mesures de tous les compteurs de votre entreprise, dont %(seen)s que vous voyez"
        )
    elif extent.everything:
        text = _("%(name)s demande à lire les mesures de tous vos compteurs")
    elif extent.hides:
        text = ngettext(
            "%(name)s demande à lire les mesures de %(covered)s compteur, dont %(seen)s que vous voyez",
            "%(name)s demande à lire les mesures de %(covered)s compteurs, dont %(seen)s que vous voyez",
            extent.covered,
        )
    else:
        text = ngettext(
            "%(name)s demande à lire les mesures de %(covered)s compteur",
            "%(name)s demande à lire les mesures de %(covered)s compteurs",
            extent.covered,
        )
    return text % extent.figures(name)
