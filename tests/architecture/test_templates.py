"""What holds for every page before it is opened.

No inline code that the policy would refuse, no other host, English for every French text, French well set.
"""

import re
from pathlib import Path

import pytest

from gridgate.portal import icons, messages
from gridgate.portal.paths import PACKAGE, PORTAL

TEMPLATES = sorted(PORTAL.rglob("*.html"))
STATIC = PORTAL / "static"
OWN_FILES = [
    path
    for path in sorted([*STATIC.rglob("*.css"), *STATIC.rglob("*.js"), *STATIC.rglob("*.svg")])
    if "vendor" not in path.parts
]
NAMESPACES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink")


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def text_of(path: Path) -> str:
    """The template without its comments."""
    source = path.read_text(encoding="utf-8")
    return re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", source, flags=re.S)


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_holds_nothing_that_the_policy_would_refuse(path: Path) -> None:
    text = text_of(path)
    assert not re.search(r"<style\b", text), "styles belong in static/css"
    assert not re.search(r"\sstyle\s*=", text), "no style attribute: use a class, or SVG attributes"
    assert not re.search(r"<[^>{]*\son[a-z]+\s*=\s*[\"']", text), "no event attribute: listen in a module"
    assert "javascript:" not in text
    for opening in re.findall(r"<script\b[^>]*>(?!\s*</script>)", text):
        assert "application/json" in opening, f"{opening} has content: scripts come from static/js"


@pytest.mark.parametrize("path", [*TEMPLATES, *OWN_FILES], ids=name_of)
def test_no_page_asks_another_host_for_anything(path: Path) -> None:
    text = text_of(path)
    for namespace in NAMESPACES:
        text = text.replace(namespace, "")
    fetched = re.findall(
        r"""(?:src|href|action|srcset|poster|data)\s*=\s*["'](?:https?:)?//|url\(\s*["']?(?:https?:)?//""",
        text,
    )
    assert fetched == []
    if path.suffix in (".css", ".js"):
        assert not re.findall(r"""["'(](?:https?:)?//[\w.-]""", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_images_links_and_controls_are_named(path: Path) -> None:
    text = text_of(path)
    assert not re.findall(r"<img\b(?![^>]*\balt=)[^>]*>", text), "an image needs alt"
    assert not re.findall(r"""\btabindex=["']?[1-9]""", text), "no positive tabindex"
    assert not re.findall(r"<svg\b(?![^>]*(?:aria-hidden|role=|width=\"100%\"))[^>]*>", text), (
        "an svg is hidden or has a role"
    )
    for name in re.findall(r"""\{% icon ["']([\w-]+)["']""", text):
        assert name in icons.names(), f"no icon {name}"


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_form_that_changes_something_is_protected(path: Path) -> None:
    for form in re.findall(
        r"<form\b[^>]*method=[\"']post[\"'][^>]*>.*?</form>", text_of(path), flags=re.S | re.I
    ):
        assert "{% csrf_token %}" in form


def test_every_french_message_has_its_english() -> None:
    lacking = [f"{message.where}: {message.text}" for message in messages.missing()]
    assert lacking == [], "run: python -m gridgate.portal.messages update, then fill the msgstr"


def test_french_is_typeset() -> None:
    plain = [
        f"{message.where}: {text}"
        for path in messages.sources()
        for message in messages.messages_of(path)
        for text in ((message.text,) if isinstance(message.text, str) else message.text)
        if messages.typeset(text) != text
    ]
    assert plain == [], "run: python -m gridgate.portal.messages typeset"


def test_french_speaks_as_the_house_does() -> None:
    """No "veuillez", no "avec succès", no exclamation mark; one says vous."""
    spoken = re.compile(r"\bveuillez\b|avec succès|!|\b(?:ton|tes|toi|tu)\b", re.I)
    found = [
        f"{message.where}: {message.text}"
        for path in messages.sources()
        for message in messages.messages_of(path)
        if spoken.search(message.text if isinstance(message.text, str) else message.text[1])
    ]
    assert found == []


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s", text))


def test_a_translation_keeps_the_placeholders_of_its_message() -> None:
    wrong = [
        f"{name_of(folder)}: {message.id} → {message.string}"
        for folder in messages.locale_paths()
        for message in messages.read_catalog(folder / "en" / "LC_MESSAGES" / "django.po")
        if message.id and message.string and all(message.string)
        if placeholders(last(message.id)) != placeholders(last(message.string))
    ]
    assert wrong == []


def last(text: str | tuple[str, ...] | list[str]) -> str:
    """The text, or its plural, which names every value."""
    return text if isinstance(text, str) else text[-1]


def test_each_text_outside_tags_is_a_message() -> None:
    """French words standing bare in a template would stay French in English."""
    bare = []
    for path in TEMPLATES:
        text = text_of(path)
        text = re.sub(r"\{% blocktranslate\b.*?\{% endblocktranslate %\}", "", text, flags=re.S)
        text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<code\b.*?</code>|<[^>]*>|&\w+;", " ", text, flags=re.S)
        bare += [f"{name_of(path)}: {word}" for word in re.findall(r"\w*[éèêàùçôîâûœÉÈÀ]\w*", text)]
    assert bare == []
