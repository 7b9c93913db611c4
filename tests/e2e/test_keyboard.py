"""The main job with the keyboard alone."""

from playwright.sync_api import Page

from tests.e2e.conftest import OpenAs
from tests.instance import Server

FOCUSED = """() => {
  const element = document.activeElement;
  const name = (element.getAttribute("aria-label") ?? element.textContent).trim().replace(/\\s+/g, " ");
  const box = element.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    name,
    marked: element.matches(":focus-visible") && getComputedStyle(element).outlineStyle !== "none",
    covered: !(element.contains(top) || (top && top.contains(element))),
  };
}"""


def test_it_ends_a_sharing(own_demo_server: Server, open_as: OpenAs) -> None:
    with open_as(own_demo_server, "alice") as page:
        page.goto("/partage/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#contenu"
        page.keyboard.press("Enter")
        _tab_to(page, "Résilier Tiers 1")
        page.keyboard.press("Enter")
        page.wait_for_url("**/resilier/")
        _tab_to(page, "Résilier Tiers 1 maintenant")
        page.keyboard.press("Enter")
        page.wait_for_url("**/partage/recus/**")


def _tab_to(page: Page, name: str) -> None:
    """Press Tab up to the element; each one on the way shows that it has the focus, and nothing lies over it."""
    for _ in range(120):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        assert focused["marked"], focused
        assert not focused["covered"], focused
        if focused["name"] == name:
            return
    raise AssertionError(f"the keyboard never reaches {name!r}")
