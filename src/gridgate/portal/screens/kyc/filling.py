"""Filling in a questionnaire, one section a page: whatever is posted is kept first, then what is wrong is shown."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from gridgate.kyc.answers import Answers
from gridgate.kyc.form import FileField, GroupField, Section
from gridgate.kyc.kind import EDITABLE
from gridgate.kyc.models import KycQuestionnaire
from gridgate.kyc.operations.filling import (
    answers_with,
    attach,
    detach,
    save_section,
    section_as_read,
)
from gridgate.kyc.operations.forms import form_of
from gridgate.kyc.queries import questionnaire_of
from gridgate.organisations.as_read import ChangedMeanwhile
from gridgate.organisations.handles import number_of
from gridgate.portal.guards.access import AccountRequest
from gridgate.portal.kit.meanwhile import Meanwhile
from gridgate.portal.screens.eic.access import asker_required
from gridgate.portal.screens.kyc import document_refusals, form_texts, states
from gridgate.portal.screens.kyc.forms import PREFIX, SectionForm, typed_in
from gridgate.portal.screens.kyc.progress import progress_of
from gridgate.portal.screens.kyc.shown import saved_otherwise
from gridgate.portal.screens.kyc.uploads import takes_documents
from gridgate.requests.attachments import AttachmentRefused
from gridgate.requests.operations.life import RequestNotOpen


@takes_documents
@require_http_methods(["GET", "HEAD", "POST"])
@asker_required
def section(request: AccountRequest, number: str, place: int) -> HttpResponse:
    """One section; `place` counts from 1. With `?tout=1` it also says what is still to be answered."""
    item = questionnaire_of(number, user=request.user, actor=request.membership)
    if not 1 <= place <= len(form_of(item).sections):
        raise Http404
    if item.state not in EDITABLE:
        return redirect("kyc_questionnaire", number)
    if request.method != "POST":
        return _page(
            request, item, place, everything="tout" in request.GET, longer=request.GET.get("plus", "")
        )
    try:
        item, refusals = _keep(request, item, place)
    except RequestNotOpen as error:
        messages.error(request, states.refusal(error))
        return redirect("kyc_questionnaire", number)
    except ChangedMeanwhile:
        return _changed_meanwhile(request, number, place)
    where = _where_to(request, item, place)
    if refusals or not where:
        return _page(request, item, place, refusals=refusals)
    return redirect(where)


def _keep(
    request: AccountRequest, item: KycQuestionnaire, place: int
) -> tuple[KycQuestionnaire, dict[str, list[str]]]:
    """Keep what was typed and the documents that will do; returns why others were not joined, by field."""
    section = form_of(item).sections[place - 1]
    who: dict[str, Any] = {"user": request.user, "actor": request.membership}
    now = datetime.now(UTC)
    typed = _without_row(section, typed_in(section, request.POST), request.POST.get("retirer", ""))
    seen = request.POST.get("seen", "")
    item = save_section(questionnaire=item, section=place - 1, typed=typed, seen=seen, now=now, **who)
    gone = number_of("document", request.POST.get("oter", ""))
    if gone is not None:
        detach(questionnaire=item, attachment=gone, **who)
    refusals: dict[str, list[str]] = {}
    for field in section.fields:
        if not isinstance(field, FileField):
            continue
        for sent in request.FILES.getlist(f"{PREFIX}{field.name}"):
            name = sent.name or ""
            try:
                attach(questionnaire=item, field=field.name, name=name, chunks=sent.chunks(), now=now, **who)
            except AttachmentRefused as error:
                told = document_refusals.document_refusal(
                    error, name=name, allowed=field.types, megabytes=settings.ENVIRONMENT.attachment_megabytes
                )
                refusals.setdefault(field.name, []).append(told)
    return item, refusals


def _changed_meanwhile(request: AccountRequest, number: str, place: int) -> HttpResponse:
    """What was saved while the section was open, above what was typed: nothing is kept before that is read."""
    item = questionnaire_of(number, user=request.user, actor=request.membership)
    section = form_of(item).sections[place - 1]
    typed = answers_with(
        item, section=place - 1, typed=typed_in(section, request.POST), now=datetime.now(UTC)
    )
    meanwhile = Meanwhile("", saved_otherwise(item, section, typed), files=bool(request.FILES))
    return _page(request, item, place, typed=typed, meanwhile=meanwhile)


def _without_row(section: Section, typed: dict[str, Any], place: str) -> dict[str, Any]:
    """What was typed, less the row `owners-1`."""
    name, _dash, index = place.rpartition("-")
    rows = typed.get(name)
    groups = {one.name for one in section.fields if isinstance(one, GroupField)}
    if name in groups and isinstance(rows, list) and index.isdecimal():
        typed[name] = [row for number, row in enumerate(rows) if str(number) != index]
    return typed


def _where_to(request: AccountRequest, item: KycQuestionnaire, place: int) -> str:
    """The next page; empty to stay on this one, which then says what is wrong."""
    here = reverse("kyc_section", args=[item.number, place])
    posted, sections = request.POST, form_of(item).sections
    added = posted.get("ajouter", "")
    if added in {one.name for one in sections[place - 1].fields}:
        rows = item.answers.get(added, [])
        return f"{here}?plus={added}#rang-{added}-{len(rows)}"
    if posted.get("retirer"):
        return f"{here}#groupe-{posted['retirer'].rpartition('-')[0]}"
    if posted.get("oter"):
        return f"{here}#documents"
    if posted.get("vers") == "resume":
        return reverse("kyc_questionnaire", args=[item.number])
    if progress_of(item, now=datetime.now(UTC)).steps[place - 1].wrong:
        return ""
    if place == len(sections):
        return reverse("kyc_questionnaire", args=[item.number])
    return reverse("kyc_section", args=[item.number, place + 1])


def _page(
    request: AccountRequest,
    item: KycQuestionnaire,
    place: int,
    *,
    refusals: dict[str, list[str]] | None = None,
    everything: bool = False,
    longer: str = "",
    typed: Answers | None = None,
    meanwhile: Meanwhile | None = None,
) -> HttpResponse:
    """`typed`: what stands in the form instead of what is saved."""
    form = form_of(item)
    section = form.sections[place - 1]
    progress = progress_of(item, now=datetime.now(UTC), current=place)
    shown = [
        fault
        for fault in progress.faults
        if typed is None and fault.section == place - 1 and (everything or not fault.is_missing)
    ]
    drawn = SectionForm(
        form,
        section,
        answers=item.answers if typed is None else typed,
        attachments=item.attachments.present().select_related("questionnaire").order_by("pk"),
        faults=shown,
        refusals=refusals,
        longer=longer,
    )
    context = {
        "item": item,
        "place": place,
        "seen": section_as_read(item, place - 1),
        "meanwhile": meanwhile,
        "title": form_texts.in_language(section.title),
        "help": form_texts.in_language(section.help),
        "form": drawn,
        "problems": list(drawn.problems()),
        "progress": progress,
        "previous": place - 1,
        "is_last": place == len(form.sections),
    }
    return render(request, "kyc/section.html", context, status=409 if meanwhile else 200)
