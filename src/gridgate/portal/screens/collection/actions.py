"""What can be asked for a collection, and how the screens say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.metering.models import LoadCurveCollection
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Figure

State = LoadCurveCollection.State


@dataclass(frozen=True, slots=True)
class Action:
    """An ask: the state it asks for, the verb on its button, the title of its summary, its colour."""

    state: str
    verb: Any
    title: Any
    css: str


ACTIONS = (
    Action(State.REQUESTED.value, gettext_lazy("Activer"), gettext_lazy("Activer la collecte"), ""),
    Action(State.ENDED.value, gettext_lazy("Mettre fin"), gettext_lazy("Mettre fin à la collecte"), ""),
    Action(
        State.OPPOSED.value, gettext_lazy("S’opposer"), gettext_lazy("S’opposer à la collecte"), " danger"
    ),
)


def action_of(state: str) -> Action | None:
    return next((action for action in ACTIONS if action.state == state), None)


def counted(counts: Mapping[str | None, int]) -> list[Figure]:
    """How many points are in each state."""
    inactive = counts.get(None, 0) + counts.get(State.ENDED, 0)
    return [
        Figure(_("Active"), formats.number(counts.get(State.ACTIVE, 0)), note=_("la courbe est relevée")),
        Figure(
            _("Demandée"),
            formats.number(counts.get(State.REQUESTED, 0)),
            note=_("le compteur attend une visite"),
        ),
        Figure(_("Inactive"), formats.number(inactive), note=_("aucune demande enregistrée, ou terminée")),
        Figure(_("Opposée"), formats.number(counts.get(State.OPPOSED, 0)), note=_("vous vous y opposez")),
    ]
