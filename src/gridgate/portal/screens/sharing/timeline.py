"""What happened to a company's permissions, latest first, as steps."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from gridgate.core.sharing import PermissionState
from gridgate.portal import formats
from gridgate.portal.screens.sharing import words
from gridgate.portal.shapes import Step
from gridgate.sharing.models import PermissionEvent

LENGTH = 12


def steps(events: Sequence[PermissionEvent]) -> list[Step]:
    """Steps from events; each names its service when they speak of several."""
    several = len({event.permission.service_id for event in events}) > 1
    return [_step(event, several) for event in events]


def _step(event: PermissionEvent, several: bool) -> Step:
    label = str(words.EVENTS[PermissionState(event.state)])
    if event.details.get("points_lost"):
        label = _("Compteurs que vous avez quittés, retirés")
    elif event.reason == "extended":
        label = _("Prolongé")
    if event.actor_id is not None and event.actor_name:
        label = _("%(what)s par %(name)s") % {"what": label, "name": event.actor_name}
    notes = [formats.moment(event.at)]
    if several:
        notes.append(event.permission.service.text("name"))
    return Step(label, " · ".join(notes), "done")
