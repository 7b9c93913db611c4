"""*Utilisateurs*: who acts for the company, and who was invited to."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gridgate.accounts.operations.lost_factors import checks_to_confirm
from gridgate.core.roles import ALWAYS
from gridgate.core.time import civil_day_of
from gridgate.onboarding.models import InvitationState
from gridgate.onboarding.people import ACTIVE, LAPSED, People, PeopleFilter, PersonRow, not_now_in, people_of
from gridgate.onboarding.people_file import BETWEEN_GROUPS
from gridgate.onboarding.queries import invited_group_names
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.organisations.queries import group_names_of, groups_of, places_of
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.shapes import filters_in_force
from gridgate.portal.kit.spreadsheet import table_response
from gridgate.portal.screens.company.access import named
from gridgate.portal.screens.company.forms import PeopleFilterForm
from gridgate.portal.screens.company.terms import place_said
from gridgate.portal.shell.time_zone import readers_zone

ORDERS = {"nom": "name", "depuis": "since", "connexion": "last_sign_in"}


@require_safe
@entitlement_required(EntitlementCode.USERS)
def index(request: MemberRequest) -> HttpResponse:
    """One page of them; the address holds search, filters and order."""
    actor, now = request.membership, timezone.now()
    form = PeopleFilterForm(request.GET, groups=groups_of(actor=actor))
    order = _order(request.GET.get("tri", ""))
    page = page_of(request, people_of(actor=actor, wanted=form.wanted, order=order, now=now))
    context = {
        "form": form,
        "filters": filters_in_force(request, form.labels()),
        "total": people_of(actor=actor, wanted=PeopleFilter(), now=now).count(),
        "not_now": not_now_in(actor=actor, wanted=form.wanted, now=now),
        "page_obj": page,
        "rows": _rows(actor, list(page), now),
        "query": request.GET.urlencode(),
        "to_confirm": checks_to_confirm(actor=actor, now=now).count() if actor.is_administrator else 0,
    }
    return render(request, "company/users.html", context)


@require_safe
@entitlement_required(EntitlementCode.USERS)
def export(request: MemberRequest) -> HttpResponseBase:
    """The same people in the same order, all of them, as a list that *Inviter plusieurs personnes* reads again."""
    actor, now = request.membership, timezone.now()
    form = PeopleFilterForm(request.GET, groups=groups_of(actor=actor))
    people = people_of(actor=actor, wanted=form.wanted, order=_order(request.GET.get("tri", "")), now=now)
    header = [
        _("Adresse e-mail"),
        _("Prénom et nom"),
        _("Rôle"),
        _("Rattachement"),
        _("Groupes"),
        _("Langue de l’invitation"),
        _("Agit jusqu’au"),
        _("État"),
        _("Depuis"),
        _("Dernière connexion"),
    ]
    zone = readers_zone(request)
    name = f"utilisateurs-{actor.organisation.siren}-{civil_day_of(now, zone)}.csv"
    return table_response(
        request, name, header, _lines(actor, people, zone, get_language() or "fr"), sheet=_("Utilisateurs")
    )


def _lines(actor: Membership, people: People, zone: ZoneInfo, language: str) -> Iterator[list[object]]:
    """The request is over when they are written: the language is set again."""
    members, invited = group_names_of(actor=actor), invited_group_names(actor=actor)
    with override(language):
        states = {
            ACTIVE: _("Actif"),
            InvitationState.PENDING.value: _("Invitation en attente"),
            InvitationState.EXPIRED.value: _("Invitation expirée"),
            LAPSED: _("Date de fin passée"),
        }
        roles = {Membership.Role.ADMINISTRATOR: _("Administrateur"), Membership.Role.USER: _("Utilisateur")}
        attached = {False: _("interne"), True: _("externe")}
    for row in people:
        yield [
            row.email,
            row.name,
            roles[Membership.Role(row.role)],
            attached[bool(row.external)],
            f" {BETWEEN_GROUPS} ".join((members if row.state == ACTIVE else invited).get(row.key, [])),
            row.language,
            row.last_day,
            states[row.state],
            civil_day_of(row.since, zone),
            row.last_sign_in and civil_day_of(row.last_sign_in, zone),
        ]


def _order(asked: str) -> str:
    name = ORDERS.get(asked.removeprefix("-"), "name")
    return f"-{name}" if asked.startswith("-") else name


def _rows(actor: Membership, people: list[PersonRow], now: datetime) -> list[dict[str, Any]]:
    """The lines of a page, with the groups of each, and the dates of their places, in two statements."""
    members: dict[int, list[str]] = {}
    leaves = {row.key: row.until for row in people if row.state == ACTIVE}
    for place in places_of(actor=actor, members=[row.key for row in people if row.state == ACTIVE]):
        # Who has a last day has it beside their name: it is said of a place only against a later one.
        own = place.term != ALWAYS
        dates = place_said(place.term, leaves[place.membership_id] if own else None, now)
        name = f"{place.group.name} ({dates})" if dates else place.group.name
        members.setdefault(place.membership_id, []).append(name)
    invited = invited_group_names(actor=actor, invitations=[row.key for row in people if row.state != ACTIVE])
    return [
        {
            "person": row,
            "name": row.name or row.email,
            "active": row.state == ACTIVE,
            "administrator": row.role == Membership.Role.ADMINISTRATOR,
            "groups": named((members if row.state == ACTIVE else invited).get(row.key, [])),
        }
        for row in people
    ]
