"""Identifiers of the field and their check rules.

Each `parse_…` takes what a person types (spaces, no-break spaces, dots and dashes between groups are dropped where
the identifier has none of its own, and characters that nobody sees always) and returns the canonical text, or raises
`InvalidIdentifier` saying what is wrong in numbers.
"""

import re
from typing import Final

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import visible

_GROUPING: Final = re.compile(r"[\s\u00a0\u202f.]+")
_EIC_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
EIC_TYPES: Final = {
    "X": "party",
    "Y": "area",
    "Z": "measurement point",
    "W": "resource",
    "T": "tie line",
    "V": "location",
    "A": "substation",
}


class InvalidIdentifier(GridgateError):
    """The text is not an identifier of that family."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(ErrorKind.INVALID, message, remedy=remedy)


def parse_prm(text: str) -> str:
    """Return the 14 digits of a *point référence mesure*.

    Enedis publishes no check rule for it (SGE XSD: `[0-9]{14}`).

    >>> parse_prm("30 001 480 112 233")
    '30001480112233'
    """
    return _digits(text, 14, "PRM")


def parse_gsrn(text: str) -> str:
    """Return the 18 digits of a GS1 Global Service Relation Number (GS1 General Specifications, 7.9: modulo 10).

    >>> parse_gsrn("571313174200000002")
    '571313174200000002'
    """
    digits = _digits(text, 18, "GSRN")
    weighted = sum(int(digit) * (3 if index % 2 == 0 else 1) for index, digit in enumerate(digits[:-1]))
    expected = str(-weighted % 10)
    if digits[-1] != expected:
        raise InvalidIdentifier(f"the GSRN {digits} should end in {expected}", remedy="Check each digit.")
    return digits


def parse_eic(text: str) -> str:
    """Return an Energy Identification Code in capitals (ENTSO-E EIC Reference Manual, release 5, 2.2).

    16 characters: issuing office (2), type, 12 of the office's choice, check character.

    >>> parse_eic("10xfr-rte------q")
    '10XFR-RTE------Q'
    """
    code = _GROUPING.sub("", visible(text)).upper()
    if len(code) != 16:
        raise InvalidIdentifier(f"an EIC has 16 characters, this one {len(code)}")
    strange = sorted(set(code) - set(_EIC_ALPHABET))
    if strange:
        raise InvalidIdentifier(f"an EIC has letters, digits and hyphens, not {' '.join(strange)}")
    if code[2] not in EIC_TYPES:
        raise InvalidIdentifier(
            f"the third character of an EIC is one of {', '.join(EIC_TYPES)}, not {code[2]}"
        )
    expected = eic_check_character(code[:15])
    if code[15] != expected:
        raise InvalidIdentifier(f"the EIC {code} should end in {expected}", remedy="Check each character.")
    return code


def eic_check_character(first15: str) -> str:
    """Compute the 16th character (EIC Reference Manual, release 5, annex 1: weights 16 to 2, modulo 37).

    Raises `InvalidIdentifier` when the rule gives a hyphen, which no code may end in.
    """
    total = sum(_EIC_ALPHABET.index(char) * (16 - index) for index, char in enumerate(first15))
    check = _EIC_ALPHABET[36 - (total - 1) % 37]
    if check == "-":
        raise InvalidIdentifier(f"no EIC can begin with {first15}: its check character would be a hyphen")
    return check


def parse_siren(text: str) -> str:
    """Return the 9 digits of a SIREN (INSEE: Luhn).

    >>> parse_siren("732 829 320")
    '732829320'
    """
    digits = _digits(text, 9, "SIREN")
    if _luhn(digits) != 0:
        raise InvalidIdentifier(f"the SIREN {digits} does not check", remedy="Check each digit.")
    return digits


def parse_metering_point_id(text: str) -> str:
    """Return a metering point's identifier: a PRM (14 digits), a GSRN (18 digits) or an EIC of type Z."""
    compact = _GROUPING.sub("", visible(text))
    if compact.isascii() and compact.isdigit():
        match len(compact):
            case 14:
                return parse_prm(compact)
            case 18:
                return parse_gsrn(compact)
        raise InvalidIdentifier(
            f"a metering point has 14 digits (PRM) or 18 (GSRN), this one {len(compact)}",
            remedy="Check each digit; if it begins with a zero, a spreadsheet leaves that out unless the column is text.",
        )
    code = parse_eic(compact)
    if code[2] != "Z":
        raise InvalidIdentifier(f"the EIC {code} names a {EIC_TYPES[code[2]]}, not a metering point (type Z)")
    return code


def _digits(text: str, length: int, family: str) -> str:
    compact = _GROUPING.sub("", visible(text))
    if not (compact.isascii() and compact.isdigit()):
        raise InvalidIdentifier(f"a {family} has digits only")
    if len(compact) != length:
        raise InvalidIdentifier(f"a {family} has {length} digits, this one {len(compact)}")
    return compact


def _luhn(digits: str) -> int:
    doubled = (int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10
