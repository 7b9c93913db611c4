"""Names without capitals or accents, in SQL: Énergie stands before Finances, and is found by « energie ».

SQLite knows the case of ASCII only and sorts by bytes, so each connection is taught the core's own function. Companies
and points, of which there are many, keep a folded copy of their name instead.
"""

from functools import reduce
from operator import and_
from typing import Any

from django.db.backends.signals import connection_created
from django.db.models import F, Func, Q, TextField
from django.db.models.lookups import Contains
from django.dispatch import receiver

from gridgate.core.text import folded, name_words

_ACCENTED = "àáâãäåçèéêëìíîïñòóôõöùúûüýÿ"


class Folded(Func):
    """What `core.text.folded` makes of a text."""

    function = "GRIDGATE_FOLDED"
    arity = 1
    output_field = TextField()

    def as_postgresql(self, *args: Any, **context: Any) -> Any:
        """Its own function folds case; the accents of western Europe are left."""
        plain = "".join(folded(letter) for letter in _ACCENTED)
        template = f"TRANSLATE(LOWER(%(expressions)s), '{_ACCENTED}', '{plain}')"
        return self.as_sql(*args, **{**context, "template": template})


def named_like(text: str, *fields: str) -> Q:
    """Every word of the text stands in one of the fields, whatever its capitals and accents."""
    found = Q()
    for word in folded(text).split():
        one = Q()
        for field in fields:
            one |= Q(Contains(Folded(F(field)), word))
        found &= one
    return found


def company_named_like(text: str, company: str = "") -> Q:
    """Every word of the text stands in the name of the company at the end of the path, whatever the capitals, accents and
    punctuation of both: « edf » and « E.D.F. » find one another. No company without a word.
    """
    path = f"{company}__search_text__contains" if company else "search_text__contains"
    words = name_words(text)
    return reduce(and_, (Q(**{path: word}) for word in words)) if words else Q(pk__in=())


@receiver(connection_created)
def _teach(connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function(
            Folded.function, 1, lambda text: None if text is None else folded(text), deterministic=True
        )
