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
from gridgate.organisations.models import EntitlementCode
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
    asked = request_received(actor=actor, request_id=request_id)
    if asked.state not in WAITING or asked.valid_until < moment.today:
        return render(request, "sharing/answered.html", _what(asked) | {"outcome": _outcome(asked)})
    points = points_asked(asked, actor=actor, today=moment.today)
    posted = request.POST if request.method == "POST" else None
    picker = PointPicker(posted, points=points, all_choice=asked.all_points, as_asked=True)
    exceeds = reach.said(asked, "exceeds")
    if posted is not None and not exceeds:
        done = _decide(request, asked, picker, moment)
        if done is not None:
            return done
    given = in_force(permissions_given(actor=actor), now=moment.now)
    already = given.filter(eligible_party=asked.eligible_party)
    context = _what(asked) | {
        "question": extents.question(asked.eligible_party.legal_name, _extent(asked, picker.total)),
        "picker": picker,
        "exceeds": exceeds,
        "shown": picker.samples(SHOWN) if exceeds else [],
        "already": ", ".join(dict.fromkeys(one.service.text("name") for one in already)),
        "restricted": not actor.reach(EntitlementCode.DATA_SERVICES).everything,
        "preview": preview(asked.service, points, actor=actor, moment=moment),
        "all_label": _all_label(asked),
        "all_note": quantities.points(picker.total),
    }
    if posted is None and picker.total:
        chosen = picker.chosen()
        context |= {"button": giving(chosen), "seen": fingerprint(chosen, asked.pk)}
    status = 422 if picker.error else 200
    return render(request, "sharing/request.html", context, status=status)


def _extent(asked: PermissionRequest, seen: int) -> extents.Extent:
    """How many points are asked for, and how many of them the person sees."""
    exceeds = reach.said(asked, "exceeds")
    count = reach.said(asked, "points_count") if exceeds else seen
    return extents.Extent(seen, count, everything=asked.all_points, partly=exceeds)


def _decide(
    request: MemberRequest, asked: PermissionRequest, picker: PointPicker, moment: Moment
) -> HttpResponse | None:
    """Carry out the answer; None when the page shows again."""
    said = request.POST.getlist("answer")
    name = asked.eligible_party.legal_name
    try:
        if said == ["refuse"]:
            refuse_request(actor=request.membership, request_id=asked.pk, now=moment.now)
            messages.success(
                request, _("Demande refusée : elle n’ouvre aucun accès à %(name)s.") % {"name": name}
            )
            return redirect("sharing")
        if said == ["accept"]:
            chosen = picker.chosen()
            if picker.error:
                return None
            if request.POST.get("seen", "") != fingerprint(chosen, asked.pk):
                return _before_giving(request, asked, picker, chosen)
            accept_request(actor=request.membership, request_id=asked.pk, points=chosen, now=moment.now)
            messages.success(
                request,
                _("Partage accordé à %(name)s. Vous pouvez le résilier ici à tout moment.") % {"name": name},
            )
            return redirect("sharing_company", asked.eligible_party.siren)
    except GridgateError as refused:
        told = (ErrorKind.CONFLICT, ErrorKind.INVALID)
        if refused.kind not in told and not isinstance(refused, NotOffered):
            raise
        messages.error(request, refusals.refusal(refused))
        return redirect(request.path)
    return None


def _before_giving(
    request: MemberRequest, asked: PermissionRequest, picker: PointPicker, chosen: list[str] | None
) -> HttpResponse:
    """Exactly what the next press gives, when it is not what the button had said."""
    agreed = Agreed(chosen, picker, seen=fingerprint(chosen, asked.pk))
    return render(request, "sharing/request_confirm.html", _what(asked) | {"agreed": agreed})


def _what(asked: PermissionRequest) -> dict[str, object]:
    service = asked.service
    return {
        "asked": asked,
        "company": asked.eligible_party,
        "service_name": service.text("name"),
        "purpose": service.text("purpose").rstrip("."),
        "has_curve": Kind.LOAD_CURVE in kinds_of(service.kinds),
        "history": _history(asked),
        "kinds": service_data.kind_lines(service),
        "directions": service_data.directions(service.directions),
        "basis": service_data.basis(service),
        "contact": service.contact_email or asked.eligible_party.contact_email,
    }


def _outcome(asked: PermissionRequest) -> str:
    match PermissionState(asked.state):
        case PermissionState.ACTIVE:
            return "accepted"
        case PermissionState.REFUSED:
            return "refused"
        case _:
            return "late"


def _history(asked: PermissionRequest) -> str:
    """From which day on data would be read."""
    if asked.history_from:
        return _("depuis le %(day)s") % {"day": formats.long_day(asked.history_from)}
    months = asked.service.history_months
    if not months:
        return _("aucun : seulement à partir de votre accord")
    return ngettext("%(count)s mois avant votre accord", "%(count)s mois avant votre accord", months) % {
        "count": months
    }


def _all_label(asked: PermissionRequest) -> str:
    if asked.all_points:
        return _("Tous vos compteurs, présents et à venir")
    return _("Tous ceux qui sont demandés")
