"""Which notice follows from what sharing tells."""

from datetime import datetime

from gridgate.notifications import permissions
from gridgate.sharing import events
from gridgate.sharing.models import Permission, PermissionRequest, Receipt


def requested(*, request: PermissionRequest, now: datetime, **_: object) -> None:
    permissions.tell_of_request(request, now=now)


def refused(*, request: PermissionRequest, now: datetime, **_: object) -> None:
    permissions.tell_of_refusal(request, now=now)


def granted(*, permission: Permission, extended: bool, now: datetime, **_: object) -> None:
    permissions.tell_of_change("extended" if extended else "granted", permission, now=now)


def suspended(*, permission: Permission, now: datetime, **_: object) -> None:
    permissions.tell_of_change("suspended", permission, now=now)


def resumed(*, permission: Permission, now: datetime, **_: object) -> None:
    permissions.tell_of_change("resumed", permission, now=now)


def signed(*, receipt: Receipt, now: datetime, **_: object) -> None:
    permissions.tell_of_end(receipt, now=now)


def connect() -> None:
    """Listen to sharing."""
    events.permission_requested.connect(requested)
    events.request_refused.connect(refused)
    events.permission_granted.connect(granted)
    events.permission_suspended.connect(suspended)
    events.permission_resumed.connect(resumed)
    events.receipt_signed.connect(signed)
