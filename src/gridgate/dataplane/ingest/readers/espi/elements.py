"""What elements of a feed say: numbers, links, instants, the type of readings."""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from gridgate.dataplane.ingest.readers.espi.blocks import UNSAID
from gridgate.dataplane.ingest.readers.espi.codes import FORECAST, ReadingType, Share, quality_of
from gridgate.dataplane.ingest.unreadable import UnreadableFile

if TYPE_CHECKING:
    from lxml.etree import _Element


ESPI: Final = "{http://naesb.org/espi}"
_LARGEST: Final = 2**47
"""ESPI's integers have 48 bits; sums of a few of these fit in 64."""
_DIGITS: Final = re.compile(r"[+-]?[0-9]{1,40}")
"""As XML Schema writes an integer, which `int` alone does not hold to."""
_SHOWN: Final = 60


def worst_quality(texts: list[str]) -> int:
    """The least certain of the qualities that a reading bears: their code, or `UNSAID` when it bears none."""
    numbers = [integer(text) for text in texts if text.strip()]
    codes = [-1 if number is None else number for number in numbers]  # no code of ESPI's, so not known here
    return max(codes, key=lambda code: (code == FORECAST, quality_of(code)), default=UNSAID)


def reading_type_of(element: "_Element") -> ReadingType:
    quality = (element.findtext(f"{ESPI}defaultQuality") or "").strip()
    harmonic = [number_in(element, "interharmonic", part) for part in ("numerator", "denominator")]
    return ReadingType(
        unit=number_in(element, "uom"),
        multiplier=number_in(element, "powerOfTenMultiplier") or 0,
        accumulation=number_in(element, "accumulationBehaviour"),
        qualifier=number_in(element, "dataQualifier"),
        flow=number_in(element, "flowDirection"),
        commodity=number_in(element, "commodity"),
        kind=number_in(element, "kind"),
        phase=number_in(element, "phase"),
        default_quality=worst_quality([quality]) if quality else 0,
        interval_length=number_in(element, "intervalLength") or 0,
        share=Share(*(number_in(element, name) or 0 for name in ("tou", "consumptionTier", "cpp"))),
        harmonic=any(harmonic),
    )


def number_in(element: "_Element", *path: str) -> int | None:
    """The number at that path, None where there is none. Raises `UnreadableFile` for what is no number: whatever it
    describes would be read as if it were not said.
    """
    text = (element.findtext("/".join(f"{ESPI}{name}" for name in path)) or "").strip()
    number = integer(text)
    if text and number is None:
        raise UnreadableFile(
            f"{'/'.join(path)} « {short(text)} » is not a whole number of 48 bits",
            remedy="Correct it.",
        )
    return number


def integer(text: str | None) -> int | None:
    digits = (text or "").strip()
    if not _DIGITS.fullmatch(digits):
        return None
    number = int(digits)
    return number if -_LARGEST <= number < _LARGEST else None


def path_of(href: str) -> str:
    """A link without host and API prefix, so that absolute and relative links to one resource are equal."""
    path = href.partition("://")[2].partition("/")[2] if "://" in href else href
    return path.rpartition("/resource/")[2].strip("/")


def type_key(href: str) -> str:
    return href[href.rfind("ReadingType/") :] if "ReadingType/" in href else href


def milliseconds(text: str | None) -> int | None:
    try:
        instant = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return int(instant.timestamp() * 1000) if instant.tzinfo is not None else None


def local_name(element: "_Element") -> str:
    return str(element.tag).rpartition("}")[2]


def short(text: str) -> str:
    """The text of a file as a message can hold it."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
