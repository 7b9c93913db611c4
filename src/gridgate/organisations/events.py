"""What the apps above may listen to. Sent inside the transaction that makes the change."""

from django.dispatch import Signal

membership_changed = Signal()
"""`membership`, `now`: a membership began or ended, or its role, entitlements or perimeter changed."""

last_day_set = Signal()
"""`membership`, `now`: until when a person acts for a company was set, moved or taken away."""

last_day_comes = Signal()
"""`membership`, `now`: the last day of a membership is near."""

joins = Signal()
"""`membership`, `actor`, `now`: a person begins to act for a company; sent before that is written down."""

leaves = Signal()
"""`membership`, `actor`, `now`: a person acts for a company no longer; sent while they are in its groups still."""

account_closed = Signal()
"""`user`: their account is closed for every company."""
