"""Text as people type it in a search box."""

import unicodedata


def folded(text: str) -> str:
    """Text without case and accents: what searches look in, and what is looked for.

    >>> folded("Écully, côté Est")
    'ecully, cote est'
    """
    parts = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("’", "'"))
    return "".join(char for char in parts if not unicodedata.combining(char))
