"""The main job with the keyboard alone, and the charts, which are read by keyboard and by pointer."""

import re

from playwright.sync_api import Page, expect

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


def test_values_are_read_and_days_chosen_on_the_charts(demo_server: Server, open_as: OpenAs) -> None:
    """Days that are dragged over are an address, like any other: going back shows what was."""
    with open_as(demo_server, "alice") as page:
        page.goto("/mesures/30001480112233/?vue=annee")
        _opens_and_closes(page, "Exporter", holds="Classeur (XLSX)")
        for figure in ("load-curve", "heat-map"):
            told = page.locator(f"figure.{figure} output")
            expect(told).to_contain_text("kW")
            before = told.inner_text()
            page.locator(f"figure.{figure} input").press("ArrowLeft")
            expect(told).not_to_have_text(before)
        drawing = page.locator("figure.load-curve .drawing")
        drawing.scroll_into_view_if_needed()
        box = drawing.bounding_box()
        assert box
        across = [box["x"] + box["width"] * share for share in (0.2, 0.5)]
        page.mouse.move(across[0], box["y"] + 40)
        page.mouse.down()
        page.mouse.move(across[1], box["y"] + 40, steps=3)
        with page.expect_navigation():
            page.mouse.up()
        assert re.search(r"\bdu=[-0-9]{10}&au=[-0-9]{10}$", page.url)
        page.go_back()
        expect(page).to_have_url(re.compile("vue=annee"))


def _opens_and_closes(page: Page, name: str, *, holds: str) -> None:
    """A menu opens by Enter and closes by Escape, which gives the focus back to its button."""
    button, inside = page.get_by_role("button", name=name), page.get_by_role("link", name=holds)
    button.press("Enter")
    expect(inside).to_be_visible()
    page.keyboard.press("Tab")
    expect(inside).to_be_focused()
    page.keyboard.press("Escape")
    expect(inside).to_be_hidden()
    expect(button).to_be_focused()


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
