"""*Souscrire*: what exactly will be read, of which points, until when; then one press."""

from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.metering.queries import points_readable_by
from gridgate.organisations.models import EntitlementCode
from gridgate.portal import formats
from gridgate.portal.access import MemberRequest, entitlement_required
from gridgate.portal.forms import DayField
from gridgate.portal.screens.services.views import Offer, shares_of, subscribable
from gridgate.portal.screens.sharing import words
from gridgate.portal.screens.sharing.agreed import Agreed, fingerprint
from gridgate.portal.screens.sharing.line import Line
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.screens.sharing.picker import PointPicker
from gridgate.sharing import operations, queries
from gridgate.sharing.models import DataService
from gridgate.sharing.operations.granting import LONGEST_MONTHS, months_from


class UntilForm(forms.Form):
    """The last day; empty lets the service's own duration stand."""

    until = DayField(
        label=gettext_lazy("Jusqu’au"),
        required=False,
        help_text=gettext_lazy("Ce jour compris. À la fin, les accès se ferment seuls."),
    )

    def __init__(self, data: QueryDict | None, *, service: DataService, today: date) -> None:
        default = (
            months_from(today, service.duration_months) - timedelta(days=1)
            if service.duration_months
            else None
        )
        super().__init__(data, initial={"until": default})
        field = self.fields["until"]
        assert isinstance(field, DayField)
        field.limit(today, months_from(today, LONGEST_MONTHS))


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.DATA_SERVICES)
def subscribe(request: MemberRequest, code: str) -> HttpResponse:
    """Give the service's provider access to some points, or to all: chosen first, then read again, then given."""
    actor, moment = request.membership, Moment.present()
    service = queries.service_readable_by(actor=actor, code=code)
    if not subscribable(service, actor.organisation):
        raise Http404(code)
    posted = request.POST if request.method == "POST" else None
    points = points_readable_by(
        actor=actor, service=EntitlementCode.DATA_SERVICES, today=moment.today, held=True
    ).order_by("label", "pk")
    restricted = not actor.reach(EntitlementCode.DATA_SERVICES).everything
    picker = PointPicker(posted, points=points, all_choice=not restricted)
    form = UntilForm(posted, service=service, today=moment.today)
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
        "all_note": _("%(points)s aujourd’hui") % {"points": words.points(picker.total)},
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
    promised = fingerprint(chosen, service.pk, until)
    seen = request.POST.get("seen", "")
    if seen != promised:
        return _before_giving(request, service, picker, chosen, until, promised)
    try:
        operations.subscribe(
            actor=request.membership,
            service=service,
            points=chosen,
            valid_until=moment.end_of(until) if until else None,
            now=moment.now,
        )
    except GridgateError as refused:
        if refused.kind not in (ErrorKind.CONFLICT, ErrorKind.INVALID):
            raise
        form.add_error(None, words.refusal(refused))
        return None
    messages.success(
        request,
        _("%(name)s peut lire ces données. Vous pouvez résilier ici à tout moment, avec effet immédiat.")
        % {"name": service.provider.legal_name},
    )
    return redirect("sharing_company", service.provider.siren)


def _before_giving(
    request: MemberRequest,
    service: DataService,
    picker: PointPicker,
    chosen: list[str] | None,
    until: date | None,
    promised: str,
) -> HttpResponse:
    """Exactly what the next press gives."""
    offer = Offer(service)
    agreed = Agreed(
        chosen,
        picker,
        carried=[("until", until.isoformat() if until else "")],
        seen=promised,
        again=bool(request.POST.get("seen")),
    )
    context = {
        "agreed": agreed,
        "offer": offer,
        "until": formats.long_day(until) if until else offer.duration,
    }
    return render(request, "services/subscribe_confirm.html", context, status=409 if agreed.again else 200)
