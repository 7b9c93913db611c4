"""Translations without GNU gettext: `python -m tools.messages [compile|typeset|update|missing]
[FOLDER…]`.

`compile` (the default) turns every `locale/en/…/django.po` into the `.mo` that Django reads, and writes
beside it a French `.mo` that holds only the plurals, so that French counts 0 as singular. `update` adds new
messages to each folder's `.po` with an empty translation and takes out those no longer used. `typeset` puts
the typographer's spaces and apostrophes into the French messages of templates and Python; run `update` after
it. `missing` lists the messages that have no English and exits 1 when there are some. The last three keep to
the folders named (a screen, an app, or `portal` for what is no screen's), all by default.

A running portal reads the compiled files.
"""

import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from gridgate.portal.paths import PACKAGE, PORTAL, locale_paths

if TYPE_CHECKING:
    from babel.messages import Catalog

__all__ = ["compile_all", "locale_paths", "messages_of", "missing", "stale", "update_all"]

_KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


@dataclass(frozen=True, slots=True)
class Message:
    """A text to translate, and where it was found."""

    text: str | tuple[str, str]
    context: str | None
    where: str

    @property
    def key(self) -> tuple[str | None, str]:
        return self.context, self.text if isinstance(self.text, str) else self.text[0]


def owner_of(path: Path) -> Path:
    """The folder whose `locale` holds the messages of a file: its screen, else the portal, else its app."""
    inside = path.relative_to(PACKAGE).parts
    if inside[0] == "portal":
        return PORTAL / "screens" / inside[2] if inside[1] == "screens" and len(inside) > 3 else PORTAL
    return PACKAGE / inside[0]


def sources() -> Iterator[Path]:
    """Templates and Python files that may hold messages."""
    yield from sorted(PORTAL.rglob("*.html"))
    yield from sorted(path for path in PACKAGE.glob("*/templates/**/*.*") if PORTAL not in path.parents)
    yield from sorted(PACKAGE.rglob("*.py"))


def messages_of(path: Path) -> list[Message]:
    """The messages of one template or Python file."""
    from babel.messages.extract import extract

    text = path.read_text(encoding="utf-8")
    where = path.relative_to(PACKAGE).as_posix()
    if path.suffix != ".py":
        from django.utils.translation.template import templatize

        text = _only_calls(templatize(text, origin=where))
    if not _MAY_CALL.search(text):  # most files: telling their every token takes a hundred times as long
        return []
    messages = []
    for line, message, _comments, context in extract("python", BytesIO(text.encode()), _KEYWORDS):
        texts = (message[0], message[1]) if isinstance(message, tuple) else message
        if texts and (isinstance(texts, tuple) or texts.strip()):
            messages.append(Message(texts, context, f"{where}:{line}"))
    return messages


_MAY_CALL = re.compile(r"\b(?:_|\w*gettext\w*)\s*\(")
_TEXT = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL = re.compile(
    rf"\b(?:_|gettext|ngettext|pgettext|npgettext)\(\s*{_TEXT}(?:\s*,\s*(?:{_TEXT}|\w+))*\s*\)"
)


def _only_calls(pythonish: str) -> str:
    """Of what Django makes of a template, keep the calls, on their lines: the rest is not Python."""
    return "\n".join(" ; ".join(_CALL.findall(line)) for line in pythonish.splitlines())


def by_owner(only: Collection[str] = ()) -> dict[Path, dict[tuple[str | None, str], Message]]:
    by_folder: dict[Path, dict[tuple[str | None, str], Message]] = {}
    for path in sources():
        if only and owner_of(path).name not in only:
            continue
        for message in messages_of(path):
            known = by_folder.setdefault(owner_of(path), {})
            if message.key not in known or isinstance(message.text, tuple):
                known[message.key] = message
    return by_folder


def po_of(owner: Path) -> Path:
    return owner / "locale" / "en" / "LC_MESSAGES" / "django.po"


def read_catalog(path: Path) -> "Catalog":
    from babel.messages.pofile import read_po

    if not path.is_file():
        from babel.messages import Catalog

        return Catalog(locale="en", project="gridgate", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale="en", domain="django")


_TYPOGRAPHY = (
    (re.compile(r"(?<=\w) +:(?=\s|$)"), "\u00a0:"),
    (re.compile(r"(?<=[\w»)s]) +([;!?])"), "\u202f\\1"),
    (re.compile(r"« +"), "«\u00a0"),
    (re.compile(r" +»"), "\u00a0»"),
    (re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_«])"), "’"),
    (re.compile(r"(?<=\d) (?=\d{3}\b)"), "\u202f"),
    (re.compile(r"(?<=\d) (?=(?:kWh|kW|kVA|MWh|MW|€|min|h|Ko|Mo)\b)"), "\u00a0"),
    (re.compile(r"(?<=\d)[ \u00a0](?=%)"), "\u202f"),
)


def typeset(text: str) -> str:
    """The French text with its typography: `’`, no-break spaces before `:`, in « » and before units, narrow
    ones before `; ! ? %`.
    """
    for pattern, replacement in _TYPOGRAPHY:
        text = pattern.sub(replacement, text)
    return text


def typeset_all(only: Collection[str] = ()) -> None:
    """Write the typography into the messages of every source."""
    for path in sources():
        if only and owner_of(path).name not in only:
            continue
        source = path.read_text(encoding="utf-8")
        changed = source
        for message in messages_of(path):
            for text in (message.text,) if isinstance(message.text, str) else message.text:
                changed = _with_typography(changed, text)
        if changed != source:
            path.write_text(changed, encoding="utf-8")
            _say(path.relative_to(PACKAGE))


def _with_typography(source: str, message: str) -> str:
    """The source in which each piece of the message, between values and lines, is well set; where a template ends its
    line within the piece, it no longer does.
    """
    for rank, piece in enumerate(re.split(r"%\(\w+\)s|\n", message.replace("%%", "%"))):
        well_set = typeset(f"s{piece}")[1:] if rank else typeset(piece)
        if well_set == piece:
            continue
        follows_a_value = typeset(piece)[:1] != well_set[:1]
        words = r"(?: |[ \t]*\n[ \t]*)".join(map(re.escape, piece.split(" ")))
        pattern = rf"(?<=\}}\}}|\)s){words}" if follows_a_value else words
        source = re.sub(pattern, well_set.replace("\\", r"\\"), source)
    return source


def _plain(text: str) -> str:
    """The text without its typography, to recognise a message whose spaces alone have changed."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")


def translated() -> set[tuple[str | None, str]]:
    """Every message that has a complete English text in some folder."""
    done = set()
    for folder in locale_paths():
        for message in read_catalog(folder / "en" / "LC_MESSAGES" / "django.po"):
            texts = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
            if message.id and not message.fuzzy and all(texts):
                done.add((message.context, message.id if isinstance(message.id, str) else message.id[0]))
    return done


def missing(only: Collection[str] = ()) -> list[Message]:
    """The messages without English, in order of place."""
    done = translated()
    return [
        message
        for messages in by_owner(only).values()
        for key, message in messages.items()
        if key not in done
    ]


def update_all(only: Collection[str] = ()) -> None:
    """Bring each folder's `.po` in line with its templates and Python; translations of kept messages stay."""
    from babel.messages import Catalog
    from babel.messages.pofile import write_po

    found = by_owner(only)
    for owner, messages in found.items():
        path = po_of(owner)
        old = read_catalog(path)
        elsewhere = translated() - {(message.context, _single(message.id)) for message in old if message.id}
        by_plain_text = {_plain(_single(message.id)): message for message in old if message.id}
        new = Catalog(locale="en", project="gridgate", charset="utf-8", fuzzy=False)
        for (context, text), message in messages.items():
            if (context, text) in elsewhere and old.get(text, context) is None:
                continue  # another folder already says it
            kept = old.get(text, context) or by_plain_text.get(_plain(text))
            same_shape = kept is not None and isinstance(kept.id, str) == isinstance(message.text, str)
            new.add(
                message.text, string=kept.string if kept is not None and same_shape else "", context=context
            )
        if len(new) == 0 and not path.is_file():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = BytesIO()
        write_po(buffer, new, omit_header=True, no_location=True, width=120)
        header = 'msgid ""\nmsgstr ""\n"Language: en\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        plural = '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        path.write_text(header + plural + buffer.getvalue().decode().lstrip(), encoding="utf-8")
        empty = len([message for message in new if message.id and not _complete(message.string)])
        _say(f"{path.relative_to(PACKAGE)}: {len(new)} messages, {empty} without English")


def _single(identifier: str | tuple[str, ...] | list[str]) -> str:
    return identifier if isinstance(identifier, str) else identifier[0]


def _complete(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return bool(string if isinstance(string, str | None) else all(string))


def compile_all() -> int:
    """Write the `.mo` files that are not there or older than their `.po`; returns how many.

    Others may be reading meanwhile: each takes its place whole, as a rename.
    """
    from babel.messages import Catalog

    written = 0
    for path in stale():
        english = read_catalog(path)
        french = Catalog(locale="fr", charset="utf-8")  # Babel knows that French plurals begin at two
        for message in english:
            if message.id and not isinstance(message.id, str):
                french.add(message.id, string=message.id, context=message.context)
        for catalog, mo in zip((english, french), _compiled(path), strict=True):
            mo.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(catalog, mo)
            written += 1
    return written


def stale() -> list[Path]:
    """The `.po` files whose `.mo` files are yet to be written."""
    sources = (po_of(folder.parent) for folder in locale_paths())
    return [
        path
        for path in sources
        if path.is_file()
        and any(not mo.is_file() or mo.stat().st_mtime_ns < path.stat().st_mtime_ns for mo in _compiled(path))
    ]


def _compiled(po: Path) -> tuple[Path, Path]:
    """What is made of a `.po`: the English texts and the French plurals."""
    return po.with_suffix(".mo"), po.parents[2] / "fr" / "LC_MESSAGES" / "django.mo"


def _write_whole(catalog: "Catalog", mo: Path) -> None:
    from babel.messages.mofile import write_mo

    with NamedTemporaryFile(dir=mo.parent, delete=False) as file:
        write_mo(file, catalog)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(mo)


def _say(text: object) -> None:
    sys.stdout.write(f"{text}\n")


def main(arguments: list[str]) -> int:
    command, only = (arguments[0] if arguments else "compile"), arguments[1:]
    if command == "update":
        update_all(only)
    elif command == "typeset":
        typeset_all(only)
    elif command == "missing":
        lacking = missing(only)
        for message in lacking:
            _say(f"{message.where}: {message.text}")
        return 1 if lacking else 0
    elif command == "compile":
        if written := compile_all():
            _say(f"{written} compiled")
    else:
        _say(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
