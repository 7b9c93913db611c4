"""The tables of the registry by the heads of their columns: as commands call them, and as people read them in exports.

One list serves what writes the tables, what reads them, and what is given one of them for another.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from gridgate.core.text import folded
from gridgate.tables.diagnosis import Fault
from gridgate.tables.text import separator_of

_LANGUAGES: Final = ("fr", "en")


@dataclass(frozen=True)
class Known:
    """A table that a command reads. `heads` has the French and the English head of a column, and others that it may
    have; `aside` the columns that an export adds, which say how things stand and change nothing.
    """

    code: str
    """Of `diagnosis.WORDS`: what it is, and the command for it."""
    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    heads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def known(self) -> str:
        """The names of its columns, for people who are to mend a file."""
        return ", ".join([*self.columns, *self.optional])

    def head(self, column: str, language: str) -> str:
        """
        >>> POINTS.head("subscribed_power_kva", "fr")
        'Puissance souscrite (kVA)'
        """
        return self.heads[column][_LANGUAGES.index("en" if language.startswith("en") else "fr")]

    def called(self, column: str, language: str) -> str:
        """A column for people who are to mend a file: as they read it in lists, and the name it has for commands.

        >>> [POINTS.called(name, "en") for name in ("city", "segment", "étage")]
        ['City (city)', 'Segment (segment)', 'étage']
        """
        return f"{self.head(column, language)} ({column})" if column in self.heads else column

    def named(self, header: Iterable[str]) -> list[str]:
        """The columns by the names of the commands, whatever they are called; one that is not of the table stays.

        >>> POINTS.named(["\\ufeffPOINT DE COMPTAGE ", "segment", "Site name", "Étage"])
        ['id', 'segment', 'label', 'étage']
        """
        return [self._columns.get(folded(name).strip(), name.strip().lower()) for name in header]

    @cached_property
    def _columns(self) -> dict[str, str]:
        own = {name: name for name in (*self.columns, *self.optional, *self.aside)}
        return own | {folded(head): column for column, heads in self.heads.items() for head in heads}


POINTS: Final = Known(
    "is_points",
    columns=(
        "id",
        "segment",
        "directions",
        "address",
        "postcode",
        "city",
        "subscribed_power_kva",
        "activated_on",
    ),
    optional=("label", "meter_type", "valid_from"),
    aside=("collection", "collection_since", "held_from", "held_to", "held_otherwise"),
    heads={
        "id": ("Point de comptage", "Metering point"),
        "label": ("Nom du site", "Site name"),
        "segment": ("Segment", "Segment"),
        "directions": ("Sens", "Direction"),
        "address": ("Adresse", "Address"),
        "postcode": ("Code postal", "Postcode"),
        "city": ("Commune", "City"),
        "subscribed_power_kva": ("Puissance souscrite (kVA)", "Subscribed power (kVA)"),
        "meter_type": ("Type de compteur", "Meter type"),
        "activated_on": ("Mise en service", "In service since"),
        "valid_from": ("Valable à partir du", "Valid from"),
        "collection": ("Courbe de charge", "Load curve"),
        "collection_since": ("Courbe de charge depuis", "Load curve since"),
        "held_from": ("Titulaire depuis", "Holder since"),
        "held_to": ("Plus titulaire depuis", "No longer holder since"),
        "held_otherwise": ("Autres titularités", "Other times as holder"),
    },
)
HOLDERS: Final = Known(
    "is_holders",
    columns=("metering_point_id", "siren", "legal_name", "valid_from", "valid_to"),
    heads={
        "metering_point_id": ("Point de comptage", "Metering point"),
        "siren": ("SIREN", "SIREN"),
        "legal_name": ("Entreprise", "Company"),
        "valid_from": ("Titulaire depuis", "Holder since"),
        "valid_to": ("Plus titulaire depuis", "No longer holder since"),
    },
)
EIC_CODES: Final = Known(
    "is_eic_codes",
    columns=("code", "display_name", "long_name"),
    optional=("parent", "responsible_party", "status", "siren"),
    aside=(
        *("type", "source", "legal_name"),
        *("marketparticipantpostalcode", "marketparticipantisocountrycode", "marketparticipantvatcode"),
        "eictypefunctionlist",
    ),
    heads={
        "code": ("Code EIC", "EIC code", "EicCode"),
        "type": ("Type", "Type"),
        "display_name": ("Nom d’affichage", "Display name", "EicDisplayName"),
        "long_name": ("Nom complet", "Long name", "EicLongName"),
        "responsible_party": ("Acteur responsable", "Responsible party", "EicResponsibleParty"),
        "parent": ("Code parent", "Parent code", "EicParent"),
        "status": ("État", "State", "EicStatus"),
        "source": ("Origine", "Origin"),
        "siren": ("SIREN", "SIREN"),
        "legal_name": ("Entreprise", "Company"),
    },
)
"""The third heads are those of the files that ENTSO-E publishes (`X_eicCodes.csv` and its sisters)."""
MAPPING: Final = Known(
    "is_mapping",
    columns=("foreign_id", "metering_point_id"),
)

METER_TYPES: Final = {
    **dict.fromkeys(("communicant", "communicating"), "AMM"),
    **dict.fromkeys(("electronique, telereleve", "electronic, read remotely"), "PMEI"),
    **dict.fromkeys(("autre", "other"), "OTHER"),
}
"""Types of meters by the words, `folded`, that people read for them."""
EIC_STATES: Final = {
    **dict.fromkeys(("", "actif", "active"), True),
    **dict.fromkeys(("desactive", "inactif", "inactive", "deactivated"), False),
}
"""Whether a code is to be used, by the words, `folded`, that people read for it."""

_TABLES: Final = (POINTS, HOLDERS, EIC_CODES, MAPPING)


_ENOUGH: Final = 3 / 4
"""Of the columns that a command needs: one that is misspelt hides no table."""
_TIMES: Final = frozenset(
    (
        "start",
        "end",
        "day",
        "timestamp",
        "datetime",
        "date",
        "horodate",
        "debut",
        "fin",
        "date de debut",
        "date de fin",
    )
)
_MEASURES: Final = re.compile(
    r"(?:value|valeur)\b.*|v0*1|\S+ (?:load curve|daily energy|maximum power|register reading) \S+ \(.*"
)
_FLOWS: Final = re.compile(
    r"\s*(?:PAR1"
    r"|<[^>]*>\s*(?:<!--.*?-->\s*)*<(?:[\w.-]+:)?(?:feed|entry|Courbe|R\d+\w*)\b|<(?:[\w.-]+:)?(?:feed|entry|Courbe|R\d+\w*)\b"
    r"|[{\[].*\"(?:idPrm|mesures?|codeFlux|grandeurMetier)\""
    r"|\"?identifiant prm\"?;|\"?point reference mesure \(prm\))",
    re.IGNORECASE | re.DOTALL,
)
"""How files of measurements begin that are no plain table."""


def table_of(header: Sequence[str]) -> Known | None:
    """The table that has these columns; None when it is none that a command of the registry reads.

    >>> table_of(["Foreign_ID", "metering_point_id"]).code
    'is_mapping'
    """
    fitting = [
        table
        for table in _TABLES
        if len(set(table.columns) & set(table.named(header))) >= _ENOUGH * len(table.columns)
    ]
    return fitting[0] if fitting else None


def other_table(beginning: str, wanted: Known | None) -> Fault | None:
    """What a file is by its beginning, when it is not the table `wanted` (None: measurements) but one for another
    command.
    """
    text = beginning.lstrip("\ufeff")
    first = next((line for line in text.splitlines() if line.strip(" ;,\t")), "")
    header = [cell.strip().strip('"').strip() for cell in first.split(separator_of(first))]
    table = table_of(header)
    if table is not None:
        return Fault(table.code) if table is not wanted else None
    if wanted is not None and (_FLOWS.match(folded(text[:4096])) or _has_measures(header)):
        return Fault("is_measurements")
    return None


def _has_measures(header: Sequence[str]) -> bool:
    names = [folded(name).replace("_", " ").strip() for name in header]
    return any(name in _TIMES for name in names) and any(map(_MEASURES.fullmatch, names))
