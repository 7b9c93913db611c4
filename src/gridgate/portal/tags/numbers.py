"""Numbers as a page writes them."""

from django import template

from gridgate.portal.kit import formats
from gridgate.portal.kit.formats import Number

register = template.Library()


@register.filter
def num(value: Number | None, decimals: int = 0) -> str:
    """`{{ count|num }}` → `3 248`; `{{ value|num:1 }}` → `59,4`."""
    return formats.number(value, int(decimals))


@register.filter
def kwh(watt_hours: Number | None, decimals: int = 0) -> str:
    """Wh as kWh, without the unit (it is in the column's header): `{{ 16683000|kwh }}` → `16 683`."""
    return formats.number(None if watt_hours is None else watt_hours / 1000, int(decimals))


@register.filter
def kw(watts: Number | None, decimals: int = 0) -> str:
    """W as kW (or VA as kVA), without the unit: `{{ 262000|kw:1 }}` → `262,0`."""
    return formats.number(None if watts is None else watts / 1000, int(decimals))


@register.filter
def quantity(value: Number | None, unit: str) -> str:
    """In the unit that reads best: `{{ 965400000|quantity:"Wh" }}` → `965 MWh`; also "W" and "VA"."""
    return formats.quantity(value, unit)


@register.filter
def before_unit(unit: str) -> str:
    """What stands between a number and its unit where each is an element: `{{ unit|before_unit }}`."""
    return formats.before_unit(unit)


@register.filter
def percent(ratio: Number | None, decimals: int = 0) -> str:
    """A ratio of 0 to 1: `{{ 0.955|percent:1 }}` → `95,5 %`."""
    return formats.percent(ratio, int(decimals))


@register.filter
def duration(seconds: Number | None) -> str:
    """`{{ 5400|duration }}` → `1 h 30`."""
    return formats.duration(seconds)


@register.filter
def dash(value: object) -> object:
    """`–` for nothing (None or an empty text); 0 stays 0."""
    return formats.NONE if value is None or value == "" else value
