"""What the apps above may listen to. Sent inside the transaction that makes the change."""

from django.dispatch import Signal

membership_changed = Signal()
"""`membership`, `now`: a membership began or ended, or its role, entitlements or perimeter changed."""

request_changed = Signal()
"""`request`, `kind`, `verb`, `now`: a request to the operator was submitted, taken, returned, accepted, refused or
withdrawn.
"""

invitation_sent = Signal()
"""`invitation`, `now`: an activation link is due to the person, for the first time or again."""
