"""The codes of ESPI that bear on a value (`espi.xsd` v4.0), and what they are here."""

from dataclasses import dataclass
from typing import Final

from gridgate.core.quantities import FlowDirection, Kind, Quality

FORECAST: Final = 12
_QUALITIES: Final = {
    **dict.fromkeys((0, 14, 17, 18, 19), Quality.MEASURED),
    7: Quality.CORRECTED,
    **dict.fromkeys((8, 9, 10, 11, 13, 15, 16), Quality.ESTIMATED),
}
DIRECTIONS: Final = {1: FlowDirection.WITHDRAWAL, 19: FlowDirection.INJECTION, 0: None, None: None}
_ELECTRICITY: Final = (None, 0, 1, 2, 26)
_COMMODITIES: Final = {
    7: "natural gas",
    8: "propane",
    9: "drinking water",
    10: "steam",
    12: "heat",
    13: "cold",
    14: "water",
}
_SERVICES: Final = {
    1: "gas",
    2: "water",
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
    80: "money",
    132: "BTU",
    169: "therm",
    119: "ft³",
    42: "m³",
}
_COUNTS_UP: Final = (1, 2, 3, 9)
_MAXIMUM: Final = 8


@dataclass(slots=True)
class ReadingType:
    """What a ReadingType says of the values that refer to it."""

    unit: int | None
    multiplier: int
    accumulation: int | None
    qualifier: int | None
    flow: int | None
    commodity: int | None


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
    if reading_type.commodity not in _ELECTRICITY:
        named = _COMMODITIES.get(reading_type.commodity or 0, "another commodity")
        return f"the values are of {named} (commodity {reading_type.commodity}); only electricity is kept"
    if reading_type.flow not in DIRECTIONS:
        return f"flowDirection {reading_type.flow} is neither delivered (1) nor received (19): not kept"
    if not -9 <= reading_type.multiplier <= 9:
        return f"powerOfTenMultiplier {reading_type.multiplier} is none that ESPI has (-9 to 9)"
    if reading_type.unit == 72:
        return ""
    if reading_type.unit == 38:
        extreme = reading_type.qualifier in (8, 9, 16, 17, 23, 24, 25)
        return "the values are extremes of power in W; of maxima only those in VA are kept" if extreme else ""
    if reading_type.unit == 61:
        return (
            ""
            if reading_type.qualifier == _MAXIMUM
            else "of values in VA only maxima (dataQualifier 8) are kept"
        )
    named = _UNITS.get(reading_type.unit or 0, "another unit")
    return f"the values are in {named} (uom {reading_type.unit}); Wh (72), W (38) and VA (61) are kept"


def kind_and_unit(reading_type: ReadingType) -> tuple[Kind, str]:
    """The kind of intervals shorter than a day, and the unit."""
    match reading_type.unit:
        case 72:
            return (
                Kind.REGISTER_READING if reading_type.accumulation in _COUNTS_UP else Kind.LOAD_CURVE
            ), "Wh"
        case 38:
            return Kind.LOAD_CURVE, "W"
        case _:
            return Kind.MAXIMUM_POWER, "VA"
