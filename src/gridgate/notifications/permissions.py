"""Notices about permissions and the requests for them: asked for in the transaction of what they tell, written after it.

Each goes to both sides, to every person in their language: at the holder's, the members who may manage the
data services (those restricted to a perimeter only when it covers all that the notice speaks of); at the
eligible party's, its administrators. A company without such a member is told at its contact address.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.timezone import get_default_timezone, localdate

from gridgate.core.sharing import PermissionState
from gridgate.notifications.asking import Told, about, ask, written
from gridgate.notifications.letters import LONGEST_SUBJECT, enqueue
from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations import rights
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership, Organisation
from gridgate.organisations.queries import operator
from gridgate.sharing.history import Reason
from gridgate.sharing.models import Permission, PermissionEvent, PermissionRequest, Receipt
from gridgate.sharing.operations.extending import obstacle_to_extending

NAMED_POINTS = 20
"""More are counted: the receipt names all of them."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a notice: an address, a language, and a name that tells copies apart."""

    key: str
    email: str
    language: str
    is_holder: bool


def tell_of_request(request: PermissionRequest, *, now: datetime) -> None:
    """An eligible party asks: the holder decides."""
    ask("requested", f"{request.pk}", thread=_thread(request), now=now)


@written("requested")
def letters_of_request(order: OutgoingEmail, told: Told, now: datetime) -> Iterable[OutgoingEmail]:
    request = _request(order)
    points = None if request.all_points else list(request.points.values_list("pk", flat=True))
    return _emails_asked(order, holders(request.holder, points, at=now), _asked_facts(request))


def tell_of_refusal(request: PermissionRequest, *, now: datetime) -> None:
    """The holder said no: the eligible party is told."""
    ask("refused", f"{request.pk}", thread=_thread(request), now=now)


@written("refused")
def letters_of_refusal(order: OutgoingEmail, told: Told, now: datetime) -> Iterable[OutgoingEmail]:
    request = _request(order)
    return _emails_asked(order, parties(request.eligible_party), _asked_facts(request))


def _request(order: OutgoingEmail) -> PermissionRequest:
    requests = PermissionRequest.objects.select_related("service", "holder", "eligible_party")
    return requests.get(pk=about(order))


def _asked_facts(request: PermissionRequest) -> dict[str, Any]:
    return {
        "request": request,
        "service": request.service,
        "holder": request.holder,
        "party": request.eligible_party,
    }


def tell_of_change(name: str, permission: Permission, *, now: datetime) -> None:
    """A permission was `granted`, `extended`, `suspended` or `resumed`: both sides are told."""
    ends = permission.valid_until
    told = {"valid_until": None if ends is None else ends.isoformat()}
    ask(name, f"{permission.pk}:{permission.events.count()}", told, thread=_thread(permission), now=now)


@written("granted", "extended", "suspended", "resumed")
def letters_of_change(order: OutgoingEmail, told: Told, now: datetime) -> Iterable[OutgoingEmail]:
    """Each says what the permission was then."""
    permissions = Permission.objects.select_related("service", "holder", "eligible_party")
    permission = permissions.get(pk=about(order).partition(":")[0])
    ends = told["valid_until"]
    permission.valid_until = None if ends is None else datetime.fromisoformat(ends)
    return _emails_asked(order, _both(permission, at=now), _facts(permission))


def tell_of_end(receipt: Receipt, *, now: datetime) -> None:
    """Permissions ended, and their receipt is signed: both sides are told."""
    ask("ended", receipt.number, thread=_thread(receipt), now=now)


@written("ended")
def letters_of_end(order: OutgoingEmail, told: Told, now: datetime) -> Iterable[OutgoingEmail]:
    """Both sides hold the receipt, attached. After a move-out: which points went, and what goes on."""
    receipt = Receipt.objects.select_related("holder", "eligible_party").get(number=about(order))
    events = PermissionEvent.objects.filter(permission__receipts=receipt, details__receipt=receipt.number)
    goes_on = not any(PermissionState(state).ended for state in events.values_list("state", flat=True))
    facts: dict[str, Any] = {
        "receipt": receipt,
        "said": receipt.payload,
        "lost_points": goes_on,
        "holder": receipt.holder,
        "party": receipt.eligible_party,
    }
    points = _points_ended(receipt)
    if receipt.payload["reason"] == Reason.MOVE_OUT:
        facts |= _points_left(receipt.permissions.get(), points or [], goes_on=goes_on)
    readers = [*holders(receipt.holder, points, at=now), *parties(receipt.eligible_party)]
    return _emails_asked(order, readers, facts, attachment=receipt)


def _points_ended(receipt: Receipt) -> list[str] | None:
    """What ended; None when some of the permissions covered all points."""
    named = [one["points"] for one in receipt.payload["permissions"]]
    return None if "all" in named else sorted(set().union(*named))


def _points_left(permission: Permission, points: list[str], *, goes_on: bool) -> dict[str, Any]:
    """Which points its holder left, and on which day each; and what the permission still covers."""
    rows = permission.points_left.filter(metering_point__in=points[:NAMED_POINTS]).order_by("left_on")
    days = dict(rows.values_list("metering_point_id", "left_on"))
    return {
        "left": sorted(days.items()),
        "left_more": len(points) - len(days),
        "goes_on": goes_on,
        "on_all": permission.all_points,
        "others": permission.points.count(),
    }


def remind_of_end(permission: Permission, *, last_day: date, step: int, now: datetime) -> int:
    """A permission ends soon: both sides are told, once for each `step`."""
    what = f"{permission.pk}:{last_day.isoformat()}:{step}"
    facts = {**_facts(permission), "extendable": obstacle_to_extending(permission, now) is None}
    readers = _both(permission, at=now)
    return enqueue(list(_emails("reminder", what, readers, facts, thread=_thread(permission), now=now)))


def holders(holder: Organisation, points: Iterable[str] | None, *, at: datetime) -> list[Reader]:
    """The holder's members who may decide on all of these points (None: on all that it holds)."""
    members = rights.members_who_may(_present(holder), EntitlementCode.DATA_SERVICES, points=points, at=at)
    readers = [_reader(member, is_holder=True) for member in members]
    return readers or _address_of(holder, is_holder=True)


def parties(party: Organisation) -> list[Reader]:
    """The eligible party's administrators."""
    members = _present(party).filter(role=Membership.Role.ADMINISTRATOR)
    return [_reader(member, is_holder=False) for member in members] or _address_of(party, is_holder=False)


def _thread(between: Permission | PermissionRequest | Receipt) -> str:
    """What these two share: its letters keep their order, whichever permissions and receipts they name."""
    return f"sharing:{between.holder_id}:{between.eligible_party_id}"


def _emails_asked(
    order: OutgoingEmail,
    readers: Iterable[Reader],
    facts: Mapping[str, Any],
    *,
    attachment: Receipt | None = None,
) -> Iterator[OutgoingEmail]:
    notice, _, what = order.key.partition(":")
    return _emails(
        notice, what, readers, facts, attachment=attachment, thread=order.thread, now=order.created_at
    )


def _emails(
    notice: str,
    what: str,
    readers: Iterable[Reader],
    facts: Mapping[str, Any],
    *,
    attachment: Receipt | None = None,
    thread: str,
    now: datetime,
) -> Iterator[OutgoingEmail]:
    context = {**facts, "operator": operator(), "base_url": settings.BASE_URL}
    for reader in readers:
        with translation.override(reader.language), timezone.override(None):
            words = {**context, **_words(facts), "to_holder": reader.is_holder}
            text = render_to_string(f"notifications/{notice}.txt", words)
        subject, _, body = text.strip().partition("\n")
        yield OutgoingEmail(
            key=f"{notice}:{what}:{reader.key}",
            thread=thread,
            recipient=reader.email,
            language=reader.language,
            subject=subject.strip()[:LONGEST_SUBJECT],
            body=f"{body.strip()}\n",
            attachment_name=f"{attachment.number}.jws" if attachment else "",
            attachment=attachment.jws if attachment else "",
            created_at=now,
            due_at=now,
        )


def _both(permission: Permission, *, at: datetime) -> list[Reader]:
    named = permission.points.values_list("metering_point_id", flat=True)
    points = None if permission.all_points else list(named)
    return [*holders(permission.holder, points, at=at), *parties(permission.eligible_party)]


def _words(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the facts are called in the language of the moment."""
    words: dict[str, Any] = {}
    if "service" in facts:
        words["service_name"] = facts["service"].text("name")
    if "permission" in facts:
        words["purpose"] = facts["permission"].text("purpose")
    if "said" in facts:
        payload, english = facts["said"], translation.get_language() == "en"
        words["effective_at"] = datetime.fromisoformat(payload["effective_at"])
        words["ended"], words["kept"] = payload["permissions"], payload["kept"]
        if english:
            words["ended"] = [{**one, "service": one["service_en"]} for one in payload["permissions"]]
            words["kept"] = [
                {**one, "service": one["service_en"], "legal_reference": one["legal_reference_en"]}
                for one in payload["kept"]
            ]
    return words


def _facts(permission: Permission) -> dict[str, Any]:
    ends = permission.valid_until
    return {
        "permission": permission,
        "service": permission.service,
        "holder": permission.holder,
        "party": permission.eligible_party,
        "last_day": None
        if ends is None
        else localdate(ends - timedelta(microseconds=1), get_default_timezone()),
    }


def _present(organisation: Organisation) -> QuerySet[Membership]:
    members = organisation.memberships.present().filter(user__is_active=True)
    return members.select_related("user").order_by("pk")


def _reader(member: Membership, *, is_holder: bool) -> Reader:
    return Reader(f"user-{member.user_id}", member.user.email, member.user.language, is_holder)


def _address_of(organisation: Organisation, *, is_holder: bool) -> list[Reader]:
    if not organisation.contact_email:
        return []
    return [
        Reader(f"company-{organisation.pk}", organisation.contact_email, settings.LANGUAGE_CODE, is_holder)
    ]
