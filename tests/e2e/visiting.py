"""One visit to a page: what only a browser sees, in both languages and at both widths, from one opening.

Axe is asked where a page shows an element unlike all that were met before; `elements.js` says what makes two alike.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, ViewportSize

from tests.e2e.looking import (
    HEIGHT,
    LAPTOP,
    PHONE,
    axe,
    axe_of_kinds,
    listening,
    loads_scripts,
    on_paper,
    sideways,
    squeezed,
    structure,
    unseen_heads,
)

ELEMENTS = (Path(__file__).parent / "elements.js").read_text(encoding="utf-8")


CHOSEN = "django_language"
LOW = 300
"""A window this high is painted at a third of the cost, and nothing that a visit asks depends on the height."""


class Visitor:
    """Looks at one page after another, and remembers the elements it has met.

    `everywhere`: each page is opened four times, in either language and at either width, each time with all of axe.
    """

    def __init__(self, *, everywhere: bool = False) -> None:
        self.everywhere = everywhere
        self._height = HEIGHT if everywhere else LOW
        self._met: dict[str, set[str]] = {"fr": set(), "en": set()}

    def look(self, page: Page, *, status: int = 200, data: tuple[str, ...] = ()) -> list[str]:
        """Everything wrong with a page in French and with the same address in English. It stands as before
        afterwards.

        `status` is what the address answers; `data` are texts of the world, in whatever language they are. What
        answers a form has no English under the same address: `look_in` is for that.
        """
        if self.everywhere:
            return [
                one
                for language in ("fr", "en")
                for width in (LAPTOP, PHONE)
                for one in self._open_beside(page, language, (width,), status, data)
            ]
        before = page.viewport_size
        wrong = self.look_in(page, "fr", data=data)
        if loads_scripts(page):
            wrong += self._open_beside(page, "en", (PHONE, LAPTOP), status, data)
        else:
            with speaking(page.context, "en", at=page.url):
                said = page.evaluate(TO_ENGLISH)
            if said == status:
                wrong += self.look_in(page, "en", data=data)
                page.evaluate(BACK)
            else:
                wrong.append(f"en: {said}")
        if before and page.viewport_size != before:
            page.emulate_media(color_scheme="light")
            page.set_viewport_size(before)
        return wrong

    def look_in(self, page: Page, language: str, *, data: tuple[str, ...] = ()) -> list[str]:
        """Everything wrong with a page in the language it is in: on a laptop, and on a phone in the dark."""
        # In this order a page that is looked at in both languages changes its width once in each.
        widths = (LAPTOP, PHONE) if language == "fr" else (PHONE, LAPTOP)
        return self._wrong(page, language, widths, data)

    def _open_beside(
        self, page: Page, language: str, widths: tuple[int, ...], status: int, data: tuple[str, ...]
    ) -> list[str]:
        """In a page of its own, as its scripts make it."""
        beside = page.context.new_page()
        try:
            self._show(beside, widths[0])
            with listening(beside) as said, speaking(page.context, language, at=page.url):
                answer = beside.goto(page.url)
                assert answer
                if answer.status != status:
                    said.append(f"status {answer.status}")
                return [*self._wrong(beside, language, widths, data), *(f"{language}: {one}" for one in said)]
        finally:
            beside.close()

    def _wrong(self, page: Page, language: str, widths: tuple[int, ...], data: tuple[str, ...]) -> list[str]:
        wrong = [f"{language}: {one}" for one in structure(page, language, data)]
        for width in widths:
            self._show(page, width)
            found = [*sideways(page, width), *self._axe(page, language, width)]
            if width == PHONE:
                found += [*squeezed(page), *unseen_heads(page)]
            elif language == "fr":
                found += on_paper(page)
            wrong += [f"{language}, {width} px: {one}" for one in found]
        return wrong

    def _show(self, page: Page, width: int) -> None:
        """A laptop in the light, a phone in the dark."""
        wanted = ViewportSize(width=width, height=self._height)
        if page.viewport_size != wanted:
            page.set_viewport_size(wanted)
            page.emulate_media(color_scheme="dark" if width == PHONE else "light")

    def _axe(self, page: Page, language: str, width: int) -> list[str]:
        """In French in the light and in English in the dark, of the elements that were not met so."""
        if self.everywhere:
            return axe(page)
        if (language, width) not in (("fr", LAPTOP), ("en", PHONE)):
            return []
        new = [kind for kind in page.evaluate(ELEMENTS) if kind not in self._met[language]]
        self._met[language].update(new)
        return axe_of_kinds(page, new, whole=language == "fr") if new else []


@contextmanager
def speaking(context: BrowserContext, language: str, *, at: str) -> Iterator[None]:
    """The browser has chosen this language for a while, for the server of this address."""
    before: list[Any] = [cookie for cookie in context.cookies(at) if cookie["name"] == CHOSEN]
    chosen: Any = {"name": CHOSEN, "value": language, "domain": urlsplit(at).hostname or "", "path": "/"}
    context.add_cookies([chosen])
    try:
        yield
    finally:
        context.clear_cookies(name=CHOSEN)
        context.add_cookies(before)


TO_ENGLISH = """async () => {
  const answer = await fetch(location.href);
  const there = new DOMParser().parseFromString(await answer.text(), "text/html");
  const head = (page) => [...page.head.querySelectorAll("link, meta, script")].map((element) => element.outerHTML).join();
  if (head(there) !== head(document)) return "another head than in French";
  window.inFrench = [document.body, document.title, document.documentElement.lang];
  document.title = there.title;
  document.documentElement.lang = there.documentElement.lang;
  document.body.replaceWith(document.adoptNode(there.body));
  return answer.status;
}"""
"""Put the English page in the place of the French one: no script ran there, so it is as if it had been opened."""

BACK = """() => {
  const [body, title, language] = window.inFrench;
  document.body.replaceWith(body);
  document.title = title;
  document.documentElement.lang = language;
}"""
