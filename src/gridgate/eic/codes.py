"""How an energy identification code is made, and what is wrong with one that is given.

The rules are those of `core.identifiers`; here each fault is a value, so that every door says it in its own words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gridgate.core.identifiers import EIC_TYPES, InvalidIdentifier, eic_check_character
from gridgate.core.text import folded

BODY = 12
"""Characters of the issuing office's choice, between the type and the check character."""
_LENGTH = 16
_STRANGE = re.compile(r"[^0-9A-Z-]")


class EicFault(StrEnum):
    """What is wrong with a code. Another office's code may have one of the last two: such codes are in use."""

    LENGTH = "length"
    CHARACTERS = "characters"
    TYPE = "type"
    CHECK = "check"
    """The last character is not the one that the others give."""
    NO_CHECK = "no_check"
    """The others give a hyphen, which no code may end in."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A code in capitals, without the spaces and dots that people group it by, and what is wrong with it."""

    code: str
    fault: EicFault | None = None
    expected: str = ""
    """The last character there should be; empty when another fault comes first."""
    strange: str = ""
    """The characters that no code has."""

    @property
    def recordable(self) -> bool:
        """True for a code that the register takes when another office issued it."""
        return self.fault in (None, EicFault.CHECK, EicFault.NO_CHECK)

    @property
    def valid(self) -> bool:
        return self.fault is None

    def recordable_by(self, office: str) -> bool:
        """True for a code that the register of this office takes: of its own codes, none is in use with a wrong
        check character, since it gives none out; such a code is a slip.

        >>> examine("17X100A157F0022N").recordable_by("10"), examine("17X100A157F0022N").recordable_by("17")
        (True, False)
        """
        return self.valid or (self.recordable and not self.code.startswith(office))


def compact(text: str) -> str:
    """The code as it is written without grouping, in capitals."""
    return re.sub(r"[\s.]+", "", text).upper()


def examine(text: str) -> Examined:
    """What a text is as a code.

    >>> examine("17x100a100r018rd")
    Examined(code='17X100A100R018RD', fault=None, expected='', strange='')
    >>> examine("17X100A157F0022N").fault, examine("17X100A157F0022N").expected
    (<EicFault.CHECK: 'check'>, 'V')
    """
    code = compact(text)
    if strange := "".join(sorted(set(_STRANGE.findall(code)))):
        return Examined(code, EicFault.CHARACTERS, strange=strange)
    if len(code) != _LENGTH:
        return Examined(code, EicFault.LENGTH)
    if code[2] not in EIC_TYPES:
        return Examined(code, EicFault.TYPE)
    try:
        expected = eic_check_character(code[:-1])
    except InvalidIdentifier:
        return Examined(code, EicFault.NO_CHECK)
    return Examined(code) if code[-1] == expected else Examined(code, EicFault.CHECK, expected=expected)


def why(examined: Examined) -> str:
    """What is wrong with a code, in English; the screens have their own words."""
    match examined.fault:
        case EicFault.LENGTH:
            return f"{len(examined.code)} characters; an EIC has 16"
        case EicFault.CHARACTERS:
            return f"an EIC has letters, digits and hyphens, not {' '.join(examined.strange)}"
        case EicFault.TYPE:
            return f"no type {examined.code[2]}: the third character is one of X, Y, Z, W, T, V, A"
        case EicFault.CHECK:
            return f"the last character should be {examined.expected}"
        case EicFault.NO_CHECK:
            return "the first 15 characters make no code: the check character would be a hyphen"
    return ""


def code_of(office: str, letter: str, body: str) -> Examined:
    """The code that an office makes of 12 characters of its choice: its number, the type, they, and their check
    character.

    >>> code_of("10", "X", "FR-RTE------").code
    '10XFR-RTE------Q'
    """
    first = f"{office}{letter}{compact(body)}"
    if strange := "".join(sorted(set(_STRANGE.findall(first)))):
        return Examined(first, EicFault.CHARACTERS, strange=strange)
    if len(first) != _LENGTH - 1:
        return Examined(first, EicFault.LENGTH)
    try:
        return Examined(first + eic_check_character(first))
    except InvalidIdentifier:
        return Examined(first, EicFault.NO_CHECK)


def bodies_from(name: str) -> Iterator[str]:
    """Twelve characters made of a name, then again with 1, 2, 3… at the end.

    >>> [body for _, body in zip(range(2), bodies_from("ACME-LYON_1+"), strict=False)]
    ['ACME-LYON-1-', 'ACME-LYON--1']
    """
    stem = re.sub(r"[^0-9A-Z]+", "-", folded(name).upper()).strip("-")
    for number in range(10_000):
        ending = str(number) if number else ""
        room = BODY - len(ending)
        # A hyphen before the number, when there is room for one: ACME-----2 and not ACME2.
        kept = stem[:room] if not number else stem[: room - 1]
        yield kept.ljust(room, "-") + ending


def display_name_from(name: str, longest: int) -> str:
    """A display name to propose for a name in full.

    >>> display_name_from("Énergie du Rhône S.A.", 16)
    'ENERGIE-DU-RHONE'
    """
    return re.sub(r"[^0-9A-Z]+", "-", folded(name).upper()).strip("-")[:longest].rstrip("-")
