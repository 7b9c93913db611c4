"""Links in letters: a letter asks for that of a thing, and whoever has the pages says where that is.

The portal does, at its start (`portal.letter_links`).

link_to("permission_request", request.pk)        {% link "permission_request" request.pk %}
"""

from collections.abc import Callable, Mapping

from django.conf import settings

_PATHS: dict[str, Callable[..., str]] = {}


def give(paths: Mapping[str, Callable[..., str]]) -> None:
    """Say where things are: of each kind, the path of the one that its arguments name."""
    _PATHS.update(paths)


def given() -> frozenset[str]:
    """The kinds of things whose links letters may ask for."""
    return frozenset(_PATHS)


def link_to(thing: str, *named: object) -> str:
    """The whole address of a thing. Raises `KeyError` for one of a kind that nobody has a page of."""
    return f"{settings.BASE_URL}{_PATHS[thing](*named)}"
