"""What is wrong with a page, as a browser sees it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FRENCH = re.compile(r"\b(les|des|une|vos|votre|pour|avec|dans|jusqu’au|depuis|aucune?|kWh soutirés)\b", re.I)
ENGLISH = re.compile(r"\b(the|and|your|with|from|until|since|this|none)\b", re.I)
"""Words that the other language does not have."""


def problems_of(page: Page, *, width: int, language: str, data: tuple[str, ...]) -> list[str]:
    """Everything wrong with the page as it stands. `data` are texts of the world, in whatever language they are."""
    return [
        *_structure(page),
        *_accessibility(page),
        *_sideways(page, width),
        *_other_language(page, language, data),
    ]


@contextmanager
def listening(page: Page) -> Iterator[list[str]]:
    """The errors that the page's console tells: of scripts, of the content security policy, of files not found."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # The browser tells of the page's own status too.
        if message.type in ("error", "warning") and message.location.get("url") != page.url:
            said.append(message.text)

    def fail(error: Exception) -> None:
        said.append(str(error))

    page.on("console", hear)
    page.on("pageerror", fail)
    yield said
    page.remove_listener("console", hear)
    page.remove_listener("pageerror", fail)


def axe(page: Page) -> list[str]:
    """What axe finds: the rule and the first element that breaks it."""
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    results = Axe().run(page, options=options)
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in results.response["violations"]]


def lines_of(page: Page) -> list[str]:
    """The lines a reader sees in the page's main part, but for the tools that scripts alone can offer."""
    text = page.locator("main").inner_text()
    for tools in page.locator("main .reader:visible").all():
        text = text.replace(tools.inner_text(), "", 1)
    return [line for line in text.splitlines() if line.strip()]


def _structure(page: Page) -> Iterator[str]:
    if page.locator("main h1").count() != 1:
        yield f"{page.locator('main h1').count()} main headings"
    if not page.title().strip(" ·"):
        yield "no title"


def _accessibility(page: Page) -> Iterator[str]:
    yield from axe(page)


def _sideways(page: Page, width: int) -> Iterator[str]:
    if (found := page.evaluate("document.documentElement.scrollWidth")) > width:
        yield f"{found} px wide"


def _other_language(page: Page, language: str, data: tuple[str, ...]) -> Iterator[str]:
    if page.locator("html").get_attribute("lang") != language:
        yield "says it is in another language"
    text = page.evaluate(TEXT_IN_THE_PAGES_LANGUAGE)
    for known in data:
        text = text.replace(known, "")
    for word in sorted(
        {found.group(0) for found in (ENGLISH if language == "fr" else FRENCH).finditer(text)}
    ):
        at = text.index(word)
        yield f"another language: …{text[max(0, at - 40) : at + 40]}…"


TEXT_IN_THE_PAGES_LANGUAGE = """() => {
  const copy = document.body.cloneNode(true);
  for (const other of copy.querySelectorAll("[lang], script, style, code")) other.remove();
  const said = [document.title, copy.textContent];
  for (const element of copy.querySelectorAll("[aria-label], [title], [placeholder], [data-l]"))
    for (const name of ["aria-label", "title", "placeholder", "data-l"])
      said.push(element.getAttribute(name) ?? "");
  return said.join(" \\n ").replace(/\\s+/g, " ");
}"""
