"""Countries by ISO 3166-1 code, and their names in every language that the Unicode CLDR has, through Babel.

Kosovo has the code that the EU gives it, XK. Babel is imported as names are asked for: few processes do.
"""

import unicodedata
from functools import cache
from typing import Final

_NO_COUNTRIES: Final = frozenset(
    {
        *("EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"),  # groups of countries, and none
        *("AC", "CP", "CQ", "DG", "EA", "IC", "TA"),  # reserved for parts of countries
    }
)
"""Codes of two letters that the CLDR names beside those of ISO 3166-1."""


@cache
def countries() -> frozenset[str]:
    """The codes.

    >>> "DE" in countries(), "EU" in countries()
    (True, False)
    """
    return frozenset(code for code in _territories("en") if len(code) == 2 and code.isalpha()) - _NO_COUNTRIES


def name_of(code: str, language: str) -> str:
    """The country in that language; the code itself for one that is none.

    >>> name_of("DE", "fr"), name_of("??", "fr")
    ('Allemagne', '??')
    """
    return _territories(language).get(code, code) if code in countries() else code


@cache
def in_order(language: str) -> list[tuple[str, str]]:
    """Codes and names as a list is read in that language: accents and case do not count."""
    named = [(code, name_of(code, language)) for code in countries()]
    return sorted(named, key=lambda country: _plain(country[1]))


@cache
def _territories(language: str) -> dict[str, str]:
    from babel import Locale

    return dict(Locale(language).territories)


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFD", name.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
