"""Handles (`dataplane.handles`) by the secret key of the settings."""

from django.conf import settings

from gridgate.dataplane import handles
from gridgate.dataplane.handles import PATTERN

__all__ = ["PATTERN", "handle_of", "number_of"]


def handle_of(kind: str, number: int) -> str:
    """What to call the row `number` of this kind in addresses, forms, letters and files."""
    return handles.handle_of(kind, number, secret=settings.SECRET_KEY)


def number_of(kind: str, text: str) -> int | None:
    """The number of the row that a text names; None for any text that names none of this kind."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        number = handles.number_of(kind, text, secret=secret)
        if number is not None:
            return number
    return None
