"""Words that all Enedis flows share, and what they are here.

Sources: the R6x schemas (`Enedis.SGE.JSON.0510` to `0534`), the XSDs of R50, R151, R171 and R4x, and Enedis'
published guides to those flows. What no document says is marked "assumed".
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from types import NoneType
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Quality
from gridgate.dataplane.ingest.local_time import LocalClock
from gridgate.dataplane.ingest.stamps import parse_stamp

Number = TypeVar("Number", np.uint8, np.int64)

DIRECTIONS: Final = {
    "CONS": FlowDirection.WITHDRAWAL,
    "PROD": FlowDirection.INJECTION,
    "consommation": FlowDirection.WITHDRAWAL,
    "production": FlowDirection.INJECTION,
}
ACTIVE: Final = ("EA", "PA")
"""`grandeurPhysique` of active energy and power: R63 says EA or PA for one and the same load curve."""
MAXIMA: Final = {"PMA": "", "PMA1": "PMA1", "PMA2": "PMA2", "PMA3": "PMA3"}
"""`grandeurPhysique` of maxima, and their register: the whole supply, or one phase of it."""
PHYSICAL: Final = {
    "ER": "reactive energy",
    "ERC": "reactive energy",
    "ERI": "reactive energy",
    "DD": "duration of exceedance",
    "DE": "energy of exceedance",
    "DQ": "quadratic exceedance",
    "TF": "time of operation",
    "E": "voltage",
}
_NATURES: Final = {
    "B": Quality.MEASURED,  # brut
    "R": Quality.MEASURED,  # réel
    "D": Quality.MEASURED,  # imported by hand
    "C": Quality.CORRECTED,  # corrigé
}
"""`n` of R63, `Nature`, `Statut_Point` of R4x. All other codes say that the value was not read as it stands:
H and P reconstituted, S, T, F and G power cut, E estimated, K computed from other curves."""
NO_CLASS: Final = (
    "the reading names no temporal class and no dial, and is not the total; ask the source which it is of"
)
_OF_A_PHASE: Final = re.compile(r"(?:EA|PA|ER[CI]?|E|I)([123])")
_PUBLISHED: Final = re.compile(r"_([0-9]{14})(?:\.\w+)*$")
_PARIS: Final = ZoneInfo("Europe/Paris")


def quality_of_nature(code: object, stage: str = "") -> Quality:
    """The quality that a nature code means. Without one the stage says it for all values: `BEST`, « corrigée » are
    corrected (assumed), else the flow is of raw values.
    """
    corrected = plain(stage).startswith(("best", "corrig"))
    text = str(code or ("C" if corrected else "B")).strip().upper()
    return _NATURES.get(text, Quality.ESTIMATED)


def qualities_of_natures(codes: Sequence[object], stage: str = "") -> NDArray[np.uint8]:
    return each(codes, lambda code: quality_of_nature(code, stage), np.uint8)


def quality_of_likelihood(code: object) -> Quality:
    """`IV`, *indice de vraisemblance*, of flows that have no nature: 0 or none is likely, all else is doubtful
    and, as the most careful word there is, estimated (assumed).
    """
    likely = str("" if code is None else code).strip() in ("", "0")
    return Quality.MEASURED if likely else Quality.ESTIMATED


def qualities_of_likelihoods(codes: Sequence[object]) -> NDArray[np.uint8]:
    return each(codes, quality_of_likelihood, np.uint8)


def each(codes: Sequence[object], rule: Callable[[str], int], of: type[Number]) -> NDArray[Number]:
    """The rule for the text of each code; codes repeat, so it is asked once for each that differs."""
    if not set(map(type, codes)) <= {str, NoneType}:
        codes = ["" if code is None else str(code) for code in codes]
    table = {code: rule("" if code is None else str(code)) for code in set(codes)}
    return np.fromiter(map(table.__getitem__, codes), of, len(codes))


def direction_of(trade: str) -> FlowDirection | None:
    """`grandeurMetier`; None when it is neither consumption nor production."""
    return DIRECTIONS.get(trade.strip()) or DIRECTIONS.get(plain(trade))


def not_kept(physical: str) -> str:
    """Why the values of a physical quantity are rejected."""
    if phase := _OF_A_PHASE.fullmatch(physical):
        return f"the values are of phase {phase[1]} alone ({physical}); those of the whole supply are kept"
    named = PHYSICAL.get(physical, "a quantity not known here")
    code = physical or "no grandeur physique"
    return f"the values are of {named} ({code}); active energy and power and their maxima are kept"


def register_of(code: str, *, grid: str = "", calendar: str = "", dial: str = "") -> str:
    """The register of a temporal class.

    Both grids of a meter use the same words (BASE, HP, HC) for different counts, so the classes of the
    distributor's grid carry `D:` before their code and those of the supplier's grid none. The total is the
    register without a name, and so is a class that names neither itself nor a dial: ask before.
    """
    of_distributor = (
        plain(grid).startswith("distrib") or calendar.upper().startswith("DI") or dial.startswith("IDX_EAS_D")
    )
    name = code or dial
    return f"D:{name}" if of_distributor and name else name


def published_at(text: str | None, name: str = "") -> int | None:
    """Epoch milliseconds of publication: what the file says, else the time stamp (Paris) at the end of its
    name."""
    stamp = parse_stamp(text) if text else None
    if stamp is None and (found := _PUBLISHED.search(name)):
        digits = found[1]
        stamp = parse_stamp(
            f"{digits[:4]}-{digits[4:6]}-{digits[6:8]} {digits[8:10]}:{digits[10:12]}:{digits[12:]}"
        )
    if stamp is None:
        return None
    seconds, wall = stamp
    if wall:
        utc, _, _ = LocalClock(_PARIS).instants(np.array([seconds]), np.array([0]))
        seconds = int(utc[0])
    return seconds * 1000


def plain(text: str) -> str:
    """Lower case, without accents: column names come with and without them."""
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
