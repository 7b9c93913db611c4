"""A line break in a template is layout, not text: between elements and tags it is no part of the page.

Pages are then laid out for who reads them, with a line for each element, and say exactly what they would say on one
line: no space appears between a word and its full stop, between a link and the one beside it, or in a block that
would be empty. As in JSX, and as Vue reads its templates:

- a line break, with the blanks around it, is left out where it touches an element, a tag or a value;
- between two words it is a space, and so it is between two attributes;
- a space that is meant stands within a line;
- what `{% blocktranslate %}` holds is left to Django, whose `trimmed` does as much.

Letters in plain text are not read this way: there a line break is text.
"""

import re
from collections.abc import Iterator

from django.template import Origin
from django.template.base import tag_re
from django.template.loaders import filesystem

_BREAK = re.compile(r"[ \t\r\n]*\n[ \t\r\n]*")
_PIECE = re.compile(rf"{_BREAK.pattern}|[^<>\"'\s]+|.", re.DOTALL)
_ELEMENT = re.compile(r"<(?=[A-Za-z/!]|$)")


class Loader(filesystem.Loader):
    """Finds a page's template as Django does, and reads it without its line breaks."""

    def get_contents(self, origin: Origin) -> str:
        contents = super().get_contents(origin)
        return joined(contents) if str(origin.name).endswith(".html") else contents


def joined(source: str) -> str:
    """The template on one line, but for what `{% blocktranslate %}` holds."""
    return "".join(_without_breaks(source))


def _without_breaks(source: str) -> Iterator[str]:
    where = _Where()
    translated = False
    for rank, part in enumerate(tag_re.split(source)):
        if rank % 2:
            name = part[2:-2].strip().partition(" ")[0]
            translated = name == "blocktranslate" or (translated and name != "endblocktranslate")
            yield part
        elif translated:
            yield part
        else:
            yield from where.read(part)


class _Where:
    """Whether what is read stands within an element's tag, and within a quoted value there."""

    def __init__(self) -> None:
        self.inside = False
        self.quote = ""

    def read(self, text: str) -> Iterator[str]:
        for found in _PIECE.finditer(text):
            piece = found.group()
            if "\n" in piece:
                yield self._instead_of(piece, text[: found.start()][-1:], text[found.end() :][:2])
            else:
                self._step(piece, text, found.start())
                yield piece

    def _instead_of(self, line_break: str, before: str, after: str) -> str:
        if self.quote:
            return line_break
        if self.inside:
            return "" if after[:1] == ">" or after == "/>" else " "
        return " " if before not in ("", ">") and after[:1] not in ("", "<") else ""

    def _step(self, sign: str, text: str, at: int) -> None:
        if self.quote:
            self.quote = "" if sign == self.quote else self.quote
        elif self.inside:
            self.inside = sign != ">"
            self.quote = sign if sign in "\"'" else ""
        else:
            self.inside = bool(_ELEMENT.match(text, at))
