"""What time does to accepted questionnaires: reminders, and their end."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.timezone import get_default_timezone

from gridgate.audit.events import Subject, record
from gridgate.core.time import civil_day_of
from gridgate.kyc.events import kyc_ended, kyc_ends_soon
from gridgate.kyc.models import KycQuestionnaire
from gridgate.requests.models import TO_TREAT, RequestState

REMINDERS = (60, 30, 7)
"""Days before the end of a questionnaire."""


def last_day_of(questionnaire: KycQuestionnaire) -> date:
    """The last civil day on which an accepted questionnaire is valid."""
    assert questionnaire.valid_until is not None
    return today(questionnaire.valid_until)


def tell_of_ends(*, now: datetime) -> int:
    """Remind of the questionnaires that end in 60, 30 and 7 days, and tell of those that have ended; each once.

    One that was replaced by a newer one ends in silence, and none is reminded of while its renewal is with the
    operator. Returns how many were told of.
    """
    told = 0
    for pk in [row.pk for row in _untold(now) if _step_due(row, now) is not None]:
        with transaction.atomic():
            row = _untold(now).select_for_update(of=("self",)).filter(pk=pk).first()
            step = None if row is None else _step_due(row, now)
            if row is not None and step is not None:
                told += _tell(row, step, now)
    return told


def _untold(now: datetime) -> QuerySet[KycQuestionnaire]:
    soon = now + timedelta(days=max(REMINDERS) + 1)
    untold = Q(reminded_at=None) | Q(reminded_at__lt=F("valid_until"))
    return (
        KycQuestionnaire.objects.filter(untold, state=RequestState.ACCEPTED, valid_until__lte=soon)
        .select_related("organisation", "requester", "form")
        .order_by("valid_until", "pk")
    )


def _step_due(row: KycQuestionnaire, now: datetime) -> int | None:
    """The reminder that is due, by its days; 0 for the end itself; None when its turn is not, or was told already."""
    assert row.valid_until is not None
    if row.valid_until <= now:
        return 0
    last = last_day_of(row)
    due = [step for step in REMINDERS if (last - today(now)).days <= step]
    since = row.reminded_at or row.decided_at
    begun = since is not None and (last - today(since)).days <= due[-1] if due else True
    return None if begun else due[-1]


def _tell(row: KycQuestionnaire, step: int, now: datetime) -> bool:
    same = KycQuestionnaire.objects.filter(organisation=row.organisation_id)
    if row.organisation_id is None:
        same = same.filter(requester=row.requester_id)
    replaced = same.filter(state=RequestState.ACCEPTED, decided_at__gt=row.decided_at).exists()
    if step and not replaced and same.filter(state__in=TO_TREAT).exists():
        return False
    row.reminded_at = now
    row.save(update_fields=["reminded_at"])
    if replaced:
        return False
    last = last_day_of(row)
    if step:
        kyc_ends_soon.send(KycQuestionnaire, questionnaire=row, last_day=last, step=step, now=now)
        return True
    record(
        "kyc.expired",
        subject=Subject("kyc", str(row.pk), row.number),
        organisation=row.organisation_id,
        after={"last_day": last.isoformat()},
        now=now,
    )
    kyc_ended.send(KycQuestionnaire, questionnaire=row, last_day=last, now=now)
    return True


def today(instant: datetime) -> date:
    return civil_day_of(instant, get_default_timezone())
