"""Letters about the end of a customer questionnaire: soon, and come. The request's own steps are in `requests`."""

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from gridgate.notifications import letters
from gridgate.notifications.requests import askers
from gridgate.organisations import events
from gridgate.organisations.models import KycQuestionnaire


def ends_soon(
    *, questionnaire: KycQuestionnaire, last_day: date, step: int, now: datetime, **_: object
) -> None:
    """Once for each step, whatever the worker's rounds."""
    _write("kyc_expires_soon", questionnaire, f":{step}", {"last_day": last_day}, now)


def ended(*, questionnaire: KycQuestionnaire, last_day: date, now: datetime, **_: object) -> None:
    _write("kyc_expired", questionnaire, "", {"last_day": last_day}, now)


def _write(
    letter: str, questionnaire: KycQuestionnaire, step: str, facts: dict[str, Any], now: datetime
) -> None:
    facts |= {
        "request": questionnaire,
        "company": questionnaire.organisation,
        "page": settings.BASE_URL + reverse("kyc"),
    }
    for user in askers(questionnaire, at=now):
        key = f"{questionnaire.number}:{facts['last_day'].isoformat()}{step}:user-{user.pk}"
        letters.write(letter, key=key, email=user.email, language=user.language, facts=facts, now=now)


def connect() -> None:
    """Listen to organisations."""
    events.kyc_ends_soon.connect(ends_soon)
    events.kyc_ended.connect(ended)
