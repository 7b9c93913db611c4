"""Whether permissions are what their events say, and the access lines what titles and permissions say."""

from collections.abc import Iterator
from itertools import pairwise

from django.db.models import Prefetch

from gridgate.core.errors import GridgateError
from gridgate.core.sharing import PermissionState, transition
from gridgate.sharing import projection
from gridgate.sharing.history import SAYS, replay
from gridgate.sharing.models import Permission, PermissionEvent

_COLUMNS = [field.attname for field in Permission._meta.concrete_fields if field.name in (*SAYS, "state")]
_BATCH = 500


def contradictions() -> Iterator[str]:
    """Each permission that is not what its history makes of it, and each access line too many or too few."""
    events = Prefetch("events", PermissionEvent.objects.order_by("sequence"))
    for permission in Permission.objects.prefetch_related(events, "points").order_by("pk").iterator(_BATCH):
        if what := _wrong_with(permission):
            yield f"permission {permission.pk}: {what}"
    for is_there, point, reader in projection.contradicted():
        what = (
            "is there, and nothing gives it" if is_there else "is missing, and a title or permission gives it"
        )
        yield f"access line of company {reader} on {point}: it {what}"


def _wrong_with(permission: Permission) -> str:
    events = list(permission.events.all())
    if [event.sequence for event in events] != list(range(1, len(events) + 1)):
        return "its events are not in one row"
    try:
        for before, after in pairwise(events):
            if before.state != after.state or not after.details.keys() - {"receipt"}:
                transition(PermissionState(before.state), PermissionState(after.state))
    except (GridgateError, ValueError):
        return "one of its events does not follow from the one before"
    said, points = replay(events)
    changed = [name for name in _COLUMNS if getattr(said, name) != getattr(permission, name)]
    if points != {point.metering_point_id for point in permission.points.all()}:
        changed.append("points")
    return f"it says otherwise than its events: {', '.join(changed)}" if changed else ""
