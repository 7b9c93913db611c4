import re
from types import SimpleNamespace

import pytest

from tests.factories.organisations import make_group, make_member


@pytest.fixture
def company(world):
    """ACME with its groups by name, and Maud, who may manage users and nothing else of its administration."""
    maud = make_member(world.acme, "Maud", email="maud@acme.example")
    make_group(world.acme, "Accueil", [maud], {"users": None})
    groups = {group.name: group for group in world.acme.groups.all()}
    methods = {name: getattr(world, name) for name in ("visitor", "membership")}
    here = SimpleNamespace(
        **vars(world),
        **methods,
        maud=maud,
        lyon=groups["Site de Lyon"],
        seat=groups["Siège"],
        reception=groups["Accueil"],
    )
    here.client = lambda name, **options: type(world).client(here, name, **options)
    return here


def read_and_confirmed(client, address: str, form: dict, *, follow: bool = False):
    """The answer to a form whose page, before anything is saved, says who loses what; both are sent."""
    page = client.post(address, form)
    assert page.status_code == 200, "nothing is to be read first"
    assert "Rien n’est encore enregistré." in text_of(page)
    return client.post(address, {**form, "seen": hidden(page, "seen")}, follow=follow)


def text_of(response) -> str:
    """The page's words, on one line, with plain spaces."""
    bare = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"[\s\u00a0\u202f]+", " ", bare)


def hidden(response, name: str) -> str:
    """What a hidden field of the page carries."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', response.content.decode())
    assert found, f"no hidden field {name}"
    return found.group(1)
