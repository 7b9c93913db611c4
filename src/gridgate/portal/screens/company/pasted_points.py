"""A list of points pasted as it comes, from a letter or a spreadsheet: which are known, and what is wrong with others."""

import re
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.core.identifiers import InvalidIdentifier, parse_metering_point_id
from gridgate.portal.kit import formats

BAD_SHOWN = 20
_BETWEEN_CELLS = re.compile(r"[\t;,]+")


@dataclass(slots=True)
class Pasted:
    """What a pasted list holds: points of the company, and the rest with what is wrong."""

    good: set[str] = field(default_factory=set)
    bad: list[tuple[str, str]] = field(default_factory=list)

    @property
    def left(self) -> str:
        """What stays in the field, to be mended."""
        return "\n".join(text for text, _why in self.bad)

    @property
    def shown(self) -> list[tuple[str, str]]:
        return self.bad[:BAD_SHOWN]

    @property
    def more(self) -> int:
        return max(0, len(self.bad) - BAD_SHOWN)


def read_list(text: str, known: set[str]) -> Pasted:
    """One identifier a line, grouped or not, or several separated by anything; what stands beside them, such as a
    name or an address, is passed over.

    A point that is another company's reads as one that does not exist.
    """
    pasted = Pasted()
    for line in filter(None, (line.strip() for line in text.splitlines())):
        good, bad = _read_line(line, known)
        pasted.good.update(good)
        pasted.bad.extend(bad)
    return pasted


def _read_line(line: str, known: set[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """The points of a line, and what in it looks like an identifier and is none; the whole line when nothing does."""
    good, bad = [], []
    for cell in filter(None, (cell.strip() for cell in _BETWEEN_CELLS.split(line))):
        point, why = _identifier(cell, known)
        if point:
            good.append(point)
            continue
        words = [(word, *_identifier(word, known)) for word in cell.split()]
        points = [point for _word, point, _why in words if point]
        wrong = [(word, said) for word, point, said in words if not point and _looks_like_one(word)]
        good.extend(points)
        bad.extend(wrong)
        if not (points or wrong) and _looks_like_one(cell):
            bad.append((cell, why))
    if not good and not bad:
        bad.append((line[:60], _identifier(line, known)[1]))
    return good, bad


def _looks_like_one(text: str) -> bool:
    """Long enough, and of little else than digits: not a street number, nor a year."""
    compact = "".join(text.split())
    return sum(char.isdigit() for char in compact) >= 8 and len(compact) <= 20


def _identifier(text: str, known: set[str]) -> tuple[str, str]:
    """The point, or why it is none."""
    try:
        point = parse_metering_point_id(text)
    except InvalidIdentifier:
        return "", _fault(text)
    return (point, "") if point in known else ("", _("n’est pas un point de votre entreprise"))


def _fault(text: str) -> str:
    compact = "".join(text.split()).replace(".", "")
    if compact.isdecimal() and len(compact) not in (14, 18):
        return ngettext(
            "%(count)s chiffre ; un PRM en a 14, un GSRN 18",
            "%(count)s chiffres ; un PRM en a 14, un GSRN 18",
            len(compact),
        ) % {"count": formats.number(len(compact))}
    if compact.isdecimal():
        return _("un chiffre est faux : la clé de contrôle ne correspond pas")
    return _("n’est pas l’identifiant d’un point")
