"""Letters about requests to the operator, of every kind: received, to complete, accepted, refused.

Told are whoever asked and, of a company's request, the members who may make requests for it; the operator's desk gets
one letter for each that waits.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from gridgate.notifications import letters
from gridgate.notifications.asking import Told, ask, written
from gridgate.notifications.links import link_to
from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations import rights
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership, Organisation, User
from gridgate.organisations.queries import operator
from gridgate.requests import events
from gridgate.requests.models import OperatorRequest, RequestEvent

TOLD = ("submitted", "returned", "accepted", "refused")
"""The steps that whoever asked is told of; they made the others themselves, or have nothing to do about them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What letters say of a kind of request: what is asked, where its page is, and what accepting it brought."""

    label: Any
    page: Callable[[Any], str]
    result: Callable[[Any], dict[str, Any]] = lambda request: {}


KINDS: dict[str, Kind] = {
    "eic": Kind(
        _("code EIC"),
        lambda request: link_to("eic_request", request.number),
        lambda request: {"code": request.code},
    ),
    "kyc": Kind(
        _("questionnaire client"),
        lambda request: link_to("questionnaire"),
        lambda request: {"valid_until": request.valid_until},
    ),
}
"""By the name of a `RequestKind`."""
OTHER = Kind(_("demande"), lambda request: link_to("home"))


def request_changed(*, request: OperatorRequest, kind: str, verb: str, now: datetime, **_: object) -> None:
    """Ask for letters to whom the step concerns, of what it says now: it may be sent again before they are written."""
    if verb not in TOLD:
        return
    told = {
        "kind": kind,
        "model": request._meta.label_lower,
        "due_at": None if request.due_at is None else request.due_at.isoformat(),
        "reason": request.reason,
    }
    # The same step may come again: returned twice, sent three times.
    step = f"{request.number}:{RequestEvent.objects.filter(number=request.number).count()}"
    ask(f"request_{verb}", step, told, thread=f"request:{request.number}", now=now)


@written(*(f"request_{verb}" for verb in TOLD))
def letters_of_step(order: OutgoingEmail, told: Told, now: datetime) -> Iterator[OutgoingEmail]:
    letter, step = order.key.split(":", 1)
    request = _as_told(step.partition(":")[0], told)
    words = KINDS.get(told["kind"], OTHER)
    facts = {
        "request": request,
        "what": words.label,
        "company": request.organisation,
        "page": words.page(request),
        "desk": link_to("request_on_desk", request.number),
    } | words.result(request)
    given: dict[str, Any] = {"facts": facts, "thread": order.thread, "now": order.created_at}
    for user in askers(request, at=now):
        key = f"{step}:user-{user.pk}"
        yield letters.render(letter, key=key, email=user.email, language=user.language, **given)
    if letter == "request_submitted":
        for name, email, language in _desk():
            yield letters.render(
                "request_waiting", key=f"{step}:{name}", email=email, language=language, **given
            )


def _as_told(number: str, told: Told) -> OperatorRequest:
    request: OperatorRequest = apps.get_model(told["model"])._default_manager.get(number=number)
    request.due_at = None if told["due_at"] is None else datetime.fromisoformat(told["due_at"])
    request.reason = told["reason"]
    return request


def askers(request: OperatorRequest, *, at: datetime) -> list[User]:
    """Nobody who no longer acts for the company, or whose account is closed."""
    company = request.organisation
    if company is None:
        return [request.requester] if request.requester.is_active else []
    present = _present(company)
    may = rights.members_who_may(present, EntitlementCode.REQUESTS, points=None, at=at)
    told = {member.user_id: member.user for member in may}
    told |= {member.user_id: member.user for member in present.filter(user=request.requester_id)}
    return list(told.values())


def _desk() -> Iterator[tuple[str, str, str]]:
    """The operator's own address; without one, its administrators."""
    company = operator()
    if company is None:
        return
    if company.contact_email:
        yield f"company-{company.pk}", company.contact_email, settings.LANGUAGE_CODE
        return
    for member in _present(company).filter(role=Membership.Role.ADMINISTRATOR):
        yield f"user-{member.user_id}", member.user.email, member.user.language


def _present(company: Organisation) -> Any:
    members = company.memberships.present().filter(user__is_active=True)
    return members.select_related("user").order_by("pk")


def connect() -> None:
    """Listen to organisations."""
    events.request_changed.connect(request_changed)
