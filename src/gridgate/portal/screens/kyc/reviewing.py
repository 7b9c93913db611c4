"""The questionnaire on the operator's desk: answers by section, what changed since the last one, documents."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy

from gridgate.kyc.kind import KYC
from gridgate.kyc.models import KycQuestionnaire
from gridgate.kyc.operations.sending import accept_questionnaire, end_of_validity
from gridgate.kyc.queries import accepted_before
from gridgate.organisations.models import Membership
from gridgate.portal.request_kinds import DESK, DeskKind, desk_kind
from gridgate.portal.screens.kyc import states
from gridgate.portal.screens.kyc.shown import sections_of
from gridgate.requests.models import TO_TREAT


def context(item: KycQuestionnaire, posted: QueryDict | None) -> Mapping[str, Any]:
    """What the template of the request's page needs."""
    previous = accepted_before(item)
    sections = sections_of(item, documents=item.attachments.sent(), previous=previous)
    now = datetime.now(UTC)
    return {
        "sections": sections,
        "previous": previous,
        "previous_until": states.until(previous) if previous else None,
        "changes": sum(section.changes for section in sections),
        "version": item.form.version,
        "would_end": states.today(end_of_validity(now, item.form.months_valid))
        if item.state in TO_TREAT
        else None,
        "last_day": states.until(item),
    }


def accept(item: KycQuestionnaire, posted: QueryDict, actor: Membership, now: datetime) -> None:
    """The acceptance asks nothing more: the end follows from the version."""
    accept_questionnaire(questionnaire=item, seen=posted.get("seen", ""), actor=actor, now=now)


def declare() -> None:
    """Put the questionnaire on the desk, once."""
    if desk_kind(f"{KYC.prefix}-") is None:
        DESK.append(
            DeskKind(
                kind=KYC,
                label=gettext_lazy("Questionnaire client"),
                template="kyc/desk.html",
                accept=accept,
                context=context,
                says=states.refusal,
            )
        )
