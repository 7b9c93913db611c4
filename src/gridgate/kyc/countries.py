"""Countries by ISO 3166-1 code, in French and English.

`countries.csv` gives the names of the Unicode CLDR, as Babel 2.18 has them; Kosovo has the code that the EU gives it, XK.
"""

import csv
import unicodedata
from functools import cache
from pathlib import Path


@cache
def countries() -> dict[str, dict[str, str]]:
    """Names by language, by code.

    >>> countries()["DE"]["fr"]
    'Allemagne'
    """
    with Path(__file__).with_name("countries.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: {"fr": row["fr"], "en": row["en"]} for row in csv.DictReader(file)}


@cache
def in_order(language: str) -> list[tuple[str, str]]:
    """Codes and names as a list is read in that language: accents and case do not count."""
    named = [(code, names[language]) for code, names in countries().items()]
    return sorted(named, key=lambda one: _plain(one[1]))


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFD", name.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
