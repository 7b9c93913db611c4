"""What a receipt may say, as the events of its permissions have it."""

from collections.abc import Mapping
from uuid import UUID

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.sharing import PermissionState
from gridgate.sharing.history import By, replay
from gridgate.sharing.models import DataService, Permission, PermissionEvent, Receipt
from gridgate.sharing.receipts.content import Ended, Ending, instant_said

_ACTS = {
    PermissionState.REVOKED: "revoke",
    PermissionState.TERMINATED: "terminate",
    PermissionState.EXPIRED: "expire",
}


class NotInHistory(GridgateError):
    """What asks for a receipt says otherwise than the events of its permissions."""

    def __init__(self, number: str) -> None:
        super().__init__(
            ErrorKind.CONFLICT,
            f"receipt {number} is asked for what the history of its permissions does not say, so it is not signed",
            remedy="Somebody changed the registry by other means: run gridgate audit verify and gridgate check.",
        )


def as_history_says(receipt: Receipt) -> Ended:
    """What ended, from the events of its permissions and not from the row that asks for the receipt, which anybody who
    may write into the registry can make or change. Raises `NotInHistory` when it asks for anything else.
    """
    draft = receipt.payload
    events = PermissionEvent.objects.filter(
        permission__receipts=receipt,
        permission__holder=receipt.holder_id,
        permission__eligible_party=receipt.eligible_party_id,
        details__receipt=receipt.number,
    )
    last = {event.permission_id: event for event in events}
    happened = {
        (
            str(one.permission_id),
            act_of(PermissionState(one.state)),
            instant_said(one.at),
            one.actor_name,
            one.reason,
        )
        for one in events
    }
    by, reason = draft["actor"]["name"][:200], draft["reason"][:300]
    said = {(one["id"], draft["act"], draft["effective_at"], by, reason) for one in draft["permissions"]}
    if draft["number"] != receipt.number or not said or said != happened:
        raise NotInHistory(receipt.number)
    replayed = _replayed(last, receipt.number)
    ids = [UUID(one) for one in dict.fromkeys(one["id"] for one in draft["permissions"])]
    permissions, points = [], {}
    for pk in ids:
        permission, named = replayed[pk]
        if (permission.holder_id, permission.eligible_party_id) != (
            receipt.holder_id,
            receipt.eligible_party_id,
        ):
            raise NotInHistory(receipt.number)
        permission.holder, permission.eligible_party = receipt.holder, receipt.eligible_party
        permissions.append(permission)
        if "left_on" in last[pk].details or not permission.all_points:
            points[pk] = last[pk].details.get("left_on", {}) or named
    first = last[ids[0]]
    ending = Ending(draft["act"], By(first.actor_id, first.actor_name), first.at, first.reason)
    return Ended(receipt.number, permissions, points, ending)


def _replayed(last: Mapping[UUID, PermissionEvent], number: str) -> dict[UUID, tuple[Permission, set[str]]]:
    """Permissions, and the points that they named, as these events left them. Raises `NotInHistory` where the events do
    not say all of a permission: its first one is not as it was written.
    """
    past: dict[UUID, list[PermissionEvent]] = {pk: [] for pk in last}
    for event in PermissionEvent.objects.filter(permission__in=list(last)).order_by("permission", "sequence"):
        if event.sequence <= last[event.permission_id].sequence:
            past[event.permission_id].append(event)
    replayed = {pk: replay(events) for pk, events in past.items()}
    services = DataService.objects.in_bulk(
        {permission.service_id for permission, _points in replayed.values()}
    )
    for permission, _points in replayed.values():
        if permission.service_id not in services:
            raise NotInHistory(number)
        permission.service = services[permission.service_id]
    return replayed


def act_of(state: PermissionState) -> str:
    """What an event into this state is called on a receipt."""
    return _ACTS.get(state, "invalidate")
