"""On whose clock a page tells instants.

Each person may choose a time zone. Clock times about people and events (a sign-in, who changed what, the last
read) are told in it, and the header says so. What the network counts in civil days stays on the network's clock
for everyone, or two people would read two totals for one day: curves, tables of values, the access journal,
receipts, exports, e-mails (but those about one's own account). A page of that sort is marked `network_time`; a day
written without a time is a day of the network on every page (`formats.civil_day`).

A file written while it is sent is written after the middleware is done, hence on the network's clock unless it is
given another, as the history of rights is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gridgate.core.clock import city_of, offset_of, zone_named

View = Callable[..., HttpResponseBase]

_REGIONS: dict[str, Any] = {
    "Europe": _("Europe"),
    "Africa": _("Afrique"),
    "America": _("Amériques"),
    "Antarctica": _("Antarctique"),
    "Arctic": _("Arctique"),
    "Asia": _("Asie"),
    "Atlantic": _("Atlantique"),
    "Australia": _("Australie"),
    "Indian": _("Océan Indien"),
    "Pacific": _("Pacifique"),
}


class TimeZoneMiddleware:
    """Tells instants on the clock of whoever is signed in, and leaves none behind for the next request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(own_zone(request)):
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> None:
        if getattr(view, "network_time", False):
            timezone.deactivate()


def network_time(view: View) -> View:
    """A page of civil days, or a document: on the network's clock, whoever looks."""
    view.network_time = True  # type: ignore[attr-defined]
    return view


def own_zone(request: HttpRequest) -> ZoneInfo | None:
    """The zone that the person chose; None for the network's own, and for nobody."""
    return zone_named(getattr(getattr(request, "user", None), "time_zone", ""))


def readers_zone(request: HttpRequest) -> ZoneInfo:
    """The zone of the clock times of a page that is not `network_time`: to look for instants by the days it shows."""
    return own_zone(request) or ZoneInfo(timezone.get_default_timezone_name())


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock that a page tells times on. `foreign`: it is not the network's, or the reader's own is not."""

    zone: str
    offset: str
    network: bool
    foreign: bool

    @property
    def city(self) -> str:
        return city_of(self.zone)


def clock_of(request: HttpRequest, now: datetime) -> Clock:
    """The clock of the page that is being written."""
    zone, network = timezone.get_current_timezone_name(), timezone.get_default_timezone_name()
    own = own_zone(request)
    return Clock(
        zone,
        offset_of(timezone.localtime(now).utcoffset() or timedelta()),
        network=zone == network,
        foreign=own is not None and own.key != network,
    )


Choices = list[tuple[Any, Any]]


def zone_choices() -> Choices:
    """For a list: the network's own clock, then every city by region; typing a city's first letters finds it."""
    network = timezone.get_default_timezone_name()
    own = _("Celui du réseau : %(zone)s") % {"zone": city_of(network)}
    return [("", own), *((label, list(zones)) for label, zones in _regions())]


@cache
def _zones() -> tuple[tuple[str, str, str], ...]:
    found = (name for name in available_timezones() if name.partition("/")[0] in _REGIONS)
    rank = list(_REGIONS).index
    named = ((name.partition("/")[0], city_of(name), name) for name in found)
    return tuple(sorted(named, key=lambda zone: (rank(zone[0]), zone[1])))


def _regions() -> Iterator[tuple[Any, list[tuple[str, str]]]]:
    for region, zones in groupby(_zones(), key=lambda zone: zone[0]):
        yield _REGIONS[region], [(name, city) for _region, city, name in zones]
    yield _("Sans fuseau"), [("UTC", "UTC")]
