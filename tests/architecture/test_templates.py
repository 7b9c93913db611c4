"""What holds for every page before it is opened.

No inline code that the policy would refuse, no other host, English for every French text, French well set.
"""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from gridgate.portal.kit import icons
from gridgate.portal.paths import PACKAGE, PORTAL
from gridgate.portal.template_lines import joined
from tools import messages

TEMPLATES = sorted(PORTAL.rglob("*.html"))
STATIC = PORTAL / "static"
OWN_FILES = [
    path
    for path in sorted([*STATIC.rglob("*.css"), *STATIC.rglob("*.js"), *STATIC.rglob("*.svg")])
    if "vendor" not in path.parts
]
NAMESPACES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink")


SENTENCE = re.compile(r"\{% blocktranslate\b.*?\{% endblocktranslate %\}", re.S)
POST = re.compile(r"<form\b[^>]*\bmethod\s*=\s*[\"']?\s*(?:post|\{)", re.I)


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def text_of(path: Path) -> str:
    """The template without its comments and, as Django gets it, without the line breaks that are no part of a page."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        source = joined(source)
    source = SENTENCE.sub(lambda found: re.sub(r"\s*\n\s*", " ", found.group()), source)
    return re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", source, flags=re.S)


def without_namespaces(text: str) -> str:
    for namespace in NAMESPACES:
        text = text.replace(namespace, "")
    return text


def wrong_in(paths: list[Path], faults: Callable[[str], Iterator[str]]) -> list[str]:
    return [f"{name_of(path)}: {fault}" for path in paths for fault in faults(text_of(path))]


def test_no_template_holds_what_the_policy_would_refuse() -> None:
    def faults(text: str) -> Iterator[str]:
        if re.search(r"<style\b", text):
            yield "styles belong in static/css"
        if re.search(r"\sstyle\s*=", text):
            yield "no style attribute: use a class, or SVG attributes"
        if re.search(r"<[^>{]*\son[a-z]+\s*=\s*[\"']", text):
            yield "no event attribute: listen in a module"
        if "javascript:" in text:
            yield "no script in an address"
        for opening in re.findall(r"<script\b[^>]*>(?!\s*</script>)", text):
            if "application/json" not in opening:
                yield f"{opening} has content: scripts come from static/js"

    assert wrong_in(TEMPLATES, faults) == []


def test_no_page_asks_another_host_for_anything() -> None:
    def asked(text: str) -> Iterator[str]:
        fetch = (
            r"""(?:src|href|action|srcset|poster|data)\s*=\s*["'](?:https?:)?//|url\(\s*["']?(?:https?:)?//"""
        )
        yield from re.findall(fetch, without_namespaces(text))

    def named(text: str) -> Iterator[str]:
        yield from re.findall(r"""["'(](?:https?:)?//[\w.-]""", without_namespaces(text))

    assert wrong_in([*TEMPLATES, *OWN_FILES], asked) == []
    assert wrong_in([path for path in OWN_FILES if path.suffix in (".css", ".js")], named) == []


def test_images_links_and_controls_are_named() -> None:
    def faults(text: str) -> Iterator[str]:
        if re.search(r"<img\b(?![^>]*\balt=)[^>]*>", text):
            yield "an image needs alt"
        if re.search(r"""\btabindex=["']?[1-9]""", text):
            yield "no positive tabindex"
        if re.search(r"<svg\b(?![^>]*(?:aria-hidden|role=|width=\"100%\"))[^>]*>", text):
            yield "an svg is hidden or has a role"
        for name in re.findall(r"""\{% icon ["']([\w-]+)["']""", text):
            if name not in icons.names():
                yield f"no icon {name}"

    assert wrong_in(TEMPLATES, faults) == []


def test_a_form_that_changes_something_is_protected() -> None:
    """By the tag that says its token and its company; nothing else may write either, nor be without by another way to
    say how a form is sent.
    """

    def faults(text: str) -> Iterator[str]:
        posted = [
            form for form in re.findall(r"<form\b.*?</form>", text, flags=re.S | re.I) if POST.search(form)
        ]
        yield from (form[:120] for form in posted if not re.search(r"\{% csrf_token\b", form))
        for word in ("csrfmiddlewaretoken", "acting_for", "formmethod", "hx-post", "{{ csrf_token"):
            if word in text:
                yield word
        if len(posted) != len(POST.findall(text)):
            yield "a form is cut in two: where it begins and ends is not seen"

    assert wrong_in(TEMPLATES, faults) == []


def test_no_script_sends_anything_but_by_a_form() -> None:
    """Forms say for which company they are; what a script would send does not."""

    def faults(text: str) -> Iterator[str]:
        yield from re.findall(r"XMLHttpRequest|sendBeacon|FormData|method\s*:\s*[\"']\w+", text)

    assert wrong_in([path for path in OWN_FILES if path.suffix == ".js"], faults) == []

    assert wrong_in(TEMPLATES, faults) == []


@cache
def every_message() -> list[messages.Message]:
    return [message for path in messages.sources() for message in messages.messages_of(path)]


def test_every_french_message_has_its_english() -> None:
    done = messages.translated()
    lacking = [f"{message.where}: {message.text}" for message in every_message() if message.key not in done]
    assert lacking == [], "run: python -m tools.messages update, then fill the msgstr"


def test_french_is_typeset() -> None:
    plain = [
        f"{message.where}: {text}"
        for message in every_message()
        for text in ((message.text,) if isinstance(message.text, str) else message.text)
        if messages.typeset(text) != text
    ]
    assert plain == [], "run: python -m tools.messages typeset"


def test_no_line_begins_with_a_point_between_two_facts() -> None:
    def faults(text: str) -> Iterator[str]:
        for found in re.findall(r".{0,20} ·", re.sub(r"<title>.*?</title>", "", text, flags=re.S)):
            yield f"{found}: a line may break before the point; write U+00A0 there"

    assert wrong_in(TEMPLATES, faults) == []


def test_a_name_after_de_or_que_may_be_elided() -> None:
    """`Demande de ACME` is no French: a sentence that puts a name there is within `{% filter elided %}`."""
    names = r"(?:name|names|company|group|groups|service|operator|leaver|holder|party|email|zone)"
    sentence = re.compile(r"(\{% filter elided %\})?(\{% blocktranslate\b.*?\{% endblocktranslate %\})", re.S)

    def bare(text: str) -> Iterator[str]:
        for elided, said in sentence.findall(text):
            if (
                not elided
                and " asvar " not in said.partition("%}")[0]
                and re.search(r"\b(?:[dD]e|[qQ]ue) (?:<b>)?\{\{ ?" + names + r" ?\}\}", said)
            ):
                yield said

    letters = sorted((PACKAGE / "notifications").rglob("*.txt"))
    assert wrong_in([*TEMPLATES, *letters], bare) == []


def test_french_speaks_as_the_house_does() -> None:
    """No "veuillez", no "avec succès", no exclamation mark; one says vous."""
    spoken = re.compile(r"\bveuillez\b|avec succès|!|\b(?:ton|tes|toi|tu)\b", re.I)
    found = [
        f"{message.where}: {message.text}"
        for message in every_message()
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
    bare = [
        f"{name_of(path)}: {word}"
        for path in TEMPLATES
        for word in re.findall(r"\w*[éèêàùçôîâûœÉÈÀ]\w*", bare_text_of(path))
    ]
    assert bare == []


def bare_text_of(path: Path) -> str:
    """What a template says outside its tags, in every language."""
    text = SENTENCE.sub("", text_of(path))
    return re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<code\b.*?</code>|<[^>]*>|&\w+;", " ", text, flags=re.S)


FRENCH_SPACE = re.compile(r"(?:^|(?<=[\w»”)]))[ \u00a0\u202f][;:?!](?=\s|$)")
"""A mark of French set apart from what it follows."""


def test_english_is_typeset_as_english() -> None:
    wrong = [
        f"{name_of(folder)}: {text}"
        for folder in messages.locale_paths()
        for message in messages.read_catalog(folder / "en" / "LC_MESSAGES" / "django.po")
        if message.id and message.string
        for text in ((message.string,) if isinstance(message.string, str) else message.string)
        if FRENCH_SPACE.search(text)
    ]
    assert wrong == []


def test_no_code_joins_texts_as_french_alone_does() -> None:
    """A mark with its space is a message, or comes from `formats`, which knows the language."""
    joined = [
        f"{name_of(path)}:{node.lineno}: {node.value!r}"
        for path in sorted((PORTAL / "screens").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if FRENCH_SPACE.search(node.value) and not re.search(r"\w", node.value)
    ]
    bare = [
        f"{name_of(path)}: {line.strip()}"
        for path in TEMPLATES
        for line in bare_text_of(path).splitlines()
        if FRENCH_SPACE.search(line)
    ]
    assert joined + bare == []


def test_what_a_form_of_rights_saves_is_compared_with_what_it_was_opened_with() -> None:
    """Otherwise whoever opened it first undoes, unread, what a colleague has saved: `read` is what was saved, `had` what
    was ticked, `seen` what was said to happen.
    """
    makes_anew = {"group_new.html", "invite.html"}
    """They save over nothing."""
    acts = {"detach.html", "group.html", "invitations.html"}
    """One act on what is there, named by its button; its operation refuses what was done meanwhile."""
    forms = [path for path in TEMPLATES if path.parent.name == "company" and POST.search(text_of(path))]
    bare = {path.name for path in forms if not re.search(r'name="(read|had|seen)"', text_of(path))}
    assert bare == makes_anew | acts
