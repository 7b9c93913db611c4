"""*Résilier*: the page that says exactly what ends, and the end itself."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gridgate.accounts.models import SensitiveAct
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Organisation
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.guards.step_up import step_up_required
from gridgate.portal.screens.sharing import quantities, service_data
from gridgate.portal.screens.sharing.line import Line, alike
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.screens.sharing.tiles import kept
from gridgate.portal.shell.time_zone import network_time
from gridgate.sharing.models import Permission, Receipt
from gridgate.sharing.operations import ending
from gridgate.sharing.operations.ending import revoke_permission
from gridgate.sharing.queries.companies import (
    CompanySharing,
    Share,
    companies_reading,
    points_shared,
    reading_company,
)
from gridgate.sharing.queries.permissions import in_force, permission_given, permissions_given
from gridgate.sharing.queries.receipts import last_receipt
from gridgate.sharing.receipts.completing import complete_at_once


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.DATA_SERVICES)
@step_up_required(SensitiveAct.REVOKE_ALL)
@network_time
def revoke_company(request: MemberRequest, siren: str) -> HttpResponse:
    """End everything that a company reads and that the holder can end."""
    actor, moment = request.membership, Moment.present()
    company = reading_company(actor=actor, siren=siren)
    permissions = permissions_given(actor=actor).filter(eligible_party=company)
    if request.method == "POST":
        return _end(
            request,
            permissions,
            lambda: ending.revoke_company(actor=actor, company=company, now=moment.now),
            moment.now,
        )
    summary = _present(request, company, moment)
    return _page(
        request, company, permissions, summary, summary.terminable if summary else (), moment, single=False
    )


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.DATA_SERVICES)
@network_time
def revoke(request: MemberRequest, permission_id: UUID) -> HttpResponse:
    """End one permission; the company's others stay."""
    actor, moment = request.membership, Moment.present()
    permission = permission_given(actor=actor, permission_id=permission_id)
    permissions = permissions_given(actor=actor).filter(pk=permission_id)
    if request.method == "POST":
        return _end(
            request,
            permissions,
            lambda: revoke_permission(actor=actor, permission_id=permission_id, now=moment.now),
            moment.now,
        )
    summary = _present(request, permission.eligible_party, moment)
    ending = _shares_of(permission, summary)
    return _page(request, permission.eligible_party, permissions, summary, ending, moment, single=True)


def share_of(request: MemberRequest, permission: Permission, moment: Moment) -> Share | None:
    """The permission as the person sees it; None when it is not in force."""
    found = _shares_of(permission, _present(request, permission.eligible_party, moment))
    return found[0] if found else None


def _shares_of(permission: Permission, summary: CompanySharing | None) -> list[Share]:
    return [share for share in summary.shares if share.permission == permission] if summary else []


def _present(request: MemberRequest, company: Organisation, moment: Moment) -> CompanySharing | None:
    summaries = companies_reading(
        actor=request.membership, now=moment.now, today=moment.today, days=[], company=company
    )
    return summaries[0] if summaries else None


def _page(
    request: MemberRequest,
    company: Organisation,
    permissions: QuerySet[Permission],
    summary: CompanySharing | None,
    ending: Sequence[Share],
    moment: Moment,
    *,
    single: bool,
) -> HttpResponse:
    """What ends, what stays, what the other side keeps; or why nothing can be ended here."""
    receipt = None if ending else last_receipt(actor=request.membership, permissions=permissions)
    staying = [share for share in summary.shares if share not in ending] if summary else []
    deletions = [
        share.permission.delete_by for share in ending if share.permission and share.permission.delete_by
    ]
    points = _points(request, ending, summary, moment)
    context = {
        "company": company,
        "lines": alike([Line(share, None, moment) for share in ending]),
        "staying": [Line(share, None, moment) for share in staying],
        "one": single,
        "service": ending[0].service.text("name") if ending else "",
        "points": points,
        "extent": f"{quantities.points(points)}, {quantities.services(len(ending))}",
        "delete_by": max(deletions) if len(deletions) == len(ending) > 0 else None,
        "others": ", ".join(_others(request, company, moment)),
        "blocked": _blocked(ending),
        "contact": kept(ending[0].service) if ending else None,
        "receipt": receipt,
        "restricted": not request.membership.reach(EntitlementCode.DATA_SERVICES).everything,
    }
    template = "sharing/end.html" if ending else "sharing/ended.html"
    return render(request, template, context)


def _points(
    request: MemberRequest, ending: Sequence[Share], summary: CompanySharing | None, moment: Moment
) -> int:
    if summary and len(ending) == len(summary.shares):
        return summary.points
    return points_shared(actor=request.membership, shares=ending, today=moment.today).count() if ending else 0


def _others(request: MemberRequest, company: Organisation, moment: Moment) -> list[str]:
    """The other companies that go on reading."""
    given = in_force(permissions_given(actor=request.membership), now=moment.now)
    names = (
        given.exclude(eligible_party=company)
        .exclude(eligible_party__is_operator=True)
        .values_list("eligible_party__legal_name", flat=True)
    )
    return sorted(set(names.order_by()))


def _blocked(ending: Sequence[Share]) -> str:
    """Why this member cannot end it; empty when they can."""
    for share in ending:
        if not share.terminable:
            return _("Ce service n’est pas résiliable : %(why)s.") % {
                "why": service_data.why_kept(share.service)
            }
        if share.exceeds:
            return _(
                "Ce partage porte aussi sur des compteurs hors de votre périmètre : demandez à un administrateur."
            )
    return ""


def _end(
    request: MemberRequest, permissions: QuerySet[Permission], end: Callable[[], Receipt], now: datetime
) -> HttpResponse:
    """End, then sign the receipt and show it. Pressing twice shows the same receipt twice."""
    try:
        receipt = end()
    except GridgateError as refused:
        if refused.kind is not ErrorKind.CONFLICT:
            raise
        earlier = last_receipt(actor=request.membership, permissions=permissions)
        if earlier is None:
            return redirect(request.path)  # which says why nothing can be ended
        messages.info(request, _("Ce partage avait déjà pris fin. Voici le reçu qui le prouve."))
        return redirect("receipt", earlier.number)
    complete_at_once(receipt, now=now)
    messages.success(
        request,
        _("Le partage a pris fin : %(name)s ne peut plus rien lire à ce titre.")
        % {"name": receipt.eligible_party.legal_name},
    )
    return redirect("receipt", receipt.number)
