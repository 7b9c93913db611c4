"""What happened to a company's permissions, latest first, as steps."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.core.sharing import PermissionState
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Step
from gridgate.portal.screens.sharing import lifecycle
from gridgate.sharing.history import points_left
from gridgate.sharing.models import PermissionEvent

LENGTH = 12
NAMED_POINTS = 3
"""Points that one step names; more are counted."""


def steps(events: Sequence[PermissionEvent], *, names: Mapping[str, str] | None = None) -> list[Step]:
    """Steps from events; each names its service when they speak of several. `names` are those of the points that may be
    named.
    """
    several = len({event.permission.service_id for event in events}) > 1
    return [_step(event, several, names or {}) for event in events]


def _step(event: PermissionEvent, several: bool, names: Mapping[str, str]) -> Step:
    label = str(lifecycle.EVENTS[PermissionState(event.state)])
    if event.details.get("points_lost"):
        label = _("Compteurs que vous avez quittés, retirés")
    elif event.reason == "extended":
        label = _("Prolongé")
    if event.actor_id is not None and event.actor_name:
        label = _("%(what)s par %(name)s") % {"what": label, "name": event.actor_name}
    notes = [formats.moment(event.at)]
    if several:
        notes.append(event.permission.service.text("name"))
    if event.details.get("left_on"):
        notes += _left(event, names)
    return Step(label, "\u00a0· ".join(notes), "done")


def _left(event: PermissionEvent, names: Mapping[str, str]) -> list[str]:
    """Which points the holder left, when, and whether the permission goes on."""
    left = points_left(event)
    named = sorted(left.keys() & names.keys())[:NAMED_POINTS]
    notes = [
        _("%(point)s depuis le %(day)s") % {"point": names[point], "day": formats.long_day(left[point])}
        for point in named
    ]
    if more := len(left) - len(named):
        notes.append(ngettext("%(count)s autre", "%(count)s autres", more) % {"count": formats.number(more)})
    if not PermissionState(event.state).ended:
        notes.append(_("le partage continue pour les autres"))
    return notes
