"""*Gérer le partage de vos données*: who reads, one tile a company; and what one company reads."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gridgate.audit.queries.reads import Reads, reads_by_permission, reads_by_point
from gridgate.core.time import civil_day_of
from gridgate.metering.models import MeteringPoint
from gridgate.metering.queries.points import names_of_points, points_readable_by
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.portal.counting import counting
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.spreadsheet import table_response
from gridgate.portal.screens.sharing import extents, lifecycle, service_data, timeline
from gridgate.portal.screens.sharing.erasure import erasure_request
from gridgate.portal.screens.sharing.line import Line
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.screens.sharing.reads import reads_chart
from gridgate.portal.screens.sharing.tiles import state, tile
from gridgate.portal.shell.navigation import pending
from gridgate.sharing.models import DataService, Permission, PermissionEvent, PermissionRequest
from gridgate.sharing.queries import permissions
from gridgate.sharing.queries.companies import (
    CompanySharing,
    Share,
    companies_reading,
    points_shared,
    reading_company,
    shares_of_points,
)
from gridgate.sharing.queries.permissions import events_of, permissions_given, points_covered, points_named
from gridgate.sharing.queries.reach import said
from gridgate.sharing.queries.receipts import last_receipt
from gridgate.sharing.queries.requests import count_requests_to_answer, requests_waiting

DAYS = 30
SHARES = 20
"""How many permissions of one company its page tells one by one; the export has them all."""
PAST = 50
"""How many ended permissions of one company its page shows."""


@pending("sharing")
def requests_to_answer(membership: Membership) -> int:
    """The number beside the menu's entry."""
    return count_requests_to_answer(actor=membership)


@require_safe
@entitlement_required(EntitlementCode.DATA_SERVICES)
def index(request: MemberRequest) -> HttpResponse:
    """One tile for each company that reads, what is asked, and what has ended."""
    actor, moment = request.membership, Moment.present()
    days = moment.last_days(DAYS)
    held = points_readable_by(
        actor=actor, service=EntitlementCode.DATA_SERVICES, today=moment.today, held=True
    ).count()
    companies = companies_reading(actor=actor, now=moment.now, today=moment.today, days=days, held=held)
    ended = page_of(request, permissions.ended(permissions_given(actor=actor), now=moment.now))
    context = {
        "company": actor.organisation,
        "held": held,
        "third_parties": sum(1 for company in companies if not company.company.is_operator),
        "reads": sum(sum(company.reads) for company in companies),
        "tiles": [
            tile(
                company,
                held=held,
                restricted=not actor.reach(EntitlementCode.DATA_SERVICES).everything,
                days=days,
                moment=moment,
            )
            for company in companies
        ],
        "requests": [Asked(asked, held) for asked in requests_waiting(actor=actor)[:5]],
        "counting": counting(moment.now),
        "ended": ended,
        "ended_rows": [Past(permission) for permission in ended],
        "restricted": not actor.reach(EntitlementCode.DATA_SERVICES).everything,
    }
    return render(request, "sharing/index.html", context)


class Asked:
    """A request that waits, as the notice says it."""

    def __init__(self, request: PermissionRequest, held: int) -> None:
        everything, partly = request.all_points, said(request, "exceeds")
        seen = held if everything else said(request, "points_seen")
        count = held if everything else said(request, "points_count")
        self.id = request.pk
        self.name = request.eligible_party.legal_name
        self.headline = extents.asking(self.name, extents.Extent(seen, count, everything, partly))
        self.data = service_data.data(request.service)
        self.until = request.valid_until
        self.purpose = request.service.text("purpose")


class Past:
    """A permission that has ended, as its line says it."""

    def __init__(self, permission: Permission) -> None:
        self.name = permission.eligible_party.legal_name
        self.siren = permission.eligible_party.siren
        self.service = permission.service.text("name")
        self.data = service_data.data(permission)
        self.since = permission.valid_from
        self.since_day = formats.day(self.since)
        self.ended_at = said(permission, "ended_at")
        self.ended_day = formats.day(self.ended_at)
        self.how = lifecycle.ending(permission, said(permission, "ended_by") or "")
        self.receipt = said(permission, "receipt_number")


@require_safe
@entitlement_required(EntitlementCode.DATA_SERVICES)
def company(request: MemberRequest, siren: str) -> HttpResponse:
    """What one company reads: by which services, of which points, since when, until when, how much."""
    actor, moment = request.membership, Moment.present()
    party = reading_company(actor=actor, siren=siren)
    days = moment.last_days(DAYS)
    summaries = companies_reading(actor=actor, now=moment.now, today=moment.today, days=days, company=party)
    given = permissions_given(actor=actor).filter(eligible_party=party)
    reads = reads_by_permission(actor=actor, reader=party.pk)
    events = events_of(given, limit=timeline.LENGTH)
    past = list(permissions.ended(given, now=moment.now)[:PAST])
    services = (
        [share.service for share in summaries[0].shares] if summaries else [one.service for one in past]
    )
    contact = next((one.contact_email for one in services if one.contact_email), party.contact_email)
    receipt = last_receipt(actor=actor, permissions=given)
    context = {
        "company": party,
        "contact": contact,
        "erasure": erasure_request(receipt, contact=contact, sender=request.user.full_name)
        if receipt
        else None,
        "counting": counting(moment.now),
        "past_rows": [Past(permission) for permission in past],
        "steps": timeline.steps(events, names=_names(events, actor, moment)),
        "restricted": not actor.reach(EntitlementCode.DATA_SERVICES).everything,
    }
    if summaries:
        context |= _present(request, summaries[0], reads, moment, days)
    return render(request, "sharing/company.html", context)


def _present(
    request: MemberRequest,
    summary: CompanySharing,
    reads: dict[str, Reads],
    moment: Moment,
    days: list[date],
) -> dict[str, Any]:
    """What the page says of a company that reads now."""
    actor = request.membership
    shown = summary.shares[:SHARES]
    lines = [Line(share, reads.get(_permission_id(share)), moment) for share in shown]
    chosen = _chosen(summary.shares, request.GET.get("autorisation", ""))
    points = page_of(request, points_shared(actor=actor, shares=chosen, today=moment.today))
    identifiers = [point.pk for point in points]
    shares = shares_of_points(chosen, identifiers)
    by_point = reads_by_point(actor=actor, reader=summary.company.pk, points=identifiers)
    held = points_readable_by(
        actor=actor, service=EntitlementCode.DATA_SERVICES, today=moment.today, held=True
    ).count()
    drawn_tile = tile(
        summary,
        held=held,
        restricted=not actor.reach(EntitlementCode.DATA_SERVICES).everything,
        days=days,
        moment=moment,
    )
    return {
        "tile": drawn_tile,
        "lines": lines,
        "more": len(summary.shares) - len(shown),
        "chart": reads_chart(summary.reads, days),
        "points": points,
        "chosen": chosen[0].service.text("name") if len(chosen) < len(summary.shares) else "",
        "point_rows": [PointLine(point, shares[point.pk], by_point.get(point.pk)) for point in points],
    }


def _permission_id(share: Share) -> str:
    return str(share.permission.pk) if share.permission else ""


def _chosen(shares: Sequence[Share], permission_id: str) -> list[Share]:
    """The shares of the permission that the address names; all of them without one."""
    named = [share for share in shares if share.permission and str(share.permission.pk) == permission_id]
    return named or list(shares)


def _names(events: Sequence[PermissionEvent], actor: Membership, moment: Moment) -> dict[str, str]:
    """What the points are called that these events may name to the actor."""
    named = points_named(events, actor=actor)
    if not named:
        return {}
    readable = points_readable_by(actor=actor, service=EntitlementCode.DATA_SERVICES, today=moment.today)
    names = names_of_points(readable.filter(pk__in=named))
    return {point: names.get(point, point) for point in named}


class PointLine:
    """One point that a company reads: by which services, how much."""

    def __init__(self, point: MeteringPoint, shares: Sequence[Share], reads: Reads | None) -> None:
        self.id, self.name = point.pk, str(point)
        self.services = list(dict.fromkeys(share.service.text("name") for share in shares))
        self.reads = reads.count if reads else 0
        self.last_read_at = reads.last_at if reads else None


@require_safe
@entitlement_required(EntitlementCode.DATA_SERVICES)
def export(request: MemberRequest) -> StreamingHttpResponse:
    """The whole list, what has ended included, one line a permission."""
    actor, moment = request.membership, Moment.present()
    days = moment.last_days(DAYS)
    companies = companies_reading(actor=actor, now=moment.now, today=moment.today, days=days)
    header = [
        _("Entreprise"),
        _("SIREN"),
        _("Service"),
        _("Finalité"),
        _("Données"),
        _("Sens"),
        _("Compteurs"),
        _("Dont vous voyez"),
        _("Base légale"),
        _("Résiliable"),
        _("Depuis"),
        _("Jusqu’au"),
        _("État"),
        _("Reçu"),
    ]
    past = permissions.ended(permissions_given(actor=actor), now=moment.now)
    points = points_covered(past, actor=actor)
    rows = [*_rows_in_force(companies, moment), *_rows_ended(past, points, moment)]
    return table_response(
        request, f"partage-{actor.organisation.siren}-{moment.today}.csv", header, rows, sheet=_("Partage")
    )


def _rows_in_force(companies: Sequence[CompanySharing], moment: Moment) -> Iterator[list[object]]:
    for company in companies:
        for share in company.shares:
            yield [
                company.company.legal_name,
                company.company.siren,
                *_said(share.service, share.says),
                share.covered,
                share.points,
                service_data.basis(share.says),
                _("oui") if share.terminable else _("non"),
                civil_day_of(share.since, moment.zone) if share.since else "",
                moment.last_day_before(share.until) if share.until else "",
                state([share], moment).text,
                "",
            ]


def _rows_ended(
    permissions: QuerySet[Permission], points: dict[UUID, tuple[int, int]], moment: Moment
) -> Iterator[list[object]]:
    """What is over covered what it named; nothing of it is left to be ended."""
    for permission in permissions:
        past = Past(permission)
        covered, seen = points.get(permission.pk, (0, 0))
        yield [
            past.name,
            past.siren,
            *_said(permission.service, permission),
            _("tous") if permission.all_points else covered,
            "" if permission.all_points else seen,
            service_data.basis(permission),
            _("non"),
            civil_day_of(past.since, moment.zone),
            civil_day_of(past.ended_at, moment.zone),
            past.how,
            past.receipt or "",
        ]


def _said(service: DataService, says: Permission | DataService) -> list[object]:
    return [
        service.text("name"),
        says.text("purpose"),
        service_data.kinds(says),
        service_data.directions(says.directions),
    ]
