"""Rows in addresses: `<group:pk>` reads a handle, and gives the view the number; in templates `{{ pk|handle:"group" }}`.

What is no handle of that kind is an address that does not exist.
"""

from django.urls import register_converter
from django.urls.converters import get_converters

from gridgate.organisations.handles import PATTERN, handle_of, number_of

KINDS = (
    "member",
    "group",
    "invitation",
    "directory_token",
    "document",
    "passkey",
    "sign_in_link",
    "lost_factor",
    "join_request",
    "prepared_file",
)


def _converter(name: str) -> type:
    class Converter:
        regex = PATTERN

        def to_python(self, value: str) -> int:
            number = number_of(name, value)
            if number is None:
                raise ValueError(value)
            return number

        def to_url(self, value: int) -> str:
            return handle_of(name, value)

    return Converter


def register() -> None:
    """Once, before the first `urls.py` is read."""
    for name in KINDS:
        if name not in get_converters():
            register_converter(_converter(name), name)
