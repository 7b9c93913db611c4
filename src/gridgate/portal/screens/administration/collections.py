"""Collections that waited for a visit of the meter, and can begin."""

from datetime import UTC, datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from gridgate.core.time import civil_day_of
from gridgate.metering.operations.collections import set_collection
from gridgate.metering.operator_queries import waiting_collections
from gridgate.metering.states import State
from gridgate.portal.guards.access import MemberRequest, operator_required
from gridgate.portal.kit import formats


@require_POST
@operator_required
def activate(request: MemberRequest) -> HttpResponse:
    """Make the collections that were ticked active; those that no longer wait are passed over."""
    actor = request.membership
    now = datetime.now(UTC)
    today = civil_day_of(now, get_default_timezone())
    waiting = waiting_collections(actor=actor, today=today).filter(pk__in=request.POST.getlist("point"))
    changed = set_collection(actor=actor, points=waiting, state=State.ACTIVE, now=now)
    if changed:
        said = ngettext("%(count)s collecte est active.", "%(count)s collectes sont actives.", changed)
        messages.success(request, said % {"count": formats.number(changed)})
    else:
        messages.warning(request, _("Choisissez au moins un compteur qui attend."))
    return redirect("operator_home")
