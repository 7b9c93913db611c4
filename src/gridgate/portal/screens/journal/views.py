"""*Journal des accès*: every read of the company's measurements, every refusal: who, when, on what ground."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gridgate.audit import queries as audit
from gridgate.audit.models import AccessLogEntry
from gridgate.metering.queries import points_readable_by
from gridgate.organisations.models import EntitlementCode, Membership
from gridgate.portal import formats
from gridgate.portal.access import MemberRequest, entitlement_required
from gridgate.portal.paging import page_of
from gridgate.portal.screens.journal import words
from gridgate.portal.screens.journal.filters import JournalFilters
from gridgate.portal.screens.journal.seal import last_seal
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.screens.sharing.reads import ReadsChart, reads_chart
from gridgate.portal.shapes import filters_in_force
from gridgate.portal.spreadsheet import csv_response
from gridgate.portal.time_zone import network_time
from gridgate.sharing.queries import permissions_given

LONGEST_CHART = 62
"""More days than this are not drawn: bars would be too thin to tell apart."""


@require_safe
@entitlement_required(EntitlementCode.DATA_SERVICES)
@network_time
def index(request: MemberRequest) -> HttpResponse:
    """The entries that the address asks for, latest first."""
    actor, moment = request.membership, Moment.present()
    filters = JournalFilters(request.GET, moment=moment)
    filters.offer(
        readers=audit.readers_in(actor=actor, period=filters.period),
        channels=audit.channels_in(actor=actor, period=filters.period),
    )
    wanted = filters.wanted
    read, refused = audit.counts_by_outcome(actor=actor, wanted=wanted)
    page = page_of(request, Counted(audit.search(actor=actor, wanted=wanted), read + refused))
    entries = list(page)
    everything, _refused = audit.counts_by_outcome(actor=actor, wanted=audit.Wanted(period=filters.period))
    context = {
        "filters": filters,
        "in_force": filters_in_force(request, filters.labels()),
        "found": read + refused,
        "total": everything + _refused,
        "read": read,
        "refused": refused,
        "period": _period(filters),
        "chart": _chart(actor, filters, moment),
        "page_obj": page,
        "rows": _rows(actor, entries, moment),
        "chain": audit.chain_of(actor=actor),
        "seal": last_seal(settings.ENVIRONMENT.access_log),
        "query": request.GET.urlencode(),
        "company": actor.organisation,
        "restricted": not actor.reach(EntitlementCode.DATA_SERVICES).everything,
        "zone": settings.TIME_ZONE,
    }
    return render(request, "journal/index.html", context)


class Counted:
    """Rows of which the number is known: pages need not count them again."""

    def __init__(self, rows: QuerySet[AccessLogEntry], number: int) -> None:
        self._rows, self._number = rows, number

    def count(self) -> int:
        return self._number

    def __len__(self) -> int:
        return self._number

    def __getitem__(self, place: slice) -> Sequence[AccessLogEntry]:
        return list(self._rows[place])


def _period(filters: JournalFilters) -> str:
    if filters.first and filters.last:
        return formats.period(filters.first, filters.last)
    if filters.first:
        return _("depuis le %(day)s") % {"day": formats.long_day(filters.first)}
    if filters.last:
        return _("jusqu’au %(day)s") % {"day": formats.long_day(filters.last)}
    return _("depuis le début")


def _chart(actor: Membership, filters: JournalFilters, moment: Moment) -> ReadsChart | None:
    """Reads a day over the period; none when it is too long, or when only refusals are shown."""
    wanted, first, last = filters.wanted, filters.first, filters.last
    if first is None or last is None or wanted.outcome not in ("", audit.GRANTED):
        return None
    length = (last - first).days + 1
    if not 1 < length <= LONGEST_CHART:
        return None
    days = [first + timedelta(days=place) for place in range(length)]
    counts = audit.reads_in(actor=actor, buckets=moment.bounds(days), wanted=wanted).values()
    return reads_chart([sum(column) for column in zip(*counts, strict=True)] or [0] * length, days)


def _rows(actor: Membership, entries: Sequence[AccessLogEntry], moment: Moment) -> list[dict[str, Any]]:
    """Entries with the names of their points and services, in two statements however many they are."""
    points = points_readable_by(
        actor=actor, service=EntitlementCode.DATA_SERVICES, today=moment.today
    ).filter(pk__in={entry.metering_point_id for entry in entries})
    labels = dict(points.values_list("pk", "label"))
    services = _services(actor, {entry.permission for entry in entries if entry.permission})
    return [_row(entry, labels, services, moment) for entry in entries]


def _services(actor: Membership, permissions: set[str]) -> dict[str, str]:
    if not permissions:
        return {}
    rows = permissions_given(actor=actor).filter(pk__in=permissions)
    return {str(row.pk): row.service.text("name") for row in rows}


def _row(
    entry: AccessLogEntry, labels: dict[str, str], services: dict[str, str], moment: Moment
) -> dict[str, Any]:
    return {
        "at": entry.at,
        "when": words.instant(entry.at, moment.now),
        "who": entry.reader_name or formats.NONE,
        "person": entry.user_name or entry.application,
        "data": words.data(entry),
        "point": entry.metering_point_id,
        "label": labels.get(entry.metering_point_id, ""),
        "period": words.period(entry.start, entry.end, moment.zone),
        "as_of": entry.as_of,
        "granted": entry.outcome == audit.GRANTED,
        "values": entry.values,
        "ground": words.ground(entry, services),
        "channel": words.channel(entry.channel),
    }


@require_safe
@entitlement_required(EntitlementCode.DATA_SERVICES)
def export(request: MemberRequest) -> HttpResponseBase:
    """The same entries, all of them, as a file written while it is read."""
    actor, moment = request.membership, Moment.present()
    filters = JournalFilters(request.GET, moment=moment)
    entries = audit.search(actor=actor, wanted=filters.wanted)
    zone = settings.TIME_ZONE
    header = [
        _("Quand (%(zone)s)") % {"zone": zone},
        _("Réponse"),
        _("Motif de refus"),
        _("Qui"),
        _("Personne"),
        _("Application"),
        _("Compteur"),
        _("Données"),
        _("Sens"),
        _("Données depuis (%(zone)s)") % {"zone": zone},
        _("Données jusqu’à, exclu (%(zone)s)") % {"zone": zone},
        _("Tel que connu le (%(zone)s)") % {"zone": zone},
        _("Valeurs"),
        _("Au titre de"),
        _("Autorisation"),
        _("Moyen"),
    ]
    first, last = filters.first or "debut", filters.last or moment.today
    name = f"journal-{actor.organisation.siren}-{first}-{last}.csv"
    return csv_response(name, header, _lines(entries, moment, get_language() or "fr"))


def _lines(entries: QuerySet[AccessLogEntry], moment: Moment, language: str) -> Iterator[list[object]]:
    """One line an entry. The request is over when they are written: the language is set again for each."""
    for entry in entries.iterator(chunk_size=2000):
        with override(language):
            yield _line(entry, moment)


def _line(entry: AccessLogEntry, moment: Moment) -> list[object]:
    def at(instant: datetime | date | None) -> str:
        return instant.astimezone(moment.zone).isoformat() if isinstance(instant, datetime) else ""

    granted = entry.outcome == audit.GRANTED
    return [
        at(entry.at),
        _("lu") if granted else _("refusé"),
        "" if granted else words.reason(entry.outcome),
        entry.reader_name,
        entry.user_name,
        entry.application,
        entry.metering_point_id,
        entry.kind,
        entry.direction,
        at(entry.start),
        at(entry.end),
        at(entry.as_of),
        entry.values,
        entry.basis,
        entry.permission,
        entry.channel,
    ]
