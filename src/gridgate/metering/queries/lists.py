"""Lists of points: narrowed, counted, found by words or digits."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Case, Count, Q, Value, When
from django.db.models.functions import Concat

from gridgate.core.quantities import FlowDirection
from gridgate.core.text import folded, visible
from gridgate.metering.queries.collections import NEVER, with_collection
from gridgate.metering.queries.points import Points
from gridgate.metering.queries.titles import still_held


@dataclass(frozen=True, slots=True)
class PointFilter:
    """What a list of points is narrowed to; an empty value narrows nothing.

    `text` is words of the name or address, or digits of the identifier or postcode in any grouping; every
    word must be found. Powers are in kVA, both ends included. `collection` is a state, or `NEVER`.
    """

    text: str = ""
    segment: str = ""
    direction: FlowDirection | None = None
    city: str = ""
    power_from: Decimal | None = None
    power_to: Decimal | None = None
    collection: str = ""
    held: bool | None = None
    """Only points held today (True) or no more (False)."""


def narrow(points: Points, wanted: PointFilter, *, today: date) -> Points:
    """The points that the filter lets through."""
    points = points.filter(found_by(wanted.text))
    if wanted.segment:
        points = points.filter(segment=wanted.segment)
    if wanted.direction is not None:
        points = points.filter(directions__in=[mask for mask in (1, 2, 3) if mask & wanted.direction.bit])
    if wanted.city:
        points = points.filter(city=wanted.city)
    if wanted.power_from is not None:
        points = points.filter(subscribed_power_kva__gte=wanted.power_from)
    if wanted.power_to is not None:
        points = points.filter(subscribed_power_kva__lte=wanted.power_to)
    if wanted.collection:
        state = (
            Q(collection_state__isnull=True)
            if wanted.collection == NEVER
            else Q(collection_state=wanted.collection)
        )
        points = with_collection(points, today=today).filter(still_held(today) & state)
    if wanted.held is not None:
        ended = Q(held_to__isnull=False, held_to__lte=today)
        points = points.filter(~ended if wanted.held else ended)
    return points


@dataclass(frozen=True, slots=True)
class PointTotals:
    """How many points; how many are held today, how many of these inject, at how many addresses."""

    points: int
    held: int
    injecting: int
    sites: int


def totals_of(points: Points, *, today: date) -> PointTotals:
    """Count a list of points, in one statement. One whose address is not told is of no site."""
    told = Concat("address", Value("\n"), "postcode")
    address = Case(When(directions__gt=0, then=told))
    held = still_held(today)
    counted = points.aggregate(
        points=Count("pk"),
        held=Count("pk", filter=held),
        injecting=Count("pk", filter=held & Q(directions__in=[2, 3])),
        sites=Count(address, distinct=True, filter=held),
    )
    return PointTotals(**counted)


def cities_of(points: Points) -> list[str]:
    """The cities of these points, in alphabetical order."""
    cities = points.exclude(city="").order_by().values_list("city", flat=True).distinct()
    return sorted(cities, key=folded)


def found_by(text: str) -> Q:
    """Points by words of their name or address, or by their number: "30 001 480" and "30.001.480" are groups of one
    number, "17Z 0000" those of a code; "12 rue du Bac" are words, one of which happens to be a number.
    """
    compact = "".join(char for char in visible(text).upper() if char.isalnum() or char == "-")
    bare = compact.replace("-", "")
    if bare[:2].isdigit() and bare.isascii():
        return Q(pk__contains=compact) | Q(pk__contains=bare) | _all_words(text)
    return _all_words(text)


def _all_words(text: str) -> Q:
    found = Q()
    for word in folded(text).split():
        found &= Q(search_text__contains=word) | Q(pk__contains=word.upper())
    return found
