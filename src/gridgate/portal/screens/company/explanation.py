"""*Vérifier*: what one user may do, and why (not), for the company or on one point."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from gridgate.core.identifiers import InvalidIdentifier, parse_metering_point_id
from gridgate.organisations.models import Membership
from gridgate.organisations.queries import members_matching, members_of
from gridgate.portal.guards.access import MemberRequest, administrator_required
from gridgate.portal.screens.company.access import access_lines

OFFERED = 100
"""How many users the field proposes while one types; whoever is not among them is found all the same."""
FOUND = 20


@require_safe
@administrator_required
def page(request: MemberRequest) -> HttpResponse:
    """`?qui=` is a name or an address, `?point=` an identifier in any grouping."""
    actor = request.membership
    who, typed = request.GET.get("qui", "").strip()[:200], request.GET.get("point", "").strip()[:40]
    member, several = _find(actor, who)
    point, fault = _point(typed)
    context: dict[str, Any] = {
        "who": who,
        "typed": typed,
        "fault": fault,
        "member": member,
        "several": several,
        "point": point,
        "offered": members_of(actor=actor)[:OFFERED],
        "lines": access_lines(member, point=point or None) if member and not fault else [],
    }
    return render(request, "company/explain.html", context)


def _find(actor: Membership, who: str) -> tuple[Membership | None, list[Membership]]:
    """The one whom the text names, or those whom it may mean."""
    if not who:
        return None, []
    exact = members_of(actor=actor).select_related("organisation").filter(user__email__iexact=who).first()
    if exact is not None:
        return exact, []
    found = list(members_matching(actor=actor, text=who).select_related("organisation")[: FOUND + 1])
    return (found[0], []) if len(found) == 1 else (None, found[:FOUND])


def _point(typed: str) -> tuple[str, str]:
    """The identifier, or what is wrong with it. Whether the point exists is asked of nobody."""
    if not typed:
        return "", ""
    try:
        return parse_metering_point_id(typed), ""
    except InvalidIdentifier:
        digits = sum(1 for char in typed if char.isdigit())
        return "", ngettext(
            "Un PRM a 14 chiffres, %(count)s saisi.", "Un PRM a 14 chiffres, %(count)s saisis.", digits
        ) % {"count": digits}
