"""One company: who it is, its contracts and codes, who administers it, what it holds, what was done on its behalf."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from gridgate.audit.models import AuditEvent
from gridgate.core.time import day_before
from gridgate.eic.models import EicCode
from gridgate.metering.models import TitleHolding, called
from gridgate.metering.operator_queries import holdings_of_company, points_held
from gridgate.onboarding.operations.declarations import declaration_of
from gridgate.organisations.models import Contract, Membership, Organisation
from gridgate.portal import request_kinds
from gridgate.portal.guards.access import MemberRequest, operator_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.shapes import Figure, Tag
from gridgate.portal.screens.company.events import EventRow, event_rows
from gridgate.portal.screens.operator import company_roles, deadlines, title_states
from gridgate.portal.screens.operator import reads as queries
from gridgate.portal.screens.operator.activation import activation
from gridgate.portal.screens.operator.reads import PeopleCounts, company
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.requests.desk import EVERY, DeskFilter, desk_rows
from gridgate.sharing.operator_queries import PermissionCounts, permission_counts

SHOWN = 5
"""How many points, requests and acts the page shows before the whole list."""


@require_safe
@operator_required
def page(request: MemberRequest, siren: str) -> HttpResponse:
    """What the operator needs to know before it acts for a company, and where it acts."""
    actor, moment = request.membership, Moment.present()
    organisation = company(actor=actor, siren=siren)
    contracts = queries.contracts_of(actor=actor, organisation=organisation)
    held = points_held(actor=actor, companies=[organisation.pk], today=moment.today).get(organisation.pk, 0)
    people = queries.people_counts(actor=actor, organisation=organisation)
    shared = permission_counts(actor=actor, organisation=organisation, now=moment.now)
    titles = holdings_of_company(actor=actor, organisation=organisation, today=moment.today)
    some = list(titles[: SHOWN + 1])
    declaration = declaration_of(organisation=organisation, actor=actor, now=moment.now)
    context = {
        "company": organisation,
        "roles": company_roles.roles(organisation.roles),
        "figures": _figures(held, people, shared),
        "contracts": [contract_line(one, moment) for one in contracts],
        "codes": [_code(one) for one in queries.eic_codes_of(actor=actor, organisation=organisation)[:50]],
        "administrators": queries.administrators_of(actor=actor, organisation=organisation)[:50],
        "declarations": [
            activation(declared, moment.now)
            for declared in queries.declarations_of(actor=actor, organisation=organisation)[:SHOWN]
        ],
        "declaration": declaration,
        "can_declare": not declaration.administered and not declaration.is_awaited(moment.now),
        "holdings": [holding_line(one, moment) for one in some[:SHOWN]],
        "more_holdings": len(some) > SHOWN,
        "requests": _requests(actor, organisation, moment.now),
        "acts": _acts(queries.acts_for(actor=actor, organisation=organisation)[:SHOWN]),
    }
    return render(request, "operator/company.html", context)


@require_safe
@operator_required
def points(request: MemberRequest, siren: str) -> HttpResponse:
    """Every title that the company has or had."""
    actor, moment = request.membership, Moment.present()
    organisation = company(actor=actor, siren=siren)
    which = request.GET.get("titres", "")
    present = {"presents": True, "passes": False}.get(which)
    titles = holdings_of_company(actor=actor, organisation=organisation, today=moment.today, present=present)
    rows = page_of(request, titles)
    context = {
        "company": organisation,
        "which": which if present is not None else "",
        "page_obj": rows,
        "holdings": [holding_line(one, moment) for one in rows],
    }
    return render(request, "operator/company_points.html", context)


@require_safe
@operator_required
def history(request: MemberRequest, siren: str) -> HttpResponse:
    """What the operator's staff did on the company's behalf: the company reads the same."""
    actor = request.membership
    organisation = company(actor=actor, siren=siren)
    acts = page_of(request, queries.acts_for(actor=actor, organisation=organisation))
    context = {"company": organisation, "page_obj": acts, "rows": _acts(acts)}
    return render(request, "operator/company_history.html", context)


def _acts(events: Iterable[AuditEvent]) -> list[EventRow]:
    """As the company reads them, but for « pour votre compte », which is said to the company."""
    return [replace(row, on_behalf="") for row in event_rows(events)]


def contract_line(contract: Contract, moment: Moment) -> dict[str, Any]:
    """A contract with its last day and its state in words."""
    return {
        "pk": contract.pk,
        "number": contract.number,
        "label": contract.label,
        "valid_from": contract.valid_from,
        "last_day": day_before(contract.valid_to),
        "ended": contract.valid_to is not None and contract.valid_to <= moment.today,
        "tag": _contract_state(contract, moment),
    }


def holding_line(holding: TitleHolding, moment: Moment) -> dict[str, Any]:
    """A title of `holdings_of_company` with the name of its point and its last day."""
    annotated = vars(holding)
    name = called(annotated["label"], annotated["address"], holding.metering_point_id)
    return {
        "pk": holding.pk,
        "point": holding.metering_point_id,
        "name": name,
        "number": "" if name == holding.metering_point_id else holding.metering_point_id,
        "place": " ".join(filter(None, (annotated["postcode"], annotated["city"]))),
        "segment": annotated["segment"],
        "valid_from": holding.valid_from,
        "last_day": day_before(holding.valid_to),
        "tag": title_states.title_state(holding.valid_from, holding.valid_to, moment.today),
    }


def _contract_state(contract: Contract, moment: Moment) -> Tag:
    if contract.in_force_on(moment.today):
        return Tag("good", _("En vigueur"), "check")
    if contract.valid_from > moment.today:
        return Tag("info", _("À venir"), "clock")
    return Tag("", _("Terminé"), "minus")


def _code(code: EicCode) -> dict[str, Any]:
    try:
        address = reverse("operator_eic_code", args=[code.pk])
    except NoReverseMatch:
        address = ""
    return {
        "code": code.pk,
        "address": address,
        "name": code.display_name,
        "type": f"{code.type}, {code.get_type_display()}",
        "tag": Tag("good", _("Actif"), "check") if code.active else Tag("", _("Inactif"), "minus"),
    }


def _requests(actor: Membership, organisation: Organisation, now: datetime) -> list[dict[str, Any]]:
    """The company's last requests, of every kind."""
    wanted = DeskFilter(text=organisation.siren, state=EVERY)
    rows = desk_rows(
        kinds=[one.kind for one in request_kinds.DESK], wanted=wanted, order="-received", actor=actor, now=now
    )[:SHOWN]
    return [
        {
            "number": row.number,
            "label": str(kind.label)
            if (kind := request_kinds.desk_kind(row.number)) is not None
            else row.number,
            "submitted_at": row.submitted_at,
            "due": deadlines.due(row.state, row.due_at, row.decided_at, now),
        }
        for row in rows
    ]


def _figures(held: int, people: PeopleCounts, shared: PermissionCounts) -> list[Figure]:
    administrators = ngettext(
        "dont %(count)s administrateur", "dont %(count)s administrateurs", people.administrators
    ) % {"count": formats.number(people.administrators)}
    invited = ngettext("%(count)s invitation ouverte", "%(count)s invitations ouvertes", people.invited) % {
        "count": formats.number(people.invited)
    }
    return [
        Figure(_("Points, aujourd’hui"), formats.number(held)),
        Figure(
            _("Personnes"),
            formats.number(people.members),
            note=", ".join(
                said for said, count in ((administrators, people.members), (invited, people.invited)) if count
            ),
        ),
        Figure(
            _("Autorisations données"),
            formats.number(shared.given),
            note=_("en cours, à d’autres entreprises"),
        ),
        Figure(_("Autorisations reçues"), formats.number(shared.received), note=_("en cours, de titulaires")),
    ]
