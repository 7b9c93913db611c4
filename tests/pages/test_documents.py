"""What a page is before a browser opens it: one heading, names for all that one can use, one language throughout."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import Resolver404, resolve
from lxml import html

from gridgate.portal.pages import Page
from tests.languages import foreign
from tests.pages.conftest import Stage
from tests.pages.listed import PAGES
from tests.pages.test_access import ALLOWED, browser

LOOKED_AT = [name for name, page in PAGES.items() if page.states and page.get[ALLOWED] == 200]
REFERENCES = (
    "for",
    "popovertarget",
    "aria-labelledby",
    "aria-describedby",
    "aria-controls",
    "aria-owns",
    "aria-errormessage",
)
STATIC_FILES = (".css", ".js", ".svg", ".woff2")
_ANSWERED: set[tuple[str, str | None]] = set()
"""Which kinds of page have answered whom."""
WORDED = ("aria-label", "title", "placeholder", "data-l", "alt")


@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_page_is_well_made_in_both_languages(stage: Stage, name: str) -> None:
    world, objects = stage
    page = PAGES[name]
    client = browser(world, page, "allowed")
    wrong = {}
    for language in ("fr", "en"):
        client.cookies["django_language"] = language
        response = client.get(page.path.format(**objects))
        document = html.document_fromstring(response.content.decode())
        wrong[language] = [
            *structure(document, language),
            *references(document),
            *nameless(document),
            *(dead_ends(document, client, page) if language == "fr" else ()),
            *foreign(text_of(document), language),
        ]
    assert wrong == {"fr": [], "en": []}


def structure(document: html.HtmlElement, language: str) -> Iterator[str]:
    if (headings := len(document.xpath("//main//h1"))) != 1:
        yield f"{headings} main headings"
    if not document.findtext(".//title", "").strip(" ·\n"):
        yield "no title"
    if document.get("lang") != language:
        yield f"says it is in {document.get('lang')}"


def references(document: html.HtmlElement) -> Iterator[str]:
    """Identifiers that stand twice, and what refers to none."""
    identifiers = document.xpath("//@id")
    yield from (f"#{one} stands twice" for one in sorted(set(identifiers)) if identifiers.count(one) > 1)
    for attribute in REFERENCES:
        for value in document.xpath(f"//@{attribute}"):
            yield from (f"{attribute} names no #{one}" for one in value.split() if one not in identifiers)


def nameless(document: html.HtmlElement) -> Iterator[str]:
    """Fields, buttons and links that a screen reader could not name."""
    labelled = set(document.xpath("//label/@for"))
    for field in document.xpath("//input[not(@type='hidden')] | //select | //textarea"):
        kind = field.get("type", "")
        if kind in ("submit", "button", "reset"):
            named = bool(field.get("value"))
        else:
            named = field.get("id") in labelled or bool(field.xpath("ancestor::label"))
        if not (named or says(field)):
            yield f"no label: {html.tostring(field, with_tail=False)[:120]!r}"
    for element in document.xpath("//button | //a[@href] | //summary"):
        if not (said_by(element) or says(element)):
            yield f"no name: {html.tostring(element, with_tail=False)[:120]!r}"


def dead_ends(document: html.HtmlElement, client: Client, page: Page) -> Iterator[str]:
    """Links that lead nowhere, or to a refusal, for whoever is shown them."""
    identifiers = set(document.xpath("//@id"))
    for address in sorted(set(document.xpath("//a/@href"))):
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        if not parts.path:  # within the page, or the page with another query
            if parts.fragment and not parts.query and parts.fragment not in identifiers:
                yield f"{address} names nothing on the page"
        elif parts.path.endswith(STATIC_FILES):
            continue
        elif (status := answer_of(client, page, parts.path, address)) >= 400:
            yield f"{address} answers {status}"


def answer_of(client: Client, page: Page, path: str, address: str) -> int:
    """The status, asked once for each kind of page and reader."""
    try:
        name = resolve(path).url_name
    except Resolver404:
        return 404
    if (page.allowed, name) not in _ANSWERED:
        answer = client.get(address.partition("#")[0])
        status = int(answer.status_code)
        if answer.streaming:
            answer.close()
        if status >= 400:
            return status
        _ANSWERED.add((page.allowed, name))
    return 200


def says(element: html.HtmlElement) -> bool:
    return bool(element.get("aria-label") or element.get("aria-labelledby") or element.get("title"))


def said_by(element: html.HtmlElement) -> str:
    """What a link or a button says by its text and the pictures in it."""
    inside = element.xpath(
        ".//text() | .//@aria-label | .//img/@alt | .//*[local-name()='svg']/*[local-name()='title']/text()"
    )
    return "".join(inside).strip()


def text_of(document: html.HtmlElement) -> str:
    """All that a reader or a screen reader meets, but for what says that it is in another language, and code."""
    for other in document.xpath("//body//*[@lang or self::script or self::style or self::code]"):
        other.drop_tree()
    said = [document.findtext(".//title", ""), document.find("body").text_content()]
    said += [value for name in WORDED for value in document.xpath(f"//@{name}")]
    return re.sub(r"\s+", " ", " \n ".join(said))


def test_what_is_wrong_is_told() -> None:
    document = html.document_fromstring(
        '<html lang="en"><title> · </title><body><main><h1>Un</h1><h1>Deux</h1><p id="a"><p id="a">'
        '<label for="gone">Nom</label><input id="name"><button><svg></svg></button><a href="/x"></a>'
        '<input aria-describedby="nowhere" aria-label="Prix"><p title="with your consent"></p></main>'
    )
    assert list(structure(document, "fr")) == ["2 main headings", "no title", "says it is in en"]
    assert list(references(document)) == [
        "#a stands twice",
        "for names no #gone",
        "aria-describedby names no #nowhere",
    ]
    assert [one.partition(":")[0] for one in nameless(document)] == ["no label", "no name", "no name"]
    assert [one[:16] for one in foreign(text_of(document), "fr")] == ["another language"] * 2
