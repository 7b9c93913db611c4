"""The codes of ESPI that bear on a value (`espi.xsd` v4.0), and what they are here."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from gridgate.core.quantities import FlowDirection, Kind, Quality

FORECAST: Final = 12
_QUALITIES: Final = {
    **dict.fromkeys((0, 14, 17, 18, 19), Quality.MEASURED),
    7: Quality.CORRECTED,
    **dict.fromkeys((8, 9, 10, 11, 13, 15, 16), Quality.ESTIMATED),
}
DIRECTIONS: Final = {1: FlowDirection.WITHDRAWAL, 19: FlowDirection.INJECTION, 0: None, None: None}
_FLOWS: Final = {4: "net", 20: "total", 21: "total by phase"}
_ELECTRICITY: Final = (None, 0, 1, 2, 26)
_COMMODITIES: Final = {
    7: "natural gas",
    8: "propane",
    9: "drinking water",
    10: "steam",
    11: "waste water",
    12: "heat",
    13: "cold",
    14: "water",
    25: "refuse",
}
_SERVICES: Final = {
    1: "gas",
    2: "water",
    3: "time",
    4: "heat",
    5: "refuse",
    6: "sewerage",
    7: "rates",
    8: "television",
    9: "internet",
}
_UNITS: Final = {
    71: "VAh",
    73: "VArh",
    63: "VAr",
    29: "V",
    5: "A",
    106: "Ah",
    33: "Hz",
    65: "cos φ",
    153: "W/VA",
    31: "J",
    80: "money",
    132: "BTU",
    169: "therm",
    119: "ft³",
    120: "ft³",
    42: "m³",
    134: "l",
    128: "US gallons",
    23: "°C",
    111: "counts",
}
_COUNTS_UP: Final = (1, 2, 3, 9)
_OF_AN_INTERVAL: Final = (None, 0, 4)
_DEMAND: Final = (None, 0, 4, 6)
_ACCUMULATIONS: Final = {
    1: "bulkQuantity",
    2: "continuousCumulative",
    3: "cumulative",
    6: "indicating",
    9: "summation",
    10: "timeDelay",
    12: "instantaneous",
    13: "latchingQuantity",
    14: "boundedQuantity",
}
_MAXIMUM: Final = 8
_PLAIN: Final = (None, 0, 12)
_SUM: Final = 26
_AVERAGE: Final = 2
_OTHER_KINDS: Final = {
    3: "currency",
    16: "currency",
    31: "line losses",
    32: "losses",
    45: "a tariff rate",
    48: "transformer losses",
    150: "a bill",
    151: "a bill",
    152: "a bill",
    153: "a fee",
}
_WHOLE: Final = (None, 0, 224, 225, 768, 769, 784)
LEGS: Final = {
    **dict.fromkeys((128, 129), "A"),
    **dict.fromkeys((64, 65), "B"),
    **dict.fromkeys((32, 33), "C"),
    **dict.fromkeys((512, 528), "S1"),
    **dict.fromkeys((256, 272), "S2"),
}
"""Phases whose energies add up to the point's."""
CONNECTIONS: Final = (("A", "B", "C"), ("S1", "S2"))


class Share(NamedTuple):
    """Which part of a tariff a value is counted in; 0 everywhere is none in particular."""

    tou: int = 0
    tier: int = 0
    cpp: int = 0

    def __str__(self) -> str:
        named = zip(("tou", "consumptionTier", "cpp"), self, strict=True)
        return ", ".join(f"{name} {code}" for name, code in named if code)

    @property
    def register(self) -> str:
        named = zip(("TOU", "TIER", "CPP"), self, strict=True)
        return "-".join(f"{name}{code}" for name, code in named if code)

    def within(self, of_type: "Share") -> "Share":
        """What holds of a reading that says this, its type saying that."""
        return Share(*(own or general for own, general in zip(self, of_type, strict=True)))


@dataclass(frozen=True, slots=True)
class ReadingType:
    """What a ReadingType says of the values that refer to it."""

    unit: int | None
    multiplier: int
    accumulation: int | None
    qualifier: int | None
    flow: int | None
    commodity: int | None
    kind: int | None
    phase: int | None
    default_quality: int
    interval_length: int
    share: Share
    harmonic: bool

    @property
    def counts_up(self) -> bool:
        """Whether the values are what a register shows."""
        return self.unit == 72 and self.accumulation in _COUNTS_UP

    @property
    def leg(self) -> str:
        """The one phase that the values are of; empty when they are of all."""
        return LEGS.get(self.phase or 0, "")


def quality_of(code: int) -> Quality:
    """`QualityOfReading`; a code not known here is taken for the most careful word there is."""
    return _QUALITIES.get(code, Quality.ESTIMATED)


def refusal_of_service(kind: int | None) -> str:
    """Why the values of a usage point are refused, by its `ServiceCategory`; empty when they are not."""
    if kind in (None, 0):
        return ""
    named = _SERVICES.get(kind or 0, "another service")
    return f"the usage point is for {named} (ServiceCategory {kind}); only electricity is kept"


def refusal_of_type(reading_type: ReadingType) -> str:
    """Why values of this type are refused; empty when they are not."""
    return (
        _refusal_of_matter(reading_type)
        or _refusal_of_unit(reading_type)
        or _refusal_of_accumulation(reading_type)
        or _refusal_of_part(reading_type)
    )


def _refusal_of_matter(of: ReadingType) -> str:
    if of.commodity not in _ELECTRICITY:
        named = _COMMODITIES.get(of.commodity or 0, "another commodity")
        return f"the values are of {named} (commodity {of.commodity}); only electricity is kept"
    if of.kind in _OTHER_KINDS:
        return f"the values are {_OTHER_KINDS[of.kind or 0]} (kind {of.kind}), not what was used or produced; not kept"
    if of.flow not in DIRECTIONS:
        named = f" ({_FLOWS[of.flow or 0]})" if of.flow in _FLOWS else ""
        return f"flowDirection {of.flow}{named} is neither delivered (1) nor received (19): not kept"
    if not -9 <= of.multiplier <= 9:
        return f"powerOfTenMultiplier {of.multiplier} is none that ESPI has (-9 to 9)"
    return ""


def _refusal_of_unit(of: ReadingType) -> str:
    qualifier = f"dataQualifier {of.qualifier}"
    match of.unit:
        case 72 if of.qualifier in (*_PLAIN, _SUM):
            return ""
        case 72:
            return f"the values are in Wh, yet no plain energy ({qualifier}); not kept"
        case 38 if of.qualifier in (*_PLAIN, _AVERAGE):
            return ""
        case 38:
            return (
                f"the values are extremes of power in W or no power that flowed ({qualifier});"
                " of maxima only those in VA are kept"
            )
        case 61 if of.qualifier == _MAXIMUM:
            return ""
        case 61:
            return "of values in VA only maxima (dataQualifier 8) are kept"
        case None:
            return "the ReadingType has no uom: the unit of the values is unknown"
        case _:
            named = _UNITS.get(of.unit, "another unit")
            return f"the values are in {named} (uom {of.unit}); Wh (72), W (38) and VA (61) are kept"


def _refusal_of_accumulation(of: ReadingType) -> str:
    known = (*_OF_AN_INTERVAL, *_COUNTS_UP) if of.unit == 72 else _DEMAND
    if of.accumulation in known:
        return ""
    named = _ACCUMULATIONS.get(of.accumulation or 0, "none of ESPI's")
    what = "energy of an interval nor a register" if of.unit == 72 else "of one interval"
    neither = "neither" if of.unit == 72 else "not"
    return f"accumulationBehaviour {of.accumulation} ({named}) is {neither} {what}; not kept"


def _refusal_of_part(of: ReadingType) -> str:
    """A curve, a day or a maximum is of the whole point; only registers are kept part by part."""
    if of.harmonic:
        return "the values are of one harmonic (interharmonic), which is not the whole of the point; not kept"
    if any(of.share) and not of.counts_up:
        return (
            f"the values are of one part of a tariff ({of.share}), which is not the whole of the point;"
            " ask the source for the total"
        )
    if of.phase in _WHOLE:
        return ""
    if not of.leg:
        return f"the values are of phase {of.phase}, which is not the whole of the point; not kept"
    if of.unit == 61:
        return (
            f"the maximum is of phase {of.leg} (phase {of.phase}): maxima of phases do not add up; not kept"
        )
    return ""


def kind_and_unit(reading_type: ReadingType) -> tuple[Kind, str]:
    """The kind of intervals shorter than a day, and the unit."""
    match reading_type.unit:
        case 72:
            return (Kind.REGISTER_READING if reading_type.counts_up else Kind.LOAD_CURVE), "Wh"
        case 38:
            return Kind.LOAD_CURVE, "W"
        case _:
            return Kind.MAXIMUM_POWER, "VA"
