"""Receipts: the list, the document, the signed file. Both sides see them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gridgate.audit.queries.entries import first_refusal_after
from gridgate.audit.queries.index import is_readable
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.portal.guards.access import MemberRequest
from gridgate.portal.kit import formats
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.qr import qr_code
from gridgate.portal.kit.searching import searched
from gridgate.portal.refusals.error_pages import no_entitlement
from gridgate.portal.screens.receipts.document import Document, act, zone_name
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.shell.time_zone import network_time
from gridgate.sharing.models import Receipt
from gridgate.sharing.queries import receipts
from gridgate.sharing.queries.receipts import receipts_matching, receipts_readable_by


@require_safe
def index(request: MemberRequest) -> HttpResponse:
    """The receipts that concern the actor's company, as holder or as eligible party."""
    actor = request.membership
    if actor is None:
        raise Http404
    readable = receipts_readable_by(actor=actor)
    total = readable.count()
    if not total and not actor.has(EntitlementCode.DATA_SERVICES):
        return no_entitlement(request, EntitlementCode.DATA_SERVICES)
    text = searched(request.GET)
    page = page_of(request, receipts_matching(readable, text) if text else readable)
    context = {
        "page_obj": page,
        "rows": [_row(one, actor.organisation_id) for one in page],
        "query": text,
        "total": total,
    }
    return render(request, "receipts/list.html", context)


def _row(receipt: Receipt, mine: int) -> dict[str, object]:
    given = receipt.holder_id == mine
    other = receipt.eligible_party if given else receipt.holder
    return {
        "number": receipt.number,
        "issued_at": receipt.issued_at,
        "day": formats.day(receipt.issued_at),
        "awaited": receipt.awaited,
        "act": act(receipt.payload.get("act", "")),
        "other": other.legal_name,
        "role": _("Vous partagiez") if given else _("Vous lisiez"),
        "services": len(receipt.payload.get("permissions", ())),
    }


@require_safe
@network_time
def detail(request: MemberRequest, number: str) -> HttpResponse:
    """The document, on screen and on paper; or that it is about to be signed."""
    receipt = _receipt(request, number)
    if receipt.awaited:
        return render(request, "receipts/awaited.html", _awaited(receipt))
    document = Document(receipt.payload, receipt.jws)
    refused_at = first_refusal_after(
        actor=request.membership, reader=receipt.eligible_party_id, at=document.effective_at
    )
    verify_at = f"{settings.BASE_URL}{reverse('receipt_verify')}"
    context = {
        "document": document,
        "steps": document.steps(refused_at, Moment.present().today),
        "verify_at": verify_at,
        "qr": qr_code(f"{verify_at}?{document.on_paper}"),
        "erase_at": reverse("sharing_company", args=[document.party["siren"]]) + "#effacement",
        "reader": receipt.eligible_party_id,
        "log_readable": is_readable(receipt.payload.get("last_log_segment", "")),
        "is_holder": receipt.holder_id == request.membership.organisation_id,
    }
    return render(request, "receipts/receipt.html", context)


def _awaited(receipt: Receipt) -> dict[str, object]:
    payload = receipt.payload
    return {
        "number": receipt.number,
        "what": act(payload["act"]),
        "effective_at": datetime.fromisoformat(payload["effective_at"]),
        "zone": zone_name(ZoneInfo(settings.TIME_ZONE)),
        "holder": payload["holder"]["name"],
        "party": payload["eligible_party"]["name"],
    }


@require_safe
def proof(request: MemberRequest, number: str) -> HttpResponseBase:
    """The signed file (compact JWS), which anyone can verify without us."""
    receipt = _receipt(request, number)
    if receipt.awaited:
        return redirect("receipt", receipt.number)
    response = HttpResponse(receipt.jws + "\n", content_type="application/jose")
    response["Content-Disposition"] = f'attachment; filename="{receipt.number}.jws"'
    return response


def _receipt(request: MemberRequest, number: str) -> Receipt:
    if request.membership is None:
        raise Http404
    return receipts.receipt(actor=request.membership, number=number)
