"""A visit sees a fault in what it has not met before, and only there asks axe."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.looking import LAPTOP
from tests.e2e.visiting import LOW, Visitor

KNOWN = """<!doctype html><html lang="{language}"><head><title>Relevés</title><style>
:root {{ color-scheme: light dark; color: CanvasText; background: Canvas }}
.pale {{ color: #bbb; background: #fff }}
@media (prefers-color-scheme: dark) {{ .dim {{ color: #333; background: #000 }} }}
@media (max-width: 400px) {{ .wide {{ width: 900px }} }}
</style></head><body><main><h1>Relevés</h1><ul><li>un</li><li>deux</li></ul>{more}</main></body></html>"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_page(viewport={"width": LAPTOP, "height": LOW}) as page:
        yield page


@pytest.mark.parametrize(
    ("more", "faults"),
    [
        ("<p>trois</p>", []),
        ('<p class="pale">trois</p>', ["fr, 1280 px: color-contrast", "en, 360 px: color-contrast"]),
        ('<p class="dim">trois</p>', ["en, 360 px: color-contrast"]),
        ('<p class="wide">trois</p>', ["fr, 360 px: ", "en, 360 px: "]),
        ('<p><span><input type="text"></span></p>', ["fr, 1280 px: label", "en, 360 px: label"]),
        ("<ul><p>trois</p></ul>", ["fr, 1280 px: list"]),
    ],
)
def test_a_fault_is_seen_beside_what_is_known(page: Page, more: str, faults: list[str]) -> None:
    visitor = Visitor()
    assert visits(visitor, page, "<p class='seen'>trois</p>") == []
    found = visits(visitor, page, more)
    assert [one[: len(fault)] for one, fault in zip(found, faults, strict=True)] == faults
    assert visits(visitor, page, "<p class='seen'>quatre</p>") == []


def visits(visitor: Visitor, page: Page, more: str) -> list[str]:
    found = []
    for language in ("fr", "en"):
        page.set_content(KNOWN.format(language=language, more=more))
        found += visitor.look_in(page, language, data=("Relevés", "un", "deux", "trois", "quatre"))
    return found
