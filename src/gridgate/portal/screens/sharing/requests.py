"""What an eligible party asks: accept all or some of the points, or refuse, with the same weight."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import Kind, kinds_of
from gridgate.core.sharing import PermissionState
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit import formats
from gridgate.portal.screens.sharing import extents, quantities, refusals, service_data
from gridgate.portal.screens.sharing.agreed import Agreed, fingerprint, giving
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.screens.sharing.picker import PointPicker
from gridgate.portal.screens.sharing.preview import preview
from gridgate.sharing.models import PermissionRequest
from gridgate.sharing.operations.granting import NotOffered
from gridgate.sharing.operations.requesting import accept_request, refuse_request
from gridgate.sharing.queries import reach
from gridgate.sharing.queries.permissions import in_force, permissions_given
from gridgate.sharing.queries.requests import WAITING, points_asked, request_received

SHOWN = 30
"""How many of the points asked for are named to who sees only some of them, and does not answer."""


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.DATA_SERVICES)
def answer(request: MemberRequest, request_id: UUID) -> HttpResponse:
    actor, moment = request.membership, Moment.present()
    permission_request = request_received(actor=actor, request_id=request_id)
    if permission_request.state not in WAITING or permission_request.valid_until < moment.today:
        return render(
            request,
            "sharing/answered.html",
            _what(permission_request) | {"outcome": _outcome(permission_request)},
        )
    points = points_asked(permission_request, actor=actor, today=moment.today)
    posted = request.POST if request.method == "POST" else None
    picker = PointPicker(posted, points=points, all_choice=permission_request.all_points, as_asked=True)
    exceeds = reach.said(permission_request, "exceeds")
    if posted is not None and not exceeds:
        done = _decide(request, permission_request, picker, moment)
        if done is not None:
            return done
    given = in_force(permissions_given(actor=actor), now=moment.now)
    already = given.filter(eligible_party=permission_request.eligible_party)
    context = _what(permission_request) | {
        "question": extents.question(
            permission_request.eligible_party.legal_name, _extent(permission_request, picker.total)
        ),
        "picker": picker,
        "exceeds": exceeds,
        "shown": picker.samples(SHOWN) if exceeds else [],
        "already": ", ".join(dict.fromkeys(one.service.text("name") for one in already)),
        "restricted": not actor.reach(EntitlementCode.DATA_SERVICES).everything,
        "preview": preview(permission_request.service, points, actor=actor, moment=moment),
        "all_label": _all_label(permission_request),
        "all_note": quantities.points(picker.total),
    }
    if posted is None and picker.total:
        chosen = picker.chosen()
        context |= {"button": giving(chosen), "seen": fingerprint(chosen, permission_request.pk)}
    status = 422 if picker.error else 200
    return render(request, "sharing/request.html", context, status=status)


def _extent(permission_request: PermissionRequest, seen: int) -> extents.Extent:
    """How many points are asked for, and how many of them the person sees."""
    exceeds = reach.said(permission_request, "exceeds")
    count = reach.said(permission_request, "points_count") if exceeds else seen
    return extents.Extent(seen, count, everything=permission_request.all_points, partly=exceeds)


def _decide(
    request: MemberRequest, permission_request: PermissionRequest, picker: PointPicker, moment: Moment
) -> HttpResponse | None:
    """Carry out the answer; None when the page shows again."""
    answers = request.POST.getlist("answer")
    name = permission_request.eligible_party.legal_name
    try:
        if answers == ["refuse"]:
            refuse_request(actor=request.membership, request_id=permission_request.pk, now=moment.now)
            messages.success(
                request, _("Demande refusée : elle n’ouvre aucun accès à %(name)s.") % {"name": name}
            )
            return redirect("sharing")
        if answers == ["accept"]:
            chosen = picker.chosen()
            if picker.error:
                return None
            if request.POST.get("seen", "") != fingerprint(chosen, permission_request.pk):
                return _before_giving(request, permission_request, picker, chosen)
            accept_request(
                actor=request.membership, request_id=permission_request.pk, points=chosen, now=moment.now
            )
            messages.success(
                request,
                _("Partage accordé à %(name)s. Vous pouvez le résilier ici à tout moment.") % {"name": name},
            )
            return redirect("sharing_company", permission_request.eligible_party.siren)
    except GridgateError as refused:
        told = (ErrorKind.CONFLICT, ErrorKind.INVALID)
        if refused.kind not in told and not isinstance(refused, NotOffered):
            raise
        messages.error(request, refusals.refusal(refused))
        return redirect(request.path)
    return None


def _before_giving(
    request: MemberRequest,
    permission_request: PermissionRequest,
    picker: PointPicker,
    chosen: list[str] | None,
) -> HttpResponse:
    """Exactly what the next press gives, when it is not what the button had said."""
    agreed = Agreed(chosen, picker, seen=fingerprint(chosen, permission_request.pk))
    return render(request, "sharing/request_confirm.html", _what(permission_request) | {"agreed": agreed})


def _what(permission_request: PermissionRequest) -> dict[str, object]:
    service = permission_request.service
    return {
        "asked": permission_request,
        "company": permission_request.eligible_party,
        "service_name": service.text("name"),
        "purpose": service.text("purpose").rstrip("."),
        "has_curve": Kind.LOAD_CURVE in kinds_of(service.kinds),
        "history": _history(permission_request),
        "kinds": service_data.kind_lines(service),
        "directions": service_data.directions(service.directions),
        "basis": service_data.basis(service),
        "contact": service.contact_email or permission_request.eligible_party.contact_email,
    }


def _outcome(permission_request: PermissionRequest) -> str:
    match PermissionState(permission_request.state):
        case PermissionState.ACTIVE:
            return "accepted"
        case PermissionState.REFUSED:
            return "refused"
        case _:
            return "late"


def _history(permission_request: PermissionRequest) -> str:
    """From which day on data would be read."""
    if permission_request.history_from:
        return _("depuis le %(day)s") % {"day": formats.long_day(permission_request.history_from)}
    months = permission_request.service.history_months
    if not months:
        return _("aucun : seulement à partir de votre accord")
    return ngettext("%(count)s mois avant votre accord", "%(count)s mois avant votre accord", months) % {
        "count": months
    }


def _all_label(asked: PermissionRequest) -> str:
    if asked.all_points:
        return _("Tous vos compteurs, présents et à venir")
    return _("Tous ceux qui sont demandés")
