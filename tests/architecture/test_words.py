"""One name for one thing, as docs/glossary.md has it; and English that is punctuated as English."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from babel.messages.pofile import read_po

from gridgate.metering.imports.findings import _WORDS
from gridgate.portal.paths import PACKAGE
from gridgate.portal.screens.administration.findings import FRENCH as FRENCH_FINDINGS
from gridgate.tables.diagnosis import WORDS

REPOSITORY = PACKAGE.parents[1]
GLOSSARY = REPOSITORY / "docs" / "glossary.md"
FRENCH = {
    "guillemets": r"[«»]",
    "a space before : ; ! ?": r"[\s\u00a0\u202f][:;!?](?=\s|$)",
    "a straight apostrophe": r"[A-Za-z]'(?=[a-z\s])",
    "straight quotes": r"(?<![=\w\\])\"[^\"<>=]+\"(?=[\s.,;:)]|$)",
    "a narrow space that parts no thousands": r"(?<!\d)\u202f|\u202f(?!\d)",
    "an ordinal sign": r"nº|n°|1ᵉʳ",
    "a decimal comma": r"\d,\d{1,2}(?!\d)",
}


def refused() -> list[str]:
    """The names of the glossary's last column."""
    section = GLOSSARY.read_text("utf-8").partition("## One name for one thing")[2]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.rstrip("| ").rpartition("|")[2])]


@cache
def messages() -> list[tuple[str, str, str]]:
    """Where it stands, the French, the English; each form of a plural on its own."""
    found = []
    for path in sorted(PACKAGE.rglob("locale/en/LC_MESSAGES/django.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                if message.id:
                    where = path.relative_to(PACKAGE).parts[-5]
                    found += [
                        (where, *pair) for pair in zip(forms(message.id), forms(message.string), strict=False)
                    ]
    return found


def forms(said: Any) -> tuple[str, ...]:
    """Without what stands in for a value."""
    every = (said,) if isinstance(said, str) else tuple(said)
    return tuple(re.sub(r"%\([a-z_0-9]+\)s|https?://\S+", "%", text) for text in every)


def texts() -> Iterator[tuple[str, str]]:
    """What people read that is no message: general terms, help of commands and what they print, guides."""
    for path in sorted((PACKAGE / "onboarding" / "default_terms").glob("*.txt")):
        yield path.name, path.read_text("utf-8")
    for path in sorted((PACKAGE / "config" / "commands").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                yield path.name, node.value
    for path in sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("[0-9]*/*.md")]):
        yield (
            path.name,
            re.sub(r"```.*?```|`[^`]*`|mail (?=serv)|\]\([^)]*\)", "", path.read_text("utf-8"), flags=re.S),
        )


@pytest.mark.parametrize("name", refused())
def test_a_thing_has_one_name(name: str) -> None:
    said = re.compile(rf"(?<![\w@./-]){re.escape(name)}(?![\w@-])", re.IGNORECASE)
    everything = [*((where, text) for where, *both in messages() for text in both), *texts()]
    assert [(where, text[:90]) for where, text in everything if said.search(text)] == []


def test_the_glossary_is_read() -> None:
    assert {"courriel", "know-your-customer", "PDL"} <= set(refused())


def test_what_the_holder_sees_is_the_access_journal() -> None:
    """The access log is its files, of which the guides for whoever runs an instance speak."""
    of_the_screen = {"en.txt", "personal-data.md", "native.md"}
    told = [text for where, text in texts() if where in of_the_screen]
    told += [english for _where, _french, english in messages()]
    told.append((PACKAGE / "facades" / "native" / "openapi.json").read_text("utf-8"))
    found = [re.search(r".{0,40}\baccess log\b", text) for text in told]
    assert [one[0] for one in found if one] == []


def test_a_meter_is_a_meter_in_both_languages() -> None:
    """`compteur` is what its holder calls it, `point de comptage` what a registry does."""
    wrong = [
        (where, french[:60], english[:60])
        for where, french, english in messages()
        if (
            re.search("metering point", english, re.I)
            and not re.search("points? de comptage|PRM", french, re.I)
        )
        or (re.search("points? de comptage", french, re.I) and re.search(r"\bmeters?\b", english, re.I))
    ]
    assert wrong == []


COUNTED = re.compile(
    r"(?:%\(|\{)(?:n|count|found|done|covered|fields|days|months|minutes|seconds|times|points)(?:\)s|\})[\s\u00a0\u202f]+"
    r"(?!plus\b|fois\b|vous\b|dans\b)(?:autres |other |more )?[^\W\d_]{2,}s\b"
)
NEVER_ONE = {
    "%(seconds)s secondes": "two at least",
    "%(minutes)s minutes": "from a hundred seconds on",
    "La somme de vos %(count)s compteurs": "beyond 500",
    "Les %(count)s premiers": "as many as a list shows",
    "Lectures par jour sur %(days)s jours": "as many as the drawing has",
    "%(times)s fois plus de lectures": "three at least",
    "%(found)s caractères saisis": "more than may be, or an IBAN's country and key",
    "%(longest)s caractères au plus, %(found)s saisis": "more than may be",
    "%(count)s compteurs sont choisis un par un": "more than fifty",
    "%(count)s compteurs sur %(days)s jours": "more than two million days of meters",
    "Les %(most)s plus forts des %(count)s": "more than are shown",
}
"""Counts of several in any case, by how their sentences begin."""


def test_a_count_agrees_with_what_it_counts() -> None:
    """« 1 caractères »: whatever counts has both numbers, by `ngettext`, `{% plural %}`, `worded` or `counted`."""
    wrong = []
    for path in sorted(PACKAGE.rglob("locale/en/LC_MESSAGES/django.po")):
        with path.open("rb") as file:
            said = [(one.id, one.string) for one in read_po(file) if isinstance(one.id, str)]
        wrong += [
            french
            for french, english in said
            if any(map(COUNTED.search, (french, str(english))))
            and not re.sub(r"\s", " ", french).startswith(tuple(NEVER_ONE))
        ]
    tables = [
        *map(" ".join, WORDS.values()),
        *map(" ".join, _WORDS.values()),
        *map(" ".join, FRENCH_FINDINGS.values()),
    ]
    assert wrong + [text for text in tables if COUNTED.search(text)] == []


@pytest.mark.parametrize("rule", FRENCH)
def test_english_is_punctuated_as_english(rule: str) -> None:
    pattern = re.compile(FRENCH[rule])
    said = [*((where, english) for where, _, english in messages()), ("en.txt", dict(texts())["en.txt"])]
    assert [(where, text[:90]) for where, text in said if pattern.search(text)] == []
