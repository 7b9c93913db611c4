"""No browser test asks a page anything at once after a click that may lead to another."""

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

JOURNEYS = sorted((Path(__file__).parents[1] / "e2e").glob("test_*.py"))
PRESSING = (".click()", '.press("Enter")')
AT_ONCE = (".goto(", ".reload(", ".evaluate(", ".content()", ".count()", ".inner_text()", ".url", "look(")
"""What does not wait for anything: it is asked of the page that goes, or of one that has not come."""


def hasty(source: str) -> Iterator[int]:
    """The lines that ask at once. A name bound to a place on the page asks nothing, so the line after it counts."""
    for node in ast.walk(ast.parse(source)):
        for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            if not isinstance(block, list):
                continue
            asking = [one for one in block if not _names_a_place(source, one)]
            yield from (then.lineno for click, then in pairwise(asking) if _at_once(source, click, then))


def _at_once(source: str, click: ast.stmt, then: ast.stmt) -> bool:
    said = ast.get_source_segment(source, click) or ""
    first = (ast.get_source_segment(source, then) or "").splitlines()[0]
    if (
        not isinstance(click, ast.Expr)
        or not said.endswith(PRESSING)
        or "expect(" in first
        or "wait_for" in first
    ):
        return False
    return any(word in first for word in AT_ONCE)


def _names_a_place(source: str, statement: ast.stmt) -> bool:
    said = ast.get_source_segment(source, statement) or ""
    return isinstance(statement, ast.Assign) and not any(word in said for word in AT_ONCE)


def test_it_finds_what_is_asked_at_once() -> None:
    assert list(hasty('button.click()\nrows = page.locator("tr")\npage.reload()')) == [3]
    assert list(hasty('button.click()\npage.wait_for_url("**/la/")\npage.reload()')) == []


def test_after_a_click_one_waits() -> None:
    found = [f"{path.name}:{line}" for path in JOURNEYS for line in hasty(path.read_text(encoding="utf-8"))]
    assert found == [], "press with tests.e2e.going.go, which waits for the page it leads to"
