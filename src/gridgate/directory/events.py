"""What a company's own directory does. Sent inside the transaction that makes the change."""

from django.dispatch import Signal

added_by_directory = Signal()
"""`membership`, `now`: a company's own directory lets a person act for it, whom nobody asked before."""
