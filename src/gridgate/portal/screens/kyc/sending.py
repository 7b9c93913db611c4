"""The whole questionnaire: what is missing, sending it, what became of it, taking it back."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gridgate.accounts.models import SensitiveAct
from gridgate.kyc.kind import EDITABLE, KYC
from gridgate.kyc.models import KycQuestionnaire
from gridgate.kyc.operations.sending import (
    QuestionnaireIncomplete,
    submit_questionnaire,
    withdraw_questionnaire,
)
from gridgate.kyc.queries import questionnaire_of
from gridgate.portal.guards.access import AccountRequest
from gridgate.portal.guards.step_up import step_up_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Step
from gridgate.portal.screens.eic.access import asker_required
from gridgate.portal.screens.kyc import states
from gridgate.portal.screens.kyc.progress import progress_of
from gridgate.portal.screens.kyc.shown import sections_of
from gridgate.requests.kinds import RequestChanged
from gridgate.requests.models import TO_TREAT, RequestEvent, RequestState
from gridgate.requests.operations.life import RequestNotOpen, events_of

UNDECIDED = (*EDITABLE, *TO_TREAT)


@require_safe
@asker_required
def questionnaire(request: AccountRequest, number: str) -> HttpResponse:
    """What was answered; before it is sent, also what is missing, with the way there."""
    return _page(request, _own(request, number))


def _page(
    request: AccountRequest, item: KycQuestionnaire, *, changed: bool = False, status: int = 200
) -> HttpResponse:
    now = datetime.now(UTC)
    context = {
        "item": item,
        "state": states.state(item, today=states.today(now)),
        "sections": sections_of(item, documents=item.attachments.present()),
        "editable": item.state in EDITABLE,
        "undecided": item.state in UNDECIDED,
        "progress": progress_of(item, now=now) if item.state in EDITABLE else None,
        "steps": steps_of(item),
        "last_day": states.until(item),
        "changed": changed,
        "seen": KYC.fingerprint(item) if item.state in EDITABLE else "",
    }
    return render(request, "kyc/questionnaire.html", context, status=status)


@require_POST
@asker_required
@step_up_required(SensitiveAct.REQUEST)
def submit(request: AccountRequest, number: str) -> HttpResponse:
    """Send it to the operator."""
    item = _own(request, number)
    try:
        sent = submit_questionnaire(questionnaire=item, seen=request.POST.get("seen", ""), **_who(request))
    except RequestChanged:
        return _page(request, _own(request, number), changed=True, status=409)
    except QuestionnaireIncomplete:
        messages.error(request, _("Le questionnaire n’est pas envoyé : il manque des réponses."))
    except RequestNotOpen as error:
        messages.error(request, states.refusal(error))
    else:
        messages.success(
            request,
            _("Le questionnaire %(number)s est envoyé. Réponse au plus tard le %(day)s, par e-mail.")
            % {"number": sent.number, "day": formats.long_day(sent.due_at)},
        )
    return redirect("kyc_questionnaire", number)


@require_http_methods(["GET", "HEAD", "POST"])
@asker_required
def withdraw(request: AccountRequest, number: str) -> HttpResponse:
    """Take it back while it is undecided."""
    item = _own(request, number)
    if request.method == "POST":
        try:
            withdraw_questionnaire(questionnaire=item, **_who(request))
        except RequestNotOpen as error:
            messages.error(request, states.refusal(error))
            return redirect("kyc_questionnaire", number)
        messages.success(request, _("Le questionnaire %(number)s est retiré.") % {"number": number})
        return redirect("kyc")
    if item.state not in UNDECIDED:
        return redirect("kyc_questionnaire", number)
    return render(request, "kyc/withdraw.html", {"item": item, "received": item.submitted_at is not None})


def steps_of(item: KycQuestionnaire) -> list[Step]:
    """Its life so far, and what comes next."""
    steps = [Step(_("Commencé"), formats.moment(item.created_at), "done")]
    steps += [_step(one) for one in events_of(item)]
    if item.state == RequestState.DRAFT or item.state == RequestState.RETURNED:
        steps.append(Step(_("Envoi"), _("quand tout est rempli"), "current"))
    elif item.state in TO_TREAT:
        due = _("au plus tard le %(day)s") % {"day": formats.long_day(item.due_at)}
        steps.append(Step(_("Décision"), due, "current"))
    elif item.state == RequestState.ACCEPTED:
        last = states.until(item)
        steps.append(Step(_("Fin de validité"), formats.long_day(last), "current"))
    return steps


def _step(one: RequestEvent) -> Step:
    who = _("par le gestionnaire de réseau") if one.by_operator else _("par %(name)s") % {"name": one.user}
    return Step(states.event(one.state), f"{formats.moment(one.at)}, {who}", "done")


def _own(request: AccountRequest, number: str) -> KycQuestionnaire:
    return questionnaire_of(number, user=request.user, actor=request.membership)


def _who(request: AccountRequest) -> dict[str, Any]:
    return {"user": request.user, "actor": request.membership, "now": datetime.now(UTC)}
