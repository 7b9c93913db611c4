"""Every page of the portal, said once: each screen folder lists its own in `pages.py`.

A line says the address, who may open it and what the others get, what it asks of the registry, and the states worth
looking at. The tests of access, of queries and of the browser are made from this list; a running portal never reads it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path

ROLES = ("visitor", "no entitlement", "other company", "outside", "allowed")
"""The order of answers: nobody; a member without the entitlement; an administrator of another company; a member who has
the entitlement and whose perimeter leaves out the object named; the person who may."""

Answers = tuple[int | str, int | str, int | str, int | str, int | str]
"""For each role an HTTP status, `SIGN_IN`, or "→ name": led to the page of that name."""

SIGN_IN = "in"
"""Led to the sign-in page, which comes back here."""

EVERYONE: Answers = (200, 200, 200, 200, 200)
MEMBERS: Answers = (SIGN_IN, 200, 200, 200, 200)
DATA_SERVICES: Answers = (SIGN_IN, 403, 200, 200, 200)
ADMINISTRATORS: Answers = (SIGN_IN, 403, 200, 403, 200)
OPERATOR: Answers = (SIGN_IN, 403, 403, 403, 200)
FORMS_ONLY: Answers = (SIGN_IN, 405, 405, 405, 405)
"""An address that takes forms of members and is not opened."""


def led_to(page: str, *, visitor: int | str = SIGN_IN) -> Answers:
    """Whoever is signed in is led on to a page."""
    return (visitor, *[f"→ {page}"] * 4)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class State:
    """A page as somebody sees it: what a browser looks at.

    `user` is a name of `demo.json`, None for nobody. `path` may name, between braces, what the demo world is given
    later (a receipt, a link from an e-mail). `data` are texts of that world, in French on every page.
    """

    user: str | None
    path: str
    status: int = 200
    data: tuple[str, ...] = ()
    page: str = ""


def seen(user: str | None, *paths: str, status: int = 200, data: tuple[str, ...] = ()) -> tuple[State, ...]:
    """States of a page for one person; "" is the page's own address, "?…" a query after it."""
    return tuple(State(user, path, status, data) for path in paths or ("",))


@dataclass(frozen=True, slots=True)
class Page:
    """One address of the portal: its name in the URL configuration, and an example of it.

    `path` and `form` name objects between braces: the tests make them. `get` and `post` answer in the order of `ROLES`;
    without `post` no form is taken. `form` is what is posted by everyone; `allowed` is who may. `queries` is how many
    questions the page asks of the registry, whatever the number of rows. `unseen` says why no browser looks at it.
    """

    name: str
    path: str
    get: Answers
    post: Answers | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    allowed: str = "alice"
    queries: int | None = None
    states: tuple[State, ...] = ()
    unseen: str = ""

    def answers(self, method: str) -> Answers:
        """What each role gets to "GET" or "POST"."""
        if method == "GET":
            return self.get
        return self.post or (FORMS_ONLY if self.get[0] == SIGN_IN else (405, 405, 405, 405, 405))

    def looks(self) -> Iterator[State]:
        """The states, each with its whole address and the name of the page."""
        for state in self.states:
            own = not state.path or state.path.startswith("?")
            yield replace(state, page=self.name, path=self.path + state.path if own else state.path)


FORM_ADDRESS = "a form's address: it is sent to, not opened"
DOWNLOAD = "a download"


def every_page() -> Iterator[Page]:
    """The pages of all screens, in the order of their folders."""
    folder = Path(__file__).parent / "screens"
    for file in sorted(folder.glob("*/pages.py")):
        yield from import_module(f"gridgate.portal.screens.{file.parent.name}.pages").PAGES
