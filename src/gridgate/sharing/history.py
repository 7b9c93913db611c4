"""The events of a permission, and the row that they make.

`_apply` is the only place that writes a permission's row: an operation appends an event and applies it, and
`replay` applies the events of the past in turn. So the row is what its events say, and can be made again
from them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Field, Max

from gridgate.audit.changes import PERMISSION, Change, say
from gridgate.core.sharing import PermissionState, transition
from gridgate.organisations.models import Membership
from gridgate.sharing.models import Permission, PermissionEvent, PermissionPoint, PointLeft

SAYS = (
    "service",
    "request",
    "holder",
    "eligible_party",
    "all_points",
    "kinds",
    "directions",
    "finest_resolution",
    "history_from",
    "valid_from",
    "valid_until",
    "purpose",
    "purpose_en",
    "delete_by",
    "channel",
    "legal_basis",
)
"""What a permission says: the first event holds all of it, a later one what it changed."""


class Reason(StrEnum):
    """Why something happened that nobody decided at that moment."""

    MOVE_OUT = "move_out"
    """The holder no longer holds the points."""
    OPPOSITION = "opposition"
    """The holder opposed the collection of the load curve, which was all that the permission covered."""
    TIME = "time"
    """The time that was agreed is over."""
    EXTENDED = "extended"
    """It was agreed for longer."""


@dataclass(frozen=True, slots=True)
class By:
    """Who acts; the system has no id."""

    id: int | None
    name: str

    @classmethod
    def member(cls, actor: Membership) -> "By":
        return cls(actor.user_id, str(actor.user))


SYSTEM = By(None, "Gridgate")


@dataclass(frozen=True, slots=True)
class Step:
    """One change of state: into which, when, by whom."""

    state: PermissionState
    at: datetime
    by: By
    reason: str = ""
    receipt: str = ""
    """The number of the receipt that will prove it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What happens to one permission.

    `details` may hold `says`, new values of what the permission says, `points_lost`, points that it no longer
    covers, and `left_on`, the days on which its holder left points. The state may stay as it is, when there are details.
    """

    permission: Permission
    step: Step
    details: Mapping[str, Any] = field(default_factory=dict)


def begin(permission: Permission, points: Sequence[str], steps: Sequence[Step]) -> None:
    """Write a new permission on `points` (none when it is on all points) with its first events."""
    first, *others = steps
    says = {_attribute(name): _plain(getattr(permission, _attribute(name))) for name in SAYS}
    events = [_event(permission, 1, first, {"says": says, "points": list(points)})]
    for sequence, step in enumerate(others, start=2):
        transition(PermissionState(events[-1].state), step.state)
        events.append(_event(permission, sequence, step, {}))
    for event in events:
        _apply(permission, event)
    permission.save(force_insert=True)
    PermissionPoint.objects.bulk_create(
        PermissionPoint(permission=permission, metering_point_id=point) for point in points
    )
    PermissionEvent.objects.bulk_create(events)
    say(*map(change_of, events))


def append(permission: Permission, step: Step, *, details: Mapping[str, Any] | None = None) -> None:
    """Write what happened to a permission. Raises `GridgateError` (CONFLICT) when its state does not lead
    there.
    """
    append_all([Entry(permission, step, details or {})])


def append_all(entries: Sequence[Entry]) -> None:
    """Write what happened to each of some permissions, in as many statements as for one. Raises as `append`: then nothing
    is written.
    """
    for entry in entries:
        if entry.step.state != entry.permission.state or not entry.details:
            transition(PermissionState(entry.permission.state), entry.step.state)
    events = _next_events(entries)
    for entry, event in zip(entries, events, strict=True):
        _apply(entry.permission, event)
    written = {"state", "state_at"}.union(*(event.details.get("says", ()) for event in events))
    _save([entry.permission for entry in entries], sorted(written))
    _lose_points(events)
    PermissionEvent.objects.bulk_create(events)
    keep_points_left(events)
    say(*map(change_of, events))


def _next_events(entries: Sequence[Entry]) -> list[PermissionEvent]:
    past = PermissionEvent.objects.filter(permission__in=[entry.permission.pk for entry in entries])
    last = dict(past.order_by().values_list("permission").annotate(last=Max("sequence")))
    return [
        _event(entry.permission, last.get(entry.permission.pk, 0) + 1, entry.step, _details(entry))
        for entry in entries
    ]


def _details(entry: Entry) -> dict[str, Any]:
    return {**entry.details, **({"receipt": entry.step.receipt} if entry.step.receipt else {})}


def _save(permissions: Iterable[Permission], attributes: Sequence[str]) -> None:
    """Write these columns of the rows; by a statement that names none of the values, which is the same for all."""
    fields = [_field(name) for name in attributes]
    key = _field("id")
    columns = ", ".join(f"{field.column} = %s" for field in fields)
    rows = [
        [field.get_db_prep_save(getattr(permission, field.attname), connection) for field in (*fields, key)]
        for permission in permissions
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE sharing_permission SET {columns} WHERE {key.column} = %s", rows)  # noqa: S608 -- columns


def _lose_points(events: Iterable[PermissionEvent]) -> None:
    """Take from the permissions the points that these events say they lose."""
    prepare = Permission._meta.pk.get_db_prep_value
    lost = [
        (prepare(event.permission_id, connection), point)
        for event in events
        for point in event.details.get("points_lost", [])
    ]
    if lost:
        with connection.cursor() as cursor:
            cursor.executemany(
                "DELETE FROM sharing_permissionpoint WHERE permission_id = %s AND metering_point_id = %s",
                lost,
            )


def replay(events: Iterable[PermissionEvent]) -> tuple[Permission, set[str]]:
    """Make the row and its points again from events in their order. Nothing is saved."""
    permission = Permission()
    points: set[str] = set()
    for event in events:
        permission.pk = event.permission_id
        points |= set(event.details.get("points", []))
        points -= set(event.details.get("points_lost", []))
        _apply(permission, event)
    return permission, points


def keep_points_left(events: Iterable[PermissionEvent]) -> None:
    """Write which points these events say that the holder left."""
    rows = [
        PointLeft(permission_id=event.permission_id, metering_point_id=point, left_on=day)
        for event in events
        for point, day in points_left(event).items()
    ]
    PointLeft.objects.bulk_create(rows, ignore_conflicts=True)


def points_left(event: PermissionEvent) -> dict[str, date]:
    """The points that the holder left, as this event says, and since which day each is no longer theirs."""
    said: dict[str, str] = event.details.get("left_on", {})
    return {point: date.fromisoformat(day) for point, day in said.items()}


def change_of(event: PermissionEvent) -> Change:
    """The event as the chained log says it: whole, so that it can be made again."""
    says = {
        "permission": str(event.permission_id),
        "sequence": event.sequence,
        "state": str(event.state),
        "at": event.at.astimezone(UTC).isoformat(),
        "actor_id": event.actor_id,
        "actor_name": event.actor_name,
        "reason": event.reason,
        "details": event.details,
    }
    text = json.dumps(says, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Change(PERMISSION, f"{event.permission_id}:{event.sequence}", digest, says)


def saying(**changes: Any) -> dict[str, Any]:
    """Details of an event that changes what the permission says."""
    return {"says": {_attribute(name): _plain(value) for name, value in changes.items()}}


def _apply(permission: Permission, event: PermissionEvent) -> None:
    for attribute, value in event.details.get("says", {}).items():
        setattr(permission, attribute, _field(attribute).to_python(value))
    if permission.state != event.state:
        permission.state, permission.state_at = event.state, event.at


def _event(permission: Permission, sequence: int, step: Step, details: dict[str, Any]) -> PermissionEvent:
    return PermissionEvent(
        permission=permission,
        sequence=sequence,
        state=step.state,
        at=step.at,
        actor_id=step.by.id,
        actor_name=step.by.name[:200],
        reason=step.reason[:300],
        details=details,
    )


def _attribute(name: str) -> str:
    """The column behind a name: `holder` is kept as `holder_id`."""
    return str(_field(name).attname)


def _field(name: str) -> "Field[Any, Any]":
    field = Permission._meta.get_field(name)
    assert isinstance(field, Field)
    return field


def _plain(value: Any) -> Any:
    """As JSON can hold it; a model field reads it back."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
