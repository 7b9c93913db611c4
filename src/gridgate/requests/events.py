"""What becomes of requests to the operator. Sent inside the transaction that makes the change."""

from django.dispatch import Signal

request_changed = Signal()
"""`request`, `kind`, `verb`, `now`: a request to the operator was submitted, taken, returned, accepted, refused or
withdrawn.
"""
