"""Which pages a person may keep at hand, and the star by which they do.

The star's form carries the page's address and title as the page itself gave them, signed: what is kept is a page that
the portal has shown to this very person, acting for this very company, under its own name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve

from gridgate.accounts.models import Favourite
from gridgate.accounts.own_account import keeps
from gridgate.organisations.models import Membership, User
from gridgate.portal.shell.navigation import MENU

OF_ONE_THING = {
    "metering_point": "metering_points",
    "measurements_point": "measurements",
    "collection_point": "collection",
    "sharing_company": "sharing",
    "service": "services",
    "operator_company": "operator_companies",
}
"""Pages besides those of the menu, and the entry of the menu that each belongs to, by URL name."""

_MENU = {entry.url_name: entry for section in MENU for entry in section.entries}
_SALT = "gridgate.favourite"


@dataclass(frozen=True, slots=True)
class Star:
    """The star of the page: is it kept, and the signed page that the form sends."""

    kept: bool
    page: str


@dataclass(frozen=True, slots=True)
class Line:
    """A favourite in a list. `place`: the entry of the menu that holds it, empty for the entry's own page."""

    path: str
    label: str
    place: str = ""
    icon: str = "star"


class NotAPage(Exception):
    """What the form sent is not a page that this person was shown."""


def star_of(request: HttpRequest, title: str) -> Star | None:
    """The star of the page at hand; None on a page that is not one to keep."""
    match: ResolverMatch | None = request.resolver_match
    user = getattr(request, "user", None)
    if match is None or match.url_name not in _pages() or not isinstance(user, User):
        return None
    membership: Membership | None = getattr(request, "membership", None)
    signed = signing.dumps([user.pk, _company(membership), request.path, title], salt=_SALT)
    if membership is None:
        return Star(keeps(user=user, path=request.path), signed)
    return Star(bool(getattr(membership, "keeps_page", False)), signed)


def page_of(signed: str, *, user: User, membership: Membership | None) -> tuple[str, str]:
    """The address and title that the star of a page sent. Raises `NotAPage`, for a page seen for another company too:
    its title would show there.
    """
    try:
        owner, company, path, title = signing.loads(signed, salt=_SALT)
    except (signing.BadSignature, ValueError):
        raise NotAPage from None
    found = _match(path)
    if (owner, company) != (user.pk, _company(membership)) or found is None or found.url_name not in _pages():
        raise NotAPage
    return path, title


def lines_of(favourites: Iterable[Favourite]) -> list[Line]:
    """As a list shows them: pages of the menu by its words in the language of the reader, others by their title."""
    return [_line(favourite) for favourite in favourites]


def _line(favourite: Favourite) -> Line:
    found = _match(favourite.path)
    name = found.url_name or "" if found is not None else ""
    if name in _MENU:
        return Line(favourite.path, str(_MENU[name].label), icon=_MENU[name].icon)
    place = _MENU.get(OF_ONE_THING.get(name, ""))
    if place is None:  # a page of a screen that is no longer there
        return Line(favourite.path, favourite.label)
    return Line(favourite.path, favourite.label, str(place.label), place.icon)


def _company(membership: Membership | None) -> int | None:
    return None if membership is None else membership.pk


def _pages() -> set[str]:
    return (OF_ONE_THING.keys() | _MENU.keys()) - {"home"}


def _match(path: Any) -> ResolverMatch | None:
    try:
        return resolve(str(path))
    except Resolver404:
        return None
