"""Letters about requests to act for a company: to its administrators, and the answer to who asked."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from django.utils import translation
from django.utils.translation import gettext as _

from gridgate.core.clock import zone_named
from gridgate.notifications import letters
from gridgate.notifications.asking import Told, about, ask, written
from gridgate.notifications.links import link_to
from gridgate.notifications.models import OutgoingEmail
from gridgate.onboarding import events
from gridgate.onboarding.models import JoinRequest
from gridgate.organisations.last_days import last_day
from gridgate.organisations.models import Membership


def tell_administrators(
    *, asked: JoinRequest, administrators: Iterable[Membership], now: datetime, **others: object
) -> None:
    told = {"administrators": [administrator.pk for administrator in administrators]}
    ask("join_asked", f"{asked.pk}", told, now=now)


@written("join_asked")
def letters_of_question(order: OutgoingEmail, told: Told, now: datetime) -> Iterator[OutgoingEmail]:
    """To those of the administrators then who still are."""
    question = _request(order)
    if question is None:
        return
    there = Membership.objects.present().filter(user__is_active=True, role=Membership.Role.ADMINISTRATOR)
    for administrator in there.filter(pk__in=told["administrators"]).select_related("user", "organisation"):
        reader = administrator.user
        yield letters.render(
            "join_asked",
            key=f"{question.pk}:{administrator.pk}",
            email=reader.email,
            language=reader.language,
            facts={
                "asked": question,
                "name": _unlinked(str(question.user), reader.language),
                "message": _unlinked(question.message, reader.language),
                "company": administrator.organisation,
                "page": link_to("join_requests"),
            },
            zone=zone_named(reader.time_zone),
            now=order.created_at,
        )


def tell_asker(*, asked: JoinRequest, until: datetime | None, now: datetime, **others: object) -> None:
    told = {"last_day": last_day(until).isoformat() if until is not None else None}
    ask("join_answered", f"{asked.pk}", told, now=now)


@written("join_answered")
def letter_of_answer(order: OutgoingEmail, told: Told, now: datetime) -> Iterator[OutgoingEmail]:
    answered = _request(order)
    if answered is None or not answered.user.is_active:
        return
    yield letters.render(
        "join_answered",
        key=str(answered.pk),
        email=answered.user.email,
        language=answered.user.language,
        facts={
            "asked": answered,
            "company": answered.organisation,
            "accepted": answered.accepted_at is not None,
            "last_day": date.fromisoformat(told["last_day"]) if told["last_day"] else None,
        },
        now=order.created_at,
    )


def _request(order: OutgoingEmail) -> JoinRequest | None:
    """None once its person's account is deleted."""
    return JoinRequest.objects.select_related("user", "organisation").filter(pk=about(order)).first()


def _unlinked(text: str, language: str) -> str:
    """What a stranger wrote, with nothing in it that a mail program makes a link of."""
    with translation.override(language):
        without = re.sub(r"\S*:/\S*", _("[lien retiré]"), text)
    return re.sub(r"([.@。．｡])(?=\w)", r"\1 ", without)


def connect() -> None:
    """Listen to organisations."""
    events.join_asked.connect(tell_administrators)
    events.join_answered.connect(tell_asker)
