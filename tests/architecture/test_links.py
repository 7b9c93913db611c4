"""No arrow by string: a room below the portal names no screen. Its letters ask for the links of things."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import get_resolver

import gridgate
from gridgate.notifications import links
from gridgate.portal.letter_links import SCREENS

PACKAGE = Path(gridgate.__file__).parent
ROOMS_WITH_SCREENS = ("portal", "demo", "config")
BELOW = [
    room
    for room in sorted(PACKAGE.iterdir())
    if (room / "__init__.py").is_file() and room.name not in ROOMS_WITH_SCREENS
]
NAMING_A_SCREEN = {"reverse", "reverse_lazy", "resolve_url", "redirect"}


def calls_in(source: str) -> Iterator[str]:
    """The names of the functions that it calls."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                yield f"{node.func.value.id}.{node.func.attr}"


def names_a_screen(source: str) -> bool:
    return any(call.rpartition(".")[2] in NAMING_A_SCREEN for call in calls_in(source))


def templates_below() -> Iterator[Path]:
    for room in BELOW:
        yield from (path for path in room.rglob("templates/**/*") if path.is_file())


def asked_for() -> set[str]:
    """The things whose links the rooms below the portal ask for."""
    asked = set()
    for room in BELOW:
        for path in room.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id == "link_to"
                ):
                    assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno} names no thing"
                    asked.add(node.args[0].value)
    for path in templates_below():
        asked.update(re.findall(r"\{% link \"(\w+)\"", path.read_text(encoding="utf-8")))
    return asked


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("reverse('home')", True),
        ("urls.reverse('home')", True),
        ("return_to(redirect('home'))", True),
        ("[1, 2].reverse()", False),
        ("link_to('home')", False),
    ],
)
def test_the_search_finds_a_screen_that_is_named(source: str, told: bool) -> None:
    assert names_a_screen(source) is told


def test_no_module_below_the_portal_names_a_screen() -> None:
    naming = [
        path.relative_to(PACKAGE).as_posix()
        for room in BELOW
        for path in sorted(room.rglob("*.py"))
        if names_a_screen(path.read_text(encoding="utf-8"))
    ]
    assert naming == []


def test_no_letter_names_a_screen_or_its_path() -> None:
    letters = list(templates_below())
    assert len(letters) > 20
    for path in letters:
        named = re.findall(r"\{% url|base_url \}\}/", path.read_text(encoding="utf-8"))
        assert named == [], path.name


def test_every_link_that_a_letter_asks_for_is_given_and_no_other() -> None:
    assert asked_for() == set(SCREENS) == links.given()


def test_every_link_leads_to_a_screen_that_is_there() -> None:
    screens = get_resolver().reverse_dict
    assert [screen for screen in SCREENS.values() if screen not in screens] == []
