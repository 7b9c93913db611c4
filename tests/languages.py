"""Words that one of the portal's languages has and the other has not."""

import re

FRENCH = re.compile(r"\b(les|des|une|vos|votre|pour|avec|dans|jusqu’au|depuis|aucune?|kWh soutirés)\b", re.I)
ENGLISH = re.compile(r"\b(the|and|your|with|from|until|since|this|none)\b", re.I)
OTHER = {"fr": ENGLISH, "en": FRENCH}


def foreign(text: str, language: str) -> list[str]:
    """The words of the other language in a page's text, each with what stands around it."""
    first = {found.group(0): found.start() for found in reversed(list(OTHER[language].finditer(text)))}
    return [f"another language: …{text[max(0, at - 40) : at + 40]}…" for _, at in sorted(first.items())]
