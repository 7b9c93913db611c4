"""The page of several meters at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial, reduce
from operator import or_
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind, bits
from gridgate.core.time import civil_day_of
from gridgate.dataplane.client import Reader, SumAsked
from gridgate.metering.models import called
from gridgate.metering.queries.lists import PointFilter, narrow
from gridgate.metering.queries.points import Points, points_readable_by
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.portal import measurements
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.searching import searched
from gridgate.portal.screens.measurements import (
    choosing,
    energy_of_several,
    power_of_several,
    several,
    uncounted,
)
from gridgate.portal.screens.measurements.choosing import Chosen
from gridgate.portal.screens.measurements.export_of_several import FORMATS, Exported, rows_of, write
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.several import Together
from gridgate.portal.shell.time_zone import network_time

FORM_NAMES = {
    "xlsx": gettext_lazy("Classeur (XLSX)"),
    "excel": gettext_lazy("CSV, virgule décimale (Excel)"),
    "csv": gettext_lazy("CSV, point décimal (RFC 4180)"),
    "parquet": gettext_lazy("Parquet"),
}
OFFERED = 30
"""Meters that may be ticked at a time; the search finds the others."""


@dataclass(frozen=True, slots=True)
class Meter:
    """What the page needs to know of one."""

    point: str
    name: str
    site: str
    """Where it is; empty when it is not known."""
    directions: int
    held_from: date


@dataclass(frozen=True, slots=True)
class Offered:
    """A meter that may be ticked."""

    point: str
    name: str
    ticked: bool


@require_safe
@entitlement_required(EntitlementCode.MEASUREMENTS)
@network_time
def page(request: MemberRequest) -> HttpResponse:
    """The meters chosen together; which may be chosen, as long as none is."""
    now = datetime.now(UTC)
    chosen, text = choosing.read_chosen(request.GET), searched(request.GET)
    mine = meters_of(request.membership)
    meters = [] if chosen.none or chosen.too_many else _meters(mine, chosen)
    shown = _shown(request, chosen, meters)
    exports = _offered_ways(shown, _flowing(meters, shown))
    offered, more = _offered(mine, chosen, meters, text)
    return render(
        request,
        "measurements/several.html",
        {
            "chosen": chosen,
            "shown": shown,
            "meters": meters,
            "quantities": choosing.quantities(shown),
            "looks": choosing.looks(shown, chosen),
            "ways": shown.ways(),
            "together": _together(request.membership, meters, shown, chosen, now),
            "others": _not_theirs(chosen, meters),
            "too_many": _too_many(chosen),
            "offered": offered,
            "more_to_offer": more,
            "total": mine.count(),
            "text": text,
            "exports": exports,
            "prepares": any(way.prepared for way in exports or ()),
        },
    )


@require_safe
@entitlement_required(EntitlementCode.MEASUREMENTS)
def export(request: MemberRequest) -> HttpResponseBase:
    """The same meters, days and quantity as one file: `format=csv` (RFC 4180), `excel`, `xlsx` or `parquet`. Of one that
    takes longer than a person waits, the page where it is asked for.
    """
    form = request.GET.get("format", "csv")
    shown, flowing = asked_for(request, form)
    if _rows(shown, flowing) > FORMATS[form].at_once:
        return redirect(f"{reverse('measurements_several')}{shown.query()}")
    exported = Exported(
        measurements.client(),
        reader_of(request.membership),
        {meter.point: meter.name for meter in flowing},
        shown,
        _zone(),
        partial(datetime.now, UTC),
    )
    with TemporaryDirectory(prefix="gridgate-") as folder:
        made = write(exported, form, Path(folder)).open("rb")
    return FileResponse(
        made, as_attachment=True, filename=file_name(shown, form), content_type=FORMATS[form].content_type
    )


def asked_for(request: MemberRequest, form: str) -> tuple[Shown, list[Meter]]:
    """What the address asks for, and the meters that have it; 404 when there is no such file."""
    chosen = choosing.read_chosen(request.GET)
    meters = [] if chosen.none or chosen.too_many else _meters(meters_of(request.membership), chosen)
    shown = _shown(request, chosen, meters)
    flowing = _flowing(meters, shown)
    if not flowing or shown.error or form not in FORMATS or not _ways(shown, flowing, form):
        raise Http404
    return shown, flowing


def file_name(shown: Shown, form: str) -> str:
    return f"{shown.quantity}-{shown.direction}-{shown.first}-{shown.last}.{FORMATS[form].suffix}"


@dataclass(frozen=True, slots=True)
class Way:
    """A file that the page offers: at once, or prepared."""

    form: str
    label: str
    prepared: bool


def _offered_ways(shown: Shown, flowing: Sequence[Meter]) -> list[Way] | None:
    """None without anything to write, or while the measurements do not answer, which the page says."""
    if not flowing or shown.error:
        return None
    try:
        return _ways(shown, flowing)
    except GridgateError as error:
        if error.kind is not ErrorKind.UNAVAILABLE:
            raise
        return None


def _rows(shown: Shown, meters: Sequence[Meter]) -> int:
    return rows_of(measurements.client(), shown, [meter.point for meter in meters], _zone())


def _ways(shown: Shown, meters: Sequence[Meter], *forms: str) -> list[Way]:
    rows = _rows(shown, meters)
    return [
        Way(form, str(FORM_NAMES[form]), prepared=rows > FORMATS[form].at_once)
        for form in forms or FORMATS
        if rows <= FORMATS[form].most
    ]


def meters_of(actor: Membership) -> Points:
    """Those that the person may read, of which the company's title has begun."""
    mine = points_readable_by(actor=actor, service=EntitlementCode.MEASUREMENTS, today=_today())
    return mine.filter(held_from__lte=_today())


def _meters(mine: Points, chosen: Chosen) -> list[Meter]:
    matching = mine if chosen.all else mine.filter(pk__in=chosen.points)
    rows = matching.order_by("search_text", "pk").values_list(
        "pk", "label", "address", "postcode", "city", "directions", "held_from"
    )
    return [
        Meter(
            point,
            called(label, address, point),
            f"{address}, {postcode} {city}".strip() if address else "",
            directions,
            held_from,
        )
        for point, label, address, postcode, city, directions, held_from in rows
    ]


def _shown(request: MemberRequest, chosen: Chosen, meters: Sequence[Meter]) -> Shown:
    yesterday = _today() - timedelta(days=1)
    first = min((meter.held_from for meter in meters), default=yesterday)
    directions = reduce(or_, (meter.directions for meter in meters), 0) or bits([FlowDirection.WITHDRAWAL])
    return choosing.read_shown(
        request.GET, chosen, directions=directions, span=lambda _kind, _flow: (first, yesterday)
    )


def _together(
    actor: Membership, meters: Sequence[Meter], shown: Shown, chosen: Chosen, now: datetime
) -> Together | None:
    """What they have; None when nothing is asked for, or no days. Says why when it is too much or nothing answers."""
    flowing = _flowing(meters, shown)
    if not meters or shown.error:  # which is said beside the dates
        return None
    if not flowing:
        return Together(empty=_("Aucun des compteurs choisis n’a ce sens."))
    if len(flowing) * shown.days > several.MOST_DAYS:
        return Together(
            empty=_(
                "%(count)s compteurs sur %(days)s jours sont trop pour une page. Choisissez une période plus courte,"
                " ou moins de compteurs."
            )
            % {"count": formats.number(len(flowing)), "days": formats.number(shown.days)}
        )
    power = shown.kind is Kind.LOAD_CURVE
    if power and shown.days > power_of_several.LONGEST_CURVE:
        return Together(
            empty=_(
                "La puissance de plusieurs compteurs se regarde sur deux mois au plus ; l’énergie, sur trois ans."
            )
        )
    reader = reader_of(actor)
    points = [meter.point for meter in flowing]
    client = measurements.client()
    try:
        if power:
            asked = SumAsked(shown.flow, shown.interval(_zone()), power_of_several.STEP)
            sums, decided = client.sums(reader, asked, dict.fromkeys(points, 0), at=now)
            together = power_of_several.power_together(
                sums, shown, len(decided.granted), zone=_zone(), now=now
            )
        else:
            totals = client.daily_totals(reader, points, shown.flow, shown.first, shown.last, at=now)
            decided = totals.decided
            names = {meter.point: meter.name for meter in flowing}
            sites = {meter.point: meter.site for meter in flowing if meter.site}
            together = energy_of_several.energy_together(
                totals, names, sites, shown, chosen, today=_today(), zone=_zone()
            )
    except GridgateError as error:
        if error.kind is not ErrorKind.UNAVAILABLE:
            raise
        return Together(
            empty=_("Les mesures ne répondent pas en ce moment. Réessayez dans quelques minutes.")
        )
    uncounted.say_uncounted(together, {meter.point: meter.name for meter in meters}, decided)
    return together


def _flowing(meters: Sequence[Meter], shown: Shown) -> list[Meter]:
    """Those that have the direction; of which nothing says what they have, they may."""
    return [meter for meter in meters if not meter.directions or meter.directions & shown.flow.bit]


def reader_of(actor: Membership) -> Reader:
    return Reader(
        organisation=actor.organisation_id,
        organisation_name=actor.organisation.legal_name,
        user=actor.user_id,
        user_name=actor.user.full_name,
    )


def _not_theirs(chosen: Chosen, meters: Sequence[Meter]) -> str:
    """Of numbers that are none of the person's meters: those of others, and those of nobody, alike."""
    others = 0 if chosen.all or chosen.too_many else len(chosen.points) - len(meters)
    if not others:
        return ""
    return ngettext(
        "Un des compteurs demandés n’est pas parmi ceux que vous voyez.",
        "%(count)s des compteurs demandés ne sont pas parmi ceux que vous voyez.",
        others,
    ) % {"count": formats.number(others)}


def _too_many(chosen: Chosen) -> str:
    if not chosen.too_many:
        return ""
    return _(
        "%(count)s compteurs sont choisis un par un, %(most)s au plus. Décochez-en, ou prenez tous vos compteurs."
    ) % {"count": formats.number(len(chosen.points)), "most": choosing.MOST_CHOSEN}


def _offered(mine: Points, chosen: Chosen, meters: Sequence[Meter], text: str) -> tuple[list[Offered], bool]:
    """Those chosen one by one, then those that the search finds; and whether it finds more."""
    ticked = [] if chosen.all else [Offered(meter.point, meter.name, True) for meter in meters]
    matching = narrow(mine, PointFilter(text=text), today=_today()).exclude(
        pk__in=[one.point for one in ticked]
    )
    rows = list(matching.order_by("search_text", "pk").values_list("pk", "label", "address")[: OFFERED + 1])
    others = [
        Offered(point, called(label, address, point), False) for point, label, address in rows[:OFFERED]
    ]
    return ticked + others, len(rows) > OFFERED


def _today() -> date:
    return civil_day_of(datetime.now(UTC), _zone())


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)
