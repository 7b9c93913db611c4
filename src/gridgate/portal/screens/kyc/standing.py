"""Where a company stands with its questionnaire, and beginning or renewing it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gridgate.kyc.kind import EDITABLE
from gridgate.kyc.models import KycQuestionnaire
from gridgate.kyc.operations.filling import NoForm, start_questionnaire
from gridgate.kyc.operations.time import REMINDERS, last_day_of
from gridgate.kyc.queries import present_form, questionnaires_of, standing
from gridgate.portal.guards.access import AccountRequest
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.shapes import Tag
from gridgate.portal.screens.eic.access import asker_required
from gridgate.portal.screens.kyc import states
from gridgate.portal.screens.kyc.progress import progress_of


@dataclass(frozen=True, slots=True)
class Accepted:
    """The questionnaire that was accepted last, as its card says it."""

    item: KycQuestionnaire
    state: Tag
    last_day: date
    is_over: bool
    ends_soon: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One questionnaire in the list."""

    item: KycQuestionnaire
    state: Tag
    last_day: date | None


@require_safe
@asker_required
def index(request: AccountRequest) -> HttpResponse:
    """The present state, what to do next, and what came before."""
    now = datetime.now(UTC)
    today = states.today(now)
    stands = standing(user=request.user, actor=request.membership)
    running = stands.running
    form = present_form()
    page = page_of(request, questionnaires_of(user=request.user, actor=request.membership))
    context = {
        "stands": stands,
        "running": running,
        "running_state": states.state(running, today=today) if running else None,
        "editable": running is not None and running.state in EDITABLE,
        "progress": progress_of(running, now=now) if running and running.state in EDITABLE else None,
        "accepted": _accepted(stands.accepted, today) if stands.accepted else None,
        "sections": len(form.sections) if form else 0,
        "page_obj": page,
        "rows": [Line(one, states.state(one, today=today), states.until(one)) for one in page],
    }
    return render(request, "kyc/index.html", context)


@require_POST
@asker_required
def start(request: AccountRequest) -> HttpResponse:
    """Begin a questionnaire, renew one, or go on with the one that is there."""
    try:
        made = start_questionnaire(user=request.user, actor=request.membership, now=datetime.now(UTC))
    except NoForm:
        messages.error(request, _("Aucun questionnaire n’est publié pour l’instant."))
        return redirect("kyc")
    if made.state not in EDITABLE:
        return redirect("kyc_questionnaire", made.number)
    return redirect("kyc_section", made.number, 1)


def _accepted(item: KycQuestionnaire, today: date) -> Accepted:
    last = last_day_of(item)
    return Accepted(
        item,
        states.state(item, today=today),
        last,
        is_over=last < today,
        ends_soon=(last - today).days <= max(REMINDERS),
    )
