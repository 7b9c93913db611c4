"""The eligible party's side: what others permit it to read, and how it gives one back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.sharing import PermissionState
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.shapes import Tag, filters_in_force
from gridgate.portal.screens.sharing import extents, lifecycle, service_data
from gridgate.portal.screens.sharing.forms import ReceivedFilters, TerminateForm
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.screens.sharing.tiles import expires
from gridgate.portal.screens.sharing.timeline import NAMED_POINTS
from gridgate.sharing.models import Permission, PermissionRequest, PointLeft
from gridgate.sharing.operations import ending
from gridgate.sharing.queries import reach
from gridgate.sharing.queries.companies import count_points
from gridgate.sharing.queries.permissions import (
    IN_FORCE,
    left_by_holder,
    permission_received,
    permissions_received,
)
from gridgate.sharing.queries.receipts import last_receipt
from gridgate.sharing.queries.requests import WAITING, requests_made
from gridgate.sharing.receipts.completing import complete_at_once


@require_safe
@entitlement_required(EntitlementCode.DATA_SERVICES)
def index(request: MemberRequest) -> HttpResponse:
    """Every permission given to the actor's company, those in force first asked for."""
    actor, moment = request.membership, Moment.present()
    received = permissions_received(actor=actor)
    filters = ReceivedFilters(request.GET)
    shown = filters.apply(received, moment)
    page = page_of(request, shown.order_by("-valid_from", "pk"))
    permissions = list(page)
    extents = _extents(permissions, actor, moment)
    left = left_by_holder(permissions, actor=actor)
    context = {
        "filters": filters,
        "in_force": filters_in_force(request, filters.labels()),
        "total": received.count(),
        "page_obj": page,
        "rows": [
            _row(permission, extents[permission.pk], moment) | {"left": _left(left.get(permission.pk, []))}
            for permission in permissions
        ],
        "made": [_asked(one) for one in requests_made(actor=actor).filter(state__in=WAITING)[:20]],
    }
    return render(request, "sharing/received.html", context)


def _asked(request: PermissionRequest) -> dict[str, Any]:
    return {
        "holder": request.holder,
        "service_name": request.service.text("name"),
        "requested_at": request.requested_at,
    }


def _extents(
    permissions: Sequence[Permission], actor: Membership, moment: Moment
) -> dict[UUID, extents.Extent]:
    """How many points each covers, and how many of them the person sees."""
    covered = count_points(permissions, today=moment.today)
    partly = [permission for permission in permissions if reach.said(permission, "exceeds")]
    seen = count_points(partly, today=moment.today, actor=actor)
    return {
        pk: extents.Extent(seen.get(pk, count), count, everything=False, partly=pk in seen)
        for pk, count in covered.items()
    }


def _left(points: Sequence[PointLeft]) -> list[str]:
    """Which points the holder left, and since when; the latest ones by name."""
    texts = [
        _("sans %(point)s, que le titulaire a quitté le %(day)s")
        % {"point": left.metering_point_id, "day": formats.day(left.left_on)}
        for left in points[:NAMED_POINTS]
    ]
    if more := len(points) - len(texts):
        texts.append(
            ngettext("ni %(count)s autre quitté avant", "ni %(count)s autres quittés avant", more)
            % {"count": formats.number(more)}
        )
    return texts


def _row(permission: Permission, extent: extents.Extent, moment: Moment) -> dict[str, Any]:
    lasting = permission.state in IN_FORCE and (
        permission.valid_until is None or permission.valid_until > moment.now
    )
    return {
        "permission": permission,
        "holder": permission.holder,
        "service": permission.service.text("name"),
        "data": service_data.data(permission),
        "extent": extent if lasting else formats.NONE,
        "since": permission.valid_from,
        "since_day": formats.day(permission.valid_from),
        "last_day": moment.last_day_before(permission.valid_until) if permission.valid_until else None,
        "tag": _tag(permission, lasting, moment),
        "lasting": lasting,
        "can_end": lasting and not reach.said(permission, "exceeds"),
    }


def _tag(permission: Permission, lasting: bool, moment: Moment) -> Tag:
    if not lasting:
        return Tag("", lifecycle.ending(permission, permission.holder.legal_name), "")
    if permission.state == PermissionState.SUSPENDED:
        return Tag("warn", _("Suspendu"), "clock")
    if permission.valid_until and (moment.last_day_before(permission.valid_until) - moment.today).days <= 30:
        return Tag("warn", expires(permission.valid_until, moment), "clock")
    return Tag("good", _("Actif"), "check")


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.DATA_SERVICES)
def terminate(request: MemberRequest, permission_id: UUID) -> HttpResponse:
    """Give back one permission that the actor's company has."""
    actor, moment = request.membership, Moment.present()
    permission = permission_received(actor=actor, permission_id=permission_id)
    form = TerminateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and not reach.said(permission, "exceeds"):
        try:
            receipt = ending.terminate(
                actor=actor, permission_id=permission_id, reason=form.cleaned_data["reason"], now=moment.now
            )
        except GridgateError as refused:
            if refused.kind is not ErrorKind.CONFLICT:
                raise
            return _already(request, permissions_received(actor=actor).filter(pk=permission_id))
        complete_at_once(receipt, now=moment.now)
        messages.success(
            request,
            _("Vous ne lisez plus ces données. %(name)s en est prévenu.")
            % {"name": permission.holder.legal_name},
        )
        return redirect("receipt", receipt.number)
    row = _row(permission, _extents([permission], actor, moment)[permission.pk], moment)
    if not row["lasting"]:
        return _already(request, permissions_received(actor=actor).filter(pk=permission_id))
    context = row | {"form": form, "exceeds": reach.said(permission, "exceeds")}
    return render(request, "sharing/terminate.html", context)


def _already(request: MemberRequest, permissions: QuerySet[Permission]) -> HttpResponse:
    receipt = last_receipt(actor=request.membership, permissions=permissions)
    if receipt is None:
        messages.info(request, _("Cette autorisation a déjà pris fin."))
        return redirect("permissions_received")
    messages.info(request, _("Cette autorisation avait déjà pris fin. Voici le reçu qui le prouve."))
    return redirect("receipt", receipt.number)
