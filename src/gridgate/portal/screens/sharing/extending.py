"""*Prolonger*: the same permission, until a later day. Nothing else of it can be changed here."""

from datetime import datetime, timedelta
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import DayField
from gridgate.portal.screens.sharing import refusals
from gridgate.portal.screens.sharing.ending import share_of
from gridgate.portal.screens.sharing.line import Line
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.shell.time_zone import network_time
from gridgate.sharing.models import Permission
from gridgate.sharing.operations import extending
from gridgate.sharing.operations.durations import furthest_end
from gridgate.sharing.operations.extending import obstacle_to_extending
from gridgate.sharing.queries import reach
from gridgate.sharing.queries.permissions import permission_given


class LaterForm(forms.Form):
    """The new last day, after the present one and within what may be given."""

    until = DayField(label=gettext_lazy("Nouveau dernier jour"))

    def __init__(self, data: QueryDict | None, *, ends: datetime, moment: Moment) -> None:
        super().__init__(data)
        field = self.fields["until"]
        assert isinstance(field, DayField)
        field.limit(
            moment.last_day_before(ends) + timedelta(days=1), moment.last_day_before(furthest_end(moment.now))
        )
        field.help_text = field.limits


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.DATA_SERVICES)
@network_time
def extend(request: MemberRequest, permission_id: UUID) -> HttpResponse:
    """What stays as it is, and the one date to choose; or why it cannot last longer."""
    actor, moment = request.membership, Moment.present()
    permission = permission_given(actor=actor, permission_id=permission_id)
    permission.holder = actor.organisation
    blocked = _blocked(permission, moment)
    form = None
    if not blocked and permission.valid_until is not None:
        posted = request.POST if request.method == "POST" else None
        form = LaterForm(posted, ends=permission.valid_until, moment=moment)
        done = _extend(request, permission, form, moment) if posted is not None else None
        if done is not None:
            return done
    share = share_of(request, permission, moment)
    context = {
        "company": permission.eligible_party,
        "service": permission.service.text("name"),
        "line": Line(share, None, moment) if share else None,
        "blocked": blocked,
        "form": form,
    }
    failed = request.method == "POST"
    return render(request, "sharing/extend.html", context, status=422 if failed else 200)


def _blocked(permission: Permission, moment: Moment) -> str:
    """Why it cannot last longer by this member; empty when it can."""
    if reach.said(permission, "exceeds"):
        return _(
            "Ce partage porte aussi sur des compteurs hors de votre périmètre : demandez à un administrateur."
        )
    obstacle = obstacle_to_extending(permission, moment.now)
    return refusals.obstacle(obstacle) if obstacle else ""


def _extend(
    request: MemberRequest, permission: Permission, form: LaterForm, moment: Moment
) -> HttpResponse | None:
    """Extend it; None when the page shows again with what is wrong."""
    if not form.is_valid():
        return None
    until = form.cleaned_data["until"]
    try:
        extending.extend(
            actor=request.membership,
            permission_id=permission.pk,
            valid_until=moment.end_of(until),
            now=moment.now,
        )
    except GridgateError as refused:
        if refused.kind not in (ErrorKind.CONFLICT, ErrorKind.INVALID):
            raise
        form.add_error(None, refusals.refusal(refused))
        return None
    said = _("Le partage avec %(name)s se poursuit jusqu’au %(day)s. Rien d’autre n’a changé.")
    name = permission.eligible_party.legal_name
    messages.success(request, said % {"name": name, "day": formats.long_day(until)})
    return redirect("sharing_company", permission.eligible_party.siren)
