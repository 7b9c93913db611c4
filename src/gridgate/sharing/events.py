"""What sharing tells the apps above it, inside the transaction that changes it.

Receivers connect in their `AppConfig.ready()`; what one raises undoes the change.
"""

from django.dispatch import Signal

permission_requested = Signal()
"""An eligible party asks: `request: PermissionRequest`, `now: datetime`."""

request_refused = Signal()
"""The holder said no: `request: PermissionRequest`, `now: datetime`."""

permission_granted = Signal()
"""A permission is active, or lasts longer: `permission: Permission`, `extended: bool`, `now: datetime`."""

permission_suspended = Signal()
"""The operator stopped the reading for a while: `permission: Permission`, `now: datetime`."""

permission_resumed = Signal()
"""The operator let it go on: `permission: Permission`, `now: datetime`."""

receipt_signed = Signal()
"""Permissions, or some of their points, ended, and this proves it: `receipt: Receipt`, `now: datetime`. Sent in the
transaction that keeps the signed receipt.
"""
