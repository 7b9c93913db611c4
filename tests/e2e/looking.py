"""What is wrong with a page, as a browser sees it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import ConsoleMessage, Page

from tests.languages import foreign

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LAPTOP, PHONE = 1280, 360
HEIGHT = 900


@contextmanager
def listening(page: Page) -> Iterator[list[str]]:
    """The errors that the page's console tells: of scripts, of the content security policy, of files not found."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        at = message.location.get("url", "")
        own_status = at == page.url and message.text.startswith("Failed to load resource")
        # A form keeps what was typed; a field for dates says that it cannot show it.
        no_date = message.text.startswith("The specified value") and "required format" in message.text
        if message.type in ("error", "warning") and not own_status and not no_date:
            said.append(f"{message.text} ({at})")

    def fail(error: Exception) -> None:
        said.append(str(error))

    page.on("console", hear)
    page.on("pageerror", fail)
    yield said
    page.remove_listener("console", hear)
    page.remove_listener("pageerror", fail)


def axe(page: Page) -> list[str]:
    """What axe finds: the rule and the first element that breaks it."""
    return _axe(page, "document", {})


def axe_of_kinds(page: Page, kinds: list[str], *, whole: bool) -> list[str]:
    """What axe finds of elements of these kinds, which `elements.js` has told.

    `whole`: and of the whole page, but for contrasts, which take axe longer than all else and are each element's own.
    """
    only = "window.onlyOf(kinds)"
    if not whole:
        return _axe(page, only, {}, kinds)
    contrast = "color-contrast"
    return [
        *_axe(page, "document", {"rules": {contrast: {"enabled": False}}}),
        *_axe(page, only, {"runOnly": {"type": "rule", "values": [contrast]}}, kinds),
    ]


def _axe(page: Page, what: str, options: dict[str, Any], kinds: Sequence[str] = ()) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    asked = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"], **options}
    run = f"([kinds, options]) => axe.run({what}, options).then(said => said.violations)"
    found = page.evaluate(run, [kinds, asked])
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def lines_of(page: Page) -> list[str]:
    """The lines a reader sees in the page's main part, but for the tools that scripts alone can offer."""
    text = page.locator("main").inner_text()
    for tools in page.locator("main .reader:visible, main [data-print]:visible").all():
        text = text.replace(tools.inner_text(), "", 1)
    return [line for line in text.splitlines() if line.strip()]


def structure(page: Page, language: str, data: tuple[str, ...] = ()) -> Iterator[str]:
    """One heading, a title, and no word of the other language."""
    seen = page.evaluate(SEEN)
    if seen["headings"] != 1:
        yield f"{seen['headings']} main headings"
    if not seen["title"].strip(" ·"):
        yield "no title"
    if seen["language"] != language:
        yield f"says it is in {seen['language']}"
    text = seen["text"]
    for known in data:
        text = text.replace(known, "")
    yield from foreign(text, language)


def loads_scripts(page: Page) -> bool:
    """Whether scripts can make it another page than it is without."""
    return bool(page.evaluate("document.querySelector('script[src]') !== null"))


def sideways(page: Page, width: int) -> Iterator[str]:
    if (found := page.evaluate("document.documentElement.scrollWidth")) > width:
        yield f"{found} px wide"


def squeezed(page: Page) -> list[str]:
    """What a phone shows in too little room, or out of place: a state on three lines, a sentence in half of a card that
    has the other half free, a text of a drawing out of its card, a hole between figures, a slider for a needle, a head
    beside its column, a number of a request on two lines.
    """
    found: list[str] = page.evaluate(SQUEEZED)
    return found


def unseen_heads(page: Page) -> list[str]:
    """The heads that sort a list, as cards on a phone, which whoever tabs to them does not see."""
    found: list[str] = page.evaluate(UNSEEN_HEADS)
    return found


def on_paper(page: Page) -> list[str]:
    """What a page to print, of lists to tick, of rights or of a receipt, has on paper that no paper needs, or lacks."""
    if not page.evaluate("document.querySelector('main :is(.table .pick, .matrix, .doc)') !== null"):
        return []
    page.emulate_media(media="print")
    try:
        found: list[str] = page.evaluate(ON_PAPER)
    finally:
        page.emulate_media(media="screen")
    return found


UNSEEN_HEADS = """() => {
  const unseen = [];
  for (const head of document.querySelectorAll("main .stack thead a")) {
    head.focus();
    const box = head.getBoundingClientRect();
    const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    if (!head.contains(there) || box.height < 24) unseen.push(`a head that sorts is not seen: ${head.textContent}`);
    head.blur();
  }
  return unseen;
}"""

ON_PAPER = """() => {
  const wrong = [];
  const shown = (element) => [...element.getClientRects()].some((box) => box.height > 1);
  for (const one of document.querySelectorAll(".btn, .pick, .bar, .side, main nav"))
    if (shown(one)) wrong.push(`on paper: ${one.className || one.tagName}`);
  for (const one of document.querySelectorAll("main .scroll"))
    if (getComputedStyle(one).overflowX !== "visible") wrong.push("on paper: what scrolls");
  for (const table of document.querySelectorAll("main .table")) {
    const rows = [...table.rows].filter(shown).map((row) => [...row.cells].filter(shown));
    const columns = new Set(rows.map((cells) => cells.reduce((sum, cell) => sum + cell.colSpan, 0)));
    if (columns.size > 1) wrong.push("on paper: heads beside their columns");
    if (table.tHead && getComputedStyle(table.tHead).display !== "table-header-group")
      wrong.push("on paper: heads that the next sheet lacks");
  }
  return wrong;
}"""

SQUEEZED = """() => {
  const said = [];
  const say = (what, element) => said.push(`${what}: ${element.textContent.trim().slice(0, 80)}`);
  const range = document.createRange();
  const lines = (element) => {
    range.selectNodeContents(element);
    const tops = [...range.getClientRects()].filter((box) => box.width > 1).map((box) => box.top);
    const high = parseFloat(getComputedStyle(element).lineHeight);
    return tops.length ? (Math.max(...tops) - Math.min(...tops)) / high + 1 : 0;
  };
  for (const tag of document.querySelectorAll("main .tag")) if (lines(tag) > 2.5) say("a state on three lines", tag);
  for (const cell of document.querySelectorAll("main .stack tbody td")) {
    if (lines(cell) < 3.5) continue;
    const box = cell.getBoundingClientRect();
    const row = cell.parentElement.getBoundingClientRect();
    const beside = [...cell.parentElement.children].some((other) => {
      const its = other.getBoundingClientRect();
      return other !== cell && its.width > 1 && its.top < box.bottom - 1 && its.bottom > box.top + 1;
    });
    if (!beside && box.width < 0.7 * row.width) say("a cell in half of its card", cell);
  }
  for (const text of document.querySelectorAll("main .plot text")) {
    const [box, card] = [text, text.closest(".card, .tile, main")].map((one) => one.getBoundingClientRect());
    if (box.width && (box.right > card.right - 4 || box.left < card.left)) say("out of its card", text);
  }
  for (const row of document.querySelectorAll("main .figures")) {
    const held = [...row.children].reduce((sum, { offsetWidth, offsetHeight }) => sum + offsetWidth * offsetHeight, 0);
    if (held < 0.95 * row.clientWidth * row.clientHeight) say("figures with a hole", row);
  }
  for (const slider of document.querySelectorAll("main input[type=range]"))
    if (slider.offsetWidth && slider.offsetHeight < 40) said.push("a slider too low for a thumb");
  for (const table of document.querySelectorAll("main .table:not(.stack)")) {
    const [head, row] = ["thead th", "tbody th"].map((one) => table.querySelector(one));
    if (head && row && [head, row].every((one) => one.matches(":first-child"))) {
      const [over, under] = [head, row].map((one) => parseFloat(getComputedStyle(one).paddingLeft));
      if (Math.abs(over - under) > 1) say("a head out of line with its column", head);
    }
  }
  const texts = document.createTreeWalker(document.querySelector("main") ?? document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    for (const found of text.data.matchAll(/ ·|\\b[A-Z]{2,4}-[0-9]{4,8}-[0-9A-Z]{4,8}\\b/g)) {
      range.setStart(text, found.index);
      range.setEnd(text, found.index + found[0].length);
      if (found[0] === " ·") say("a point that may begin a line", text.parentElement);
      else if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1)
        say("a number on two lines", text.parentElement);
    }
  }
  return said;
}"""

SEEN = """() => {
  const copy = document.body.cloneNode(true);
  for (const other of copy.querySelectorAll("[lang], script, style, code")) other.remove();
  const said = [document.title, copy.textContent];
  for (const element of copy.querySelectorAll("[aria-label], [title], [placeholder], [data-l]"))
    for (const name of ["aria-label", "title", "placeholder", "data-l"])
      said.push(element.getAttribute(name) ?? "");
  return {
    headings: document.querySelectorAll("main h1").length,
    title: document.title,
    language: document.documentElement.lang,
    text: said.join(" \\n ").replace(/\\s+/g, " "),
  };
}"""
"""What the page says in its own language, and how it begins."""
