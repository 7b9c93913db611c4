"""A request for a code on the operator's desk: what is asked, what the register has, the code that would be issued."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from gridgate.eic.asked import EicAsked, faults_of
from gridgate.eic.codes import code_of
from gridgate.eic.form import eic_form
from gridgate.eic.kind import EIC
from gridgate.eic.models import EicCode, EicRequest
from gridgate.eic.operations.issuing import accept_eic_request, propose_body
from gridgate.eic.queries import similar_codes
from gridgate.organisations.models import Membership
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import LineField
from gridgate.portal.request_kinds import DESK, DeskKind
from gridgate.portal.screens.eic import code_faults, naming
from gridgate.portal.screens.eic.asking import rows_of
from gridgate.requests.models import RequestState

TREATED = (RequestState.SUBMITTED, RequestState.IN_REVIEW)


class BodyForm(forms.Form):
    """The characters that the office chooses."""

    use_required_attribute = False
    body = LineField(
        label=gettext_lazy("Les 12 caractères du code"),
        error_messages={"required": gettext_lazy("Donnez 12 caractères.")},
        help_text=gettext_lazy(
            "Chiffres, capitales et tirets. Le bureau et le type viennent devant, la clé calculée derrière."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )


def declare() -> None:
    """Put the kind on the desk, once however often this screen is loaded."""
    if all(one.kind is not EIC for one in DESK):
        DESK.append(
            DeskKind(
                kind=EIC,
                label=gettext_lazy("Attribuer un code EIC"),
                template="eic/desk.html",
                context=context,
                accept=accept,
                says=code_faults.refusal,
            )
        )


def context(item: EicRequest, posted: QueryDict | None) -> Mapping[str, Any]:
    """What the page shows; `posted` is the form that was not accepted."""
    close = similar_codes(EicCode.objects.exclude(pk=item.code_id), item.display_name, item.long_name)
    decided = item.state not in TREATED
    typed = "" if posted is None else posted.get("body", "")
    body = "" if decided else typed or propose_body(item)
    made = code_of(settings.ENVIRONMENT.eic_office, item.type, body)
    form = BodyForm(posted if posted is not None and "body" in posted else None, initial={"body": body})
    if posted is not None and not made.valid:
        form.add_error("body", code_faults.body_fault(made))
    return {
        "eic_type": naming.type_name(item.type),
        "eic_type_help": naming.TYPES[item.type],
        "eic_answers": eic_form().answers(item.details),
        "eic_close": rows_of(close),
        "eic_faults": [] if decided else _faults(item),
        "eic_form": form,
        "eic_proposed": made.code if made.valid else "",
        "eic_decided": decided,
    }


def accept(item: EicRequest, posted: QueryDict, actor: Membership, now: datetime) -> None:
    """Issue the code of the characters chosen. Raises `GridgateError`."""
    accept_eic_request(
        request=item, body=posted.get("body", ""), seen=posted.get("seen", ""), actor=actor, now=now
    )


def _faults(item: EicRequest) -> list[str]:
    """What has changed since it was sent: a display name taken meanwhile, a form that asks more."""
    return [
        formats.said(naming.field_name(mistake.where), code_faults.wrong(mistake))
        for mistake in faults_of(EicAsked.of(item))
    ]
