"""*Utilisateurs*: who acts for the company, and who was invited to."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from gridgate.organisations.models import EntitlementCode, Membership
from gridgate.organisations.people import ACTIVE, PeopleFilter, PersonRow, people_of
from gridgate.organisations.queries import group_names_of, groups_of, invited_group_names
from gridgate.portal.access import MemberRequest, entitlement_required
from gridgate.portal.paging import page_of
from gridgate.portal.screens.company.access import named
from gridgate.portal.screens.company.forms import PeopleFilterForm
from gridgate.portal.shapes import filters_in_force

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
        "page_obj": page,
        "rows": _rows(actor, list(page)),
    }
    return render(request, "company/users.html", context)


def _order(asked: str) -> str:
    name = ORDERS.get(asked.removeprefix("-"), "name")
    return f"-{name}" if asked.startswith("-") else name


def _rows(actor: Membership, people: list[PersonRow]) -> list[dict[str, Any]]:
    """The lines of a page, with the groups of each in two statements."""
    members = group_names_of(actor=actor, members=[row.key for row in people if row.state == ACTIVE])
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
