"""*Journal des accès*: every read of the company's measurements, every refusal: who, when, on what ground."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gridgate.applications.queries import names_of
from gridgate.audit.lines import GRANTED, LogEntry
from gridgate.audit.queries import reads
from gridgate.audit.queries.entries import Entries, search
from gridgate.audit.queries.extent import chain_of, erased_before
from gridgate.audit.queries.reads import Counts, channels_in, readers_in, reads_in
from gridgate.audit.queries.sums import Read
from gridgate.audit.queries.visits import own_visits
from gridgate.audit.queries.wanted import Wanted
from gridgate.metering.queries.points import names_of_points, points_readable_by
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.portal.counting import counting
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.shapes import filters_in_force
from gridgate.portal.kit.spreadsheet import table_response
from gridgate.portal.screens.journal import entry_texts
from gridgate.portal.screens.journal.filters import OWN, JournalFilters
from gridgate.portal.screens.journal.seal import last_seal
from gridgate.portal.screens.journal.visits import visit_rows
from gridgate.portal.screens.sharing import service_data
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.screens.sharing.reads import ReadsChart, reads_chart
from gridgate.portal.shell.time_zone import network_time
from gridgate.sharing.queries.permissions import permissions_given
from gridgate.tables.out import Instant

LONGEST_CHART = 62
"""More days than this are not drawn: bars would be too thin to tell apart."""
COLUMNS = 17
AT_ONCE = 2000
"""How many entries a file holds in memory while it is written."""


@require_safe
@entitlement_required(EntitlementCode.DATA_SERVICES)
@network_time
def index(request: MemberRequest) -> HttpResponse:
    """What others read, entry by entry, the latest first; or what the company's own people and programs looked at, put
    together by day.
    """
    actor, moment = request.membership, Moment.present()
    filters = JournalFilters(request.GET, moment=moment, company=actor.organisation_id)
    period, read = _in_period(filters), Read()
    filters.offer(
        readers={} if filters.own else readers_in(actor=actor, wanted=period, read=read),
        channels=channels_in(actor=actor, wanted=replace(period, own=filters.own), read=read),
    )
    whole = reads.counts(actor=actor, wanted=period, read=read)
    matching, total = _found(actor, filters, whole, read), whole[filters.own]
    together = filters.own and "detail" not in request.GET
    entries = search(actor=actor, wanted=filters.wanted, read=read)
    visits = own_visits(actor=actor, wanted=filters.wanted)
    page = page_of(request, visits if together else entries)
    context = {
        "filters": filters,
        "in_force": filters_in_force(request, filters.labels()),
        "own": filters.own,
        "together": together,
        "others_count": whole[0].all,
        "own_count": whole[1].all,
        "side": _address(request.GET, but=("lectures", "detail", "page", *(["qui"] if filters.own else []))),
        "clear": f"?lectures={OWN}" if filters.own else "?",
        "found": matching.all,
        "total": total.all,
        "read": matching.read,
        "refused": matching.refused,
        "period": _period(filters),
        "chart": _chart(actor, filters, moment, read),
        "page_obj": page,
        "rows": visit_rows(actor, list(page), moment) if together else _rows(actor, list(page), moment),
        "unreadable": entries.unreadable,
        "counting": counting(moment.now),
        **_erased(filters),
        "chain": chain_of(actor=actor),
        "seal": last_seal(settings.ENVIRONMENT.access_log),
        "query": _address(request.GET, but=("detail", "page", "par_page")),
        "company": actor.organisation,
        "restricted": not actor.reach(EntitlementCode.DATA_SERVICES).everything,
        "zone": settings.TIME_ZONE,
    }
    return render(request, "journal/index.html", context)


def _address(asked: QueryDict, *, but: Collection[str]) -> str:
    """What is asked, as an address says it, but for some of it."""
    kept = asked.copy()
    for name in but:
        kept.pop(name, None)
    return kept.urlencode()


def _erased(filters: JournalFilters) -> dict[str, Any]:
    """Up to when the log was erased, when the period begins before."""
    before = erased_before()
    start = filters.period.start if filters.period else None
    return {"erased_before": before, "erased": before is not None and (start is None or start < before)}


def _found(actor: Membership, filters: JournalFilters, whole: tuple[Counts, Counts], read: Read) -> Counts:
    """How many entries the filters let through, on the side that is shown; `whole` is what the period has of both."""
    narrowed = replace(filters.wanted, own=None) != _in_period(filters)
    counts = reads.counts(actor=actor, wanted=filters.wanted, read=read) if narrowed else whole
    return counts[filters.own]


def _in_period(filters: JournalFilters) -> Wanted:
    return Wanted(first=filters.first, last=filters.last)


def _period(filters: JournalFilters) -> str:
    if filters.first and filters.last:
        return formats.period(filters.first, filters.last)
    if filters.first:
        return _("depuis le %(day)s") % {"day": formats.long_day(filters.first)}
    if filters.last:
        return _("jusqu’au %(day)s") % {"day": formats.long_day(filters.last)}
    return _("depuis le début")


def _chart(actor: Membership, filters: JournalFilters, moment: Moment, read: Read) -> ReadsChart | None:
    """Reads a day over the period; none when it is too long, or when only refusals are shown."""
    wanted, first, last = filters.wanted, filters.first, filters.last
    if first is None or last is None or wanted.outcome not in ("", GRANTED):
        return None
    length = (last - first).days + 1
    if not 1 < length <= LONGEST_CHART:
        return None
    days = [first + timedelta(days=place) for place in range(length)]
    counts = reads_in(actor=actor, days=days, wanted=wanted, read=read).values()
    a_day = [sum(column) for column in zip(*counts, strict=True)] or [0] * length
    return reads_chart(a_day, days, flagged=not filters.own)


def _rows(actor: Membership, entries: Sequence[LogEntry], moment: Moment) -> list[dict[str, Any]]:
    """Entries with the names of their points, services and programs, in three statements however many they are."""
    points = points_readable_by(
        actor=actor, service=EntitlementCode.DATA_SERVICES, today=moment.today
    ).filter(pk__in={entry.metering_point_id for entry in entries})
    names = names_of_points(points)
    services = _services(actor, {entry.permission for entry in entries if entry.permission})
    programs = names_of({entry.application for entry in entries if entry.application})
    return [_row(entry, names, services, programs, moment) for entry in entries]


def _services(actor: Membership, permissions: set[str]) -> dict[str, str]:
    if not permissions:
        return {}
    rows = permissions_given(actor=actor).filter(pk__in=permissions)
    return {str(row.pk): row.service.text("name") for row in rows}


def _row(
    entry: LogEntry,
    names: dict[str, str],
    services: dict[str, str],
    programs: dict[str, str],
    moment: Moment,
) -> dict[str, Any]:
    return {
        "at": entry.at,
        "when": entry_texts.instant(entry.at, moment.now),
        "who": entry.reader_name or formats.NONE,
        "person": entry_texts.by(entry.user_name, entry.application, programs),
        "data": entry_texts.data(entry.kind, entry.direction),
        "point": entry.metering_point_id,
        "name": names.get(entry.metering_point_id, ""),
        "period": entry_texts.period(entry.start, entry.end, moment.zone),
        "as_of": entry.as_of,
        "granted": entry.outcome == GRANTED,
        "values": entry.values,
        "ground": entry_texts.ground(entry, services),
        "channel": entry_texts.channel(entry.channel),
    }


@require_safe
@entitlement_required(EntitlementCode.DATA_SERVICES)
def export(request: MemberRequest) -> HttpResponseBase:
    """The entries that the filters let through, of the side that is shown, as a file written while it is read. Of filters
    that mean nothing there is no file: the page, which says what is wrong with them.
    """
    actor, moment = request.membership, Moment.present()
    filters = JournalFilters(request.GET, moment=moment, company=actor.organisation_id)
    if filters.errors:
        return redirect(f"{reverse('access_journal')}?{_address(request.GET, but=('fichier',))}")
    entries = search(actor=actor, wanted=filters.wanted)
    zone = settings.TIME_ZONE
    header = [
        _("Quand (%(zone)s)") % {"zone": zone},
        _("Réponse"),
        _("Motif de refus"),
        _("Lu par"),
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
        _("Moyen"),
        _("Référence de l’autorisation"),
    ]
    first, last = filters.first or "debut", filters.last or moment.today
    name = f"journal-{actor.organisation.siren}-{first}-{last}.csv"
    return table_response(
        request,
        name,
        header,
        _lines(entries, _Said(actor, moment), get_language() or "fr"),
        sheet=_("Journal des accès"),
    )


class _Said:
    """How the lines of a file say what entries hold as codes; what names permissions and programs is read once."""

    def __init__(self, actor: Membership, moment: Moment) -> None:
        self._company, self._zone = actor.organisation_id, moment.zone
        self._actor = actor
        self._services: dict[str, str] = {}
        self._programs: dict[str, str] = {}

    def learn(self, entries: Sequence[LogEntry]) -> None:
        """Read the names of what these entries hold and earlier ones did not."""
        permissions = {entry.permission for entry in entries if entry.permission} - self._services.keys()
        programs = {entry.application for entry in entries if entry.application} - self._programs.keys()
        self._services |= dict.fromkeys(permissions, "") | _services(self._actor, permissions)
        self._programs |= dict.fromkeys(programs, "") | names_of(programs)

    def line(self, entry: LogEntry) -> list[object]:
        granted = entry.outcome == GRANTED
        own = entry.reader == self._company
        return [
            self._at(entry.at),
            _("lu") if granted else _("refusé"),
            "" if granted else entry_texts.reason(entry.outcome),
            _("votre entreprise") if own else _("une autre entreprise"),
            entry.reader_name,
            entry.user_name,
            entry_texts.program(entry.application, self._programs),
            entry.metering_point_id,
            service_data.kind(entry.kind) if entry.kind else "",
            entry_texts.direction(entry.direction),
            self._at(entry.start),
            self._at(entry.end),
            self._at(entry.as_of),
            entry.values,
            entry_texts.ground(entry, self._services) if granted else "",
            entry_texts.channel(entry.channel),
            entry.permission,
        ]

    def _at(self, instant: datetime | None) -> str:
        return Instant.of(instant.astimezone(self._zone)) if instant is not None else ""


def _lines(entries: Entries, texts: _Said, language: str) -> Iterator[list[object]]:
    """One line an entry, and a last one that tells how many are lacking. The request is over when they are written: the
    language is set again for each part.
    """
    for part in batched(entries, AT_ONCE):
        with override(language):
            texts.learn(part)
            lines = [texts.line(entry) for entry in part]
        yield from lines
    if entries.unreadable:
        with override(language):
            yield [entry_texts.lacking(entries.unreadable), *[""] * (COLUMNS - 1)]


def batched(entries: Iterable[LogEntry], size: int) -> Iterator[list[LogEntry]]:
    rest = iter(entries)
    while part := list(islice(rest, size)):
        yield part
