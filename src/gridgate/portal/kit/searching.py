"""What is searched for: `?q=`, or the same in a form."""

from django.http import QueryDict

LONGEST = 200
"""Longer texts find nothing, and databases refuse to look for very long ones."""


def searched(said: QueryDict | None) -> str:
    return said.get("q", "").strip()[:LONGEST] if said else ""
