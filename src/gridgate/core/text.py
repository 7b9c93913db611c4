"""Text as people type it: what searches look in, and names and identifiers without what nobody sees."""

import re
import unicodedata
from typing import Final

_INVISIBLE: Final = re.compile(
    "["
    "\x01-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # controls, but those that are spaces and NUL, which is refused
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # hyphens, joiners and fillers without a shape
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"  # zero widths, directions, blanks
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"  # variants, byte order mark
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # shorthand, music, tags
    "]"
)
"""Characters that show nothing (Unicode: format characters and what may be ignored by default)."""


_COMMANDS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # controls: a terminal obeys them
    "\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"  # directions and lines: they show one text as another
    "\ud800-\udfff]"  # halves of characters, which cannot be written at all
)


def folded(text: str) -> str:
    """Text without case and accents: what searches look in, and what is looked for.

    >>> folded("Écully, côté Est")
    'ecully, cote est'
    """
    parts = unicodedata.normalize("NFKD", visible(text).casefold().replace("œ", "oe").replace("’", "'"))
    return "".join(char for char in parts if not unicodedata.combining(char))


def name_words(text: str) -> list[str]:
    """The words of a company's name, `folded` and without punctuation; letters that are spelled are one word.

    >>> [" ".join(name_words(text)) for text in ("E.D.F. Énergie", "E D F", "L’Air (S.A.)", "Saint-Gobain", "B & B")]
    ['edf energie', 'edf', 'l air sa', 'saint gobain', 'bb']
    """
    words: list[str] = []
    spelled = False
    for word in re.findall(r"[^\W_]+", folded(text)):
        letter = len(word) == 1
        if letter and spelled:
            words[-1] += word
        else:
            words.append(word)
        spelled = letter
    return words


def visible(text: str) -> str:
    """Text without the characters that nobody sees, in composed form: two that look the same by them are the same.

    >>> visible("al\\u200bice\\ufeff")
    'alice'
    """
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", text))


def line(text: str) -> str:
    """A name as it shows: `visible`, on one line, with single spaces."""
    return " ".join(visible(text).split())


def compact(text: str) -> str:
    """A code as it was meant: `visible`, without spaces."""
    return "".join(visible(text).split())


def shown(text: str) -> str:
    """What a file or a person gave, as one line that a terminal shows and never obeys.

    >>> print(shown("ACME\\x1b[2K\\nvalid: yes"))
    ACME\\u001b[2K\\u000avalid: yes
    """
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def shown_lines(text: str) -> str:
    """The same for text that has lines of its own; of JSON, JSON that says the same."""
    return "\n".join(map(shown, text.split("\n")))


def address(text: str) -> str:
    """The one spelling of an e-mail address: they differ by case in the standard only, and domains in several spellings
    are one (RFC 3490). What is no address comes back as it shows, to be refused by whoever checks.

    >>> address(" Alice@ACME\\u200b.Example ")
    'alice@acme.example'
    """
    name, at, domain = visible(text).strip().lower().rpartition("@")
    return f"{name}{at}{_domain(domain)}"


def _domain(domain: str) -> str:
    if domain.isascii() and "xn--" not in domain:
        return domain
    try:
        return domain.encode("idna").decode("idna")
    except UnicodeError:
        return domain


def counted(count: int, singular: str, many: str = "") -> str:
    """How many, in English: what commands and faults say.

    >>> counted(1, "line"), counted(0, "line"), counted(2, "company", "companies")
    ('1 line', '0 lines', '2 companies')
    """
    return f"{count} {singular if count == 1 else many or singular + 's'}"
