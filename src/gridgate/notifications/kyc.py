"""Letters about the end of a customer questionnaire: soon, and come. The request's own steps are in `requests`."""

from collections.abc import Iterator
from datetime import date, datetime

from gridgate.kyc import events
from gridgate.kyc.models import KycQuestionnaire
from gridgate.notifications import letters
from gridgate.notifications.asking import Told, ask, written
from gridgate.notifications.links import link_to
from gridgate.notifications.models import OutgoingEmail
from gridgate.notifications.requests import askers


def ends_soon(
    *, questionnaire: KycQuestionnaire, last_day: date, step: int, now: datetime, **_: object
) -> None:
    """Once for each step, whatever the worker's rounds."""
    _ask("kyc_expires_soon", questionnaire, last_day, f":{step}", now)


def ended(*, questionnaire: KycQuestionnaire, last_day: date, now: datetime, **_: object) -> None:
    _ask("kyc_expired", questionnaire, last_day, "", now)


def _ask(letter: str, questionnaire: KycQuestionnaire, last_day: date, step: str, now: datetime) -> None:
    day = last_day.isoformat()
    ask(letter, f"{questionnaire.number}:{day}{step}", {"last_day": day}, now=now)


@written("kyc_expires_soon", "kyc_expired")
def letters_of_end(order: OutgoingEmail, told: Told, now: datetime) -> Iterator[OutgoingEmail]:
    letter, what = order.key.split(":", 1)
    questionnaire = KycQuestionnaire.objects.get(number=what.partition(":")[0])
    facts = {
        "last_day": date.fromisoformat(told["last_day"]),
        "request": questionnaire,
        "company": questionnaire.organisation,
        "page": link_to("questionnaire"),
    }
    for user in askers(questionnaire, at=now):
        key = f"{what}:user-{user.pk}"
        yield letters.render(
            letter, key=key, email=user.email, language=user.language, facts=facts, now=order.created_at
        )


def connect() -> None:
    """Listen to organisations."""
    events.kyc_ends_soon.connect(ends_soon)
    events.kyc_ended.connect(ended)
