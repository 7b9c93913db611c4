"""The operator's registry: in figures, the collections that wait, the last imports.

Whoever manages a company's users and types the same address finds the page on its users.
"""

from datetime import UTC, datetime

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gridgate.core.time import civil_day_of
from gridgate.metering.operator_queries import (
    RegistryFigures,
    imports_made,
    registry_figures,
    waiting_collections,
)
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.portal.guards.access import MemberRequest, operator_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.shapes import Figure

LAST_IMPORTS = 10


@require_safe
def home(request: MemberRequest) -> HttpResponseBase:
    """The operator's registry; for a company's administrators and user managers, the way to their users."""
    actor = request.membership
    if not actor.organisation.is_operator and actor.has(EntitlementCode.USERS):
        return redirect("company_users")
    return _registry(request)


@operator_required
def _registry(request: MemberRequest) -> HttpResponse:
    """The registry, for the operator's staff."""
    actor = request.membership
    now = datetime.now(UTC)
    today = civil_day_of(now, get_default_timezone())
    waiting = page_of(request, waiting_collections(actor=actor, today=today))
    context = {
        "figures": _figures(registry_figures(actor=actor, today=today)),
        "waiting": waiting,
        "waiting_rows": [
            {
                "id": point.pk,
                "name": str(point),
                "city": point.city,
                "since": vars(point)["collection_since"],
            }
            for point in waiting
        ],
        "imports": imports_made(actor=actor)[:LAST_IMPORTS],
    }
    return render(request, "administration/home.html", context)


def _figures(counted: RegistryFigures) -> list[Figure]:
    return [
        Figure(_("Points de comptage"), formats.number(counted.points)),
        Figure(
            _("Sans titulaire"),
            formats.number(counted.without_holder),
            note=_("personne n’en voit les mesures"),
            tone="warn" if counted.without_holder else "",
        ),
        Figure(_("Entreprises titulaires"), formats.number(counted.holders)),
        Figure(
            _("Collectes à mettre en service"),
            formats.number(counted.collections_waiting),
            note=_("compteurs non communicants"),
        ),
    ]
