"""*Souscrire*: what exactly will be read, of which points, until when; then one press."""

from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.time import months_from
from gridgate.metering.queries.points import points_readable_by
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import DayField
from gridgate.portal.screens.services.views import Offer, shares_of, subscribable
from gridgate.portal.screens.sharing import lifecycle, quantities, refusals
from gridgate.portal.screens.sharing.agreed import Agreed, fingerprint
from gridgate.portal.screens.sharing.line import Line
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.screens.sharing.picker import PointPicker
from gridgate.sharing.models import DataService
from gridgate.sharing.operations import granting
from gridgate.sharing.operations.durations import LONGEST_MONTHS, settle_end
from gridgate.sharing.queries.services import service_readable_by


class UntilForm(forms.Form):
    """The last day; empty lets the service's own duration stand."""

    until = DayField(
        label=gettext_lazy("Jusqu’au"),
        required=False,
    )

    def __init__(self, data: QueryDict | None, *, service: DataService, moment: Moment) -> None:
        ends = settle_end(service, None, moment.now)
        super().__init__(data, initial={"until": moment.last_day_before(ends) if ends else None})
        field = self.fields["until"]
        assert isinstance(field, DayField)
        field.limit(moment.today, months_from(moment.today, LONGEST_MONTHS))
        field.help_text = _left_empty(ends, moment)


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.DATA_SERVICES)
def subscribe(request: MemberRequest, code: str) -> HttpResponse:
    """Give the service's provider access to some points, or to all: chosen first, then read again, then given."""
    actor, moment = request.membership, Moment.present()
    service = service_readable_by(actor=actor, code=code)
    if not subscribable(service, actor.organisation):
        raise Http404(code)
    posted = request.POST if request.method == "POST" else None
    points = points_readable_by(
        actor=actor, service=EntitlementCode.DATA_SERVICES, today=moment.today, held=True
    ).order_by("search_text", "pk")
    restricted = not actor.reach(EntitlementCode.DATA_SERVICES).everything
    picker = PointPicker(posted, points=points, all_choice=not restricted)
    form = UntilForm(posted, service=service, moment=moment)
    subscribing = posted is not None and posted.get("do") == "subscribe"
    if subscribing:
        done = _subscribe(request, service, picker, form, moment)
        if done is not None:
            return done
    mine = [share for share in shares_of(request, moment) if share.service == service]
    context = {
        "offer": Offer(service),
        "picker": picker,
        "form": form,
        "mine": [Line(share, None, moment) for share in mine],
        "restricted": restricted,
        "all_label": _("Tous ceux de votre périmètre")
        if restricted
        else _("Tous vos compteurs, présents et à venir"),
        "all_note": _("%(points)s aujourd’hui") % {"points": quantities.points(picker.total)},
    }
    failed = bool(picker.error or (subscribing and form.errors))
    return render(request, "services/subscribe.html", context, status=422 if failed else 200)


def _subscribe(
    request: MemberRequest, service: DataService, picker: PointPicker, form: UntilForm, moment: Moment
) -> HttpResponse | None:
    """Say what would be given, or give it once that was read; None when the page shows again with what is wrong."""
    chosen = picker.chosen()
    if not form.is_valid() or picker.error:
        return None
    until = form.cleaned_data["until"]
    wanted_end = moment.end_of(until) if until else None
    try:
        ends = settle_end(service, wanted_end, moment.now)
        promised = fingerprint(chosen, service.pk, ends)
        if request.POST.get("seen", "") != promised:
            given = Agreed(
                chosen,
                picker,
                carried=[("until", until.isoformat() if until else "")],
                seen=promised,
                again=bool(request.POST.get("seen")),
            )
            return _before_giving(request, service, given, lifecycle.until(ends, moment))
        granting.subscribe(
            actor=request.membership,
            service=service,
            points=chosen,
            valid_until=wanted_end,
            now=moment.now,
        )
    except GridgateError as refused:
        if refused.kind not in (ErrorKind.CONFLICT, ErrorKind.INVALID):
            raise
        form.add_error(None, refusals.refusal(refused))
        return None
    messages.success(
        request,
        _("%(name)s peut lire ces données. Vous pouvez résilier ici à tout moment, avec effet immédiat.")
        % {"name": service.provider.legal_name},
    )
    return redirect("sharing_company", service.provider.siren)


def _before_giving(request: MemberRequest, service: DataService, agreed: Agreed, until: str) -> HttpResponse:
    """Exactly what the next press gives, its last day included."""
    context = {"agreed": agreed, "offer": Offer(service), "until": until}
    return render(request, "services/subscribe_confirm.html", context, status=409 if agreed.again else 200)


def _left_empty(ends: datetime | None, moment: Moment) -> str:
    """What stands beside the field: the day that is typed counts, and what none comes to."""
    if ends is None:
        return _(
            "Ce jour compris. Laissé vide : tant que vous êtes titulaire. À la fin, les accès se ferment seuls."
        )
    return _("Ce jour compris. Laissé vide : jusqu’au %(day)s. À la fin, les accès se ferment seuls.") % {
        "day": formats.long_day(moment.last_day_before(ends))
    }
