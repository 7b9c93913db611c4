"""Which meters the address asks for together, and how to look at them."""

from dataclasses import dataclass, replace

from django.http import QueryDict
from django.utils.translation import gettext_lazy

from gridgate.portal.screens.measurements.period import Choice, Shown, Span, read_choice

MOST_CHOSEN = 50
"""Chosen one by one: more make an address that some programs cut."""

LOOKS = {
    "somme": gettext_lazy("Somme"),
    "comparer": gettext_lazy("Comparaison"),
    "sites": gettext_lazy("Par site"),
}
_QUANTITIES = ("energie", "puissance")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asks for: all meters, or those named in it; and how to look at them."""

    all: bool
    points: tuple[str, ...]
    look: str

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        points = [("tous", "1")] if self.all else [("compteur", point) for point in self.points]
        return (*points, ("montrer", self.look))

    @property
    def too_many(self) -> bool:
        return not self.all and len(self.points) > MOST_CHOSEN

    @property
    def none(self) -> bool:
        return not self.all and not self.points


def read_chosen(query: QueryDict) -> Chosen:
    look = query.get("montrer", "")
    return Chosen(
        query.get("tous") == "1",
        tuple(dict.fromkeys(query.getlist("compteur"))),
        look if look in LOOKS else "somme",
    )


def read_shown(query: QueryDict, chosen: Chosen, *, directions: int, span: Span) -> Shown:
    """As the page of one meter reads it, but for energy, by the month, unless something else is asked for."""
    completed = query.copy()
    if completed.get("grandeur") not in _QUANTITIES:
        completed["grandeur"] = _QUANTITIES[0]
    completed.setdefault("vue", "mois")
    return replace(read_choice(completed, directions=directions, span=span), kept=chosen.kept)


def quantities(shown: Shown) -> list[Choice]:
    known = [choice for choice in shown.quantities() if choice.address]
    named = dict(zip(("puissance", "energie"), known[:2], strict=True))
    return [named[name] for name in _QUANTITIES]


def looks(shown: Shown, chosen: Chosen) -> list[Choice]:
    return [
        Choice(str(label), replace(shown, kept=replace(chosen, look=name).kept).query(), name == chosen.look)
        for name, label in LOOKS.items()
    ]
