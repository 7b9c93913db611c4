"""Whether templates say the same as those of another checkout, on whatever a run of tests renders:

    BEFORE=/path/to/checkout .venv/bin/pytest -n 0 -p tools.same_pages tests/pages/test_documents.py tests/functional

Each template is rendered from both, with the same values, and what differs is told at the end: in letters any sign; in
pages elements, attributes and text, with runs of blanks as one and none at the edge of a block. A blank between two
elements counts, though a flex or grid container shows none.
"""

import os
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest
from lxml import html

# fmt: off
BLOCKS = frozenset((
    "article", "aside", "body", "caption", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "head", "header", "html", "legend", "li", "link",
    "main", "meta", "nav", "ol", "option", "p", "pre", "script", "section", "select", "summary", "table",
    "tbody", "td", "template", "tfoot", "th", "thead", "title", "tr", "ul",
))
# fmt: on
NEW_EACH_TIME = re.compile(r'(name="(?:csrfmiddlewaretoken|keep)" value=|nonce=)"[^"]*"')
Piece = tuple[str, str]
"""An element's tag or end, or a text; and what of it is compared."""


def pieces(page: str) -> list[Piece]:
    """The page as elements and text, in order."""
    whole = page if "<html" in page else f"<!doctype html><html><body><div>{page}</div></body></html>"
    found: list[Piece] = []
    for kind, said in _pieces(html.document_fromstring(NEW_EACH_TIME.sub(r'\1""', whole)), verbatim=False):
        if kind == "text" and found and found[-1][0] == "text":
            said = found.pop()[1] + said
        found.append((kind, said))
    return list(_without_edges(found))


def _pieces(element: Any, *, verbatim: bool) -> Iterator[Piece]:
    if isinstance(element.tag, str):
        verbatim = verbatim or element.tag in ("pre", "textarea", "script")
        yield element.tag, str(sorted(element.attrib.items()))
        yield from _text(element.text, verbatim)
        for child in element:
            yield from _pieces(child, verbatim=verbatim)
            yield from _text(child.tail, verbatim)
        yield element.tag, "/"


def _text(text: str | None, verbatim: bool) -> Iterator[Piece]:
    if text:
        yield "verbatim" if verbatim else "text", text if verbatim else re.sub(r"[ \t\r\n\f]+", " ", text)


def _without_edges(found: list[Piece]) -> Iterator[Piece]:
    for rank, (kind, said) in enumerate(found):
        text = said
        if kind == "text":
            text = re.sub(" +", " ", text)
            text = text.removeprefix(" ") if found[rank - 1][0] in BLOCKS else text
            text = text.removesuffix(" ") if found[rank + 1][0] in BLOCKS else text
        if text:
            yield kind, text


def differences(name: str, before: str, after: str) -> Iterator[str]:
    """What one template says otherwise than it did, with what stands around it."""
    if not name.endswith(".html"):
        if before != after:
            yield f"{name}: {before!r} → {after!r}"
        return
    old, new = pieces(before), pieces(after)
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield f"{name}: after {old[a - 1] if a else ''}: {old[a:b]} → {new[c:d]}"


class SamePages:
    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.rendering = ""
        self.names: set[str] = set()
        self.found: set[str] = set()

    @pytest.hookimpl
    def pytest_sessionstart(self) -> None:
        from django.conf import settings
        from django.template.backends.django import DjangoTemplates, Template

        package = self.checkout / "src" / "gridgate"
        portal = package / "portal"
        screens = sorted(portal.glob("screens/*/templates"))
        folders = [portal / "templates", portal, *screens, *sorted(package.glob("*/templates"))]
        options = {**settings.TEMPLATES[0]["OPTIONS"]}
        before = DjangoTemplates({"NAME": "before", "DIRS": folders, "APP_DIRS": False, "OPTIONS": options})
        plain = Template.render

        def render(template: Any, context: Any = None, request: Any = None) -> Any:
            """From both; a component that a tag renders comes from where the template around it does."""
            name = template.template.name
            if self.rendering == "before" and template.backend is not before:
                return plain(before.get_template(name), context, request)
            if self.rendering or not name:
                return plain(template, context, request)
            try:
                self.rendering = "before"
                old = plain(before.get_template(name), context, request)
                self.rendering = "after"
                new = plain(template, context, request)
            finally:
                self.rendering = ""
            self.names.add(name)
            self.found.update(differences(name, old, new))
            return new

        Template.render = render

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section(f"{len(self.names)} templates beside those of {self.checkout}")
        for difference in sorted(self.found):
            terminalreporter.write_line(difference)
        terminalreporter.write_line(f"{len(self.found)} differences")


def pytest_configure(config: pytest.Config) -> None:
    if "BEFORE" not in os.environ:
        raise pytest.UsageError("BEFORE names the checkout to compare with")
    config.pluginmanager.register(SamePages(Path(os.environ["BEFORE"]).resolve()))
