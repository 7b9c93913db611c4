"""Receipts: what ended, signed by the operator, so that both sides can prove it to anyone without asking us.

The transaction that ends something *asks* for its receipt, and nothing more, so that no writer waits and nothing stands
in the way of an end. It is *completed* right after: what was read is counted, it is signed, its letters are asked for.
Whoever shows it does so at once; the worker completes those that a death, or a key that is away, left (ADR 0018).

The key is made with the instance (`keys/receipts.pem`); `public_jwks()` is what the portal publishes at
`/.well-known/gridgate-receipts.json`. `docs/2-integrating/permissions.md` says how to verify one with other
tools.
"""

import hashlib
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils.timezone import get_default_timezone

from gridgate.audit.changes import RECEIPT, Change, say
from gridgate.audit.operations.progress import require_counted
from gridgate.audit.summaries import ReadsUnder, log_mark, reads_under
from gridgate.audit.verify import snapshot
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind, directions_of, kinds_of
from gridgate.core.references import drawn
from gridgate.core.sharing import PermissionState
from gridgate.core.text import counted
from gridgate.core.time import Resolution, civil_day_of
from gridgate.core.unavailability import is_unavailable
from gridgate.metering.models import TitleHolding
from gridgate.metering.queries import held_on
from gridgate.organisations.models import Organisation
from gridgate.organisations.queries import operator
from gridgate.sharing import signing
from gridgate.sharing.events import receipt_signed
from gridgate.sharing.history import By, replay
from gridgate.sharing.models import DataService, Permission, PermissionEvent, Receipt

LENGTH = 6
"""Characters of a number that are drawn. Two acts that draw the same at one moment, once in 32⁶, meet the constraint:
one of them is refused whole and asked again.
"""
AT_ONCE = 100
"""So many receipts are completed before the worker looks at its other work."""

LONGEST_WAIT = timedelta(minutes=10)
"""Between two attempts at one that cannot be completed."""

_ACTS = {
    PermissionState.REVOKED: "revoke",
    PermissionState.TERMINATED: "terminate",
    PermissionState.EXPIRED: "expire",
}
_log = logging.getLogger(__name__)


class NotInHistory(GridgateError):
    """What asks for a receipt says otherwise than the events of its permissions."""

    def __init__(self, number: str) -> None:
        super().__init__(
            ErrorKind.CONFLICT,
            f"receipt {number} is asked for what the history of its permissions does not say, so it is not signed",
            remedy="Somebody changed the registry by other means: run gridgate audit verify and gridgate check.",
        )


class NoneCompleted(GridgateError):
    """Of the receipts that are awaited, none can be completed for now."""

    def __init__(self, count: int, cause: Exception | None) -> None:
        self.passing = is_unavailable(cause)
        """Whether what stands in the way is nobody's mistake and passes by itself."""
        super().__init__(
            ErrorKind.UNAVAILABLE,
            f"{counted(count, 'receipt')} of what ended cannot be signed yet: {cause!r}",
            remedy="The ends hold; they are signed as soon as that is mended.",
        )


@dataclass(frozen=True, slots=True)
class Ending:
    """What a receipt is about: which act, by whom, since when."""

    act: str
    """`revoke` (the holder), `terminate` (the eligible party), `expire` (time), `invalidate` (an event)."""
    by: By
    effective_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """What one receipt proves: permissions that one holder gave one company, and that ended or lost points by one act."""

    number: str
    permissions: Sequence[Permission]
    points: Mapping[UUID, Collection[str]]
    """Which points ended, by permission; one on all points is absent."""
    ending: Ending
    kept: Sequence[Permission] = ()


def ask(ended: Sequence[Ended], *, now: datetime) -> list[Receipt]:
    """Write the receipts of what ended, to be signed after the commit, in the transaction that ends it: each with its
    number, its two sides, and what is known of the end.
    """
    issuer = _company(operator())
    held = _Held(now)
    asked = Receipt.objects.bulk_create(
        Receipt(
            number=one.number,
            holder=one.permissions[0].holder,
            eligible_party=one.permissions[0].eligible_party,
            issued_at=now,
            payload=_draft(one, issuer, held),
        )
        for one in ended
    )
    links = Receipt.permissions.through
    links.objects.bulk_create(
        links(receipt_id=receipt.pk, permission_id=permission.pk)
        for receipt, one in zip(asked, ended, strict=True)
        for permission in one.permissions
    )
    return asked


def complete(receipt: Receipt, *, now: datetime) -> Receipt:
    """Count what was read, sign, keep the receipt, and ask for its letters; one that is signed already, here or by
    another process meanwhile, stays as it is.

    Raises `KeyUnusable`, `NotInHistory`, and `BeingCounted`: then it is still awaited.
    """
    if not receipt.awaited:
        return receipt
    ended = _as_history_says(receipt)
    made = copy(receipt)
    made.payload, made.issued_at = _whole(receipt, ended, now), now
    made.jws = signing.sign(made.payload, _key())
    with transaction.atomic():
        here = Receipt.objects.filter(pk=receipt.pk, jws="")
        if here.update(payload=made.payload, issued_at=made.issued_at, jws=made.jws):
            receipt_signed.send(Receipt, receipt=made, now=now)
            say(change_of(made))
            return made
    receipt.refresh_from_db()
    return receipt


def complete_at_once(receipt: Receipt, *, now: datetime) -> Exception | None:
    """Complete it if that can be done now: the end holds, and whoever ended it is answered, whatever stands in the way.
    That is told in the log, left to the worker, and returned.
    """
    try:
        complete(receipt, now=now)
    except Exception as error:  # noqa: BLE001 -- the same
        if isinstance(error, GridgateError | DatabaseError | OSError):
            _log.error("receipt %s is not signed yet: %s", receipt.number, error)
        else:
            _log.exception("receipt %s is not signed yet", receipt.number)
        return error
    return None


@dataclass(slots=True)
class PutOff:
    """What one process remembers of receipts that could not be completed, for what is wrong with them: each is tried
    again later each time.
    """

    _tries: dict[int, int] = field(default_factory=dict)
    _due: dict[int, datetime] = field(default_factory=dict)

    def waiting(self, now: datetime) -> list[int]:
        """Those whose time has not come; nor one whose time is far, as a clock that was put back says."""
        return [pk for pk, due in self._due.items() if now < due <= now + LONGEST_WAIT]

    def again(self, receipt: Receipt, now: datetime) -> None:
        tries = self._tries[receipt.pk] = self._tries.get(receipt.pk, 0) + 1
        self._due[receipt.pk] = now + min(timedelta(seconds=2 ** min(tries, 20)), LONGEST_WAIT)

    def no_more(self, receipt: Receipt) -> None:
        self._tries.pop(receipt.pk, None)
        self._due.pop(receipt.pk, None)


def complete_awaited(*, now: datetime, put_off: PutOff | None = None) -> int:
    """Complete the receipts that are awaited, the oldest first, but for those that are `put_off`; returns how many it
    found.

    Those that cannot be completed do not hold up the others, however many they are. Raises what stands in the way of
    all, `KeyUnusable` and `BeingCounted`, having tried none, and `NoneCompleted`.
    """
    put_off = put_off or PutOff()
    there = awaited().exclude(pk__in=put_off.waiting(now))
    tried, last = 0, 0
    fault: Exception | None = None
    while found := list(there.filter(pk__gt=last)[:AT_ONCE]):
        if not tried:
            _key()
            require_counted()
        faults = [complete_at_once(receipt, now=now) for receipt in found]
        for receipt, error in zip(found, faults, strict=True):
            if error is None:
                put_off.no_more(receipt)
            elif not is_unavailable(error):
                put_off.again(receipt, now)
        tried, last = tried + len(found), found[-1].pk
        fault = fault or faults[0]
        if not all(faults):
            return tried
        if any(map(is_unavailable, faults)):  # which the others would meet too
            break
    if tried:
        raise NoneCompleted(tried, fault)
    return 0


def obstacle(receipt: Receipt) -> GridgateError | None:
    """What keeps an awaited receipt from being signed, as far as that can be said without doing so."""
    try:
        _key()
        require_counted()
        _as_history_says(receipt)
    except GridgateError as error:
        return error
    except (LookupError, TypeError, ValueError, AttributeError):  # the row is not one that was written here
        return NotInHistory(receipt.number)
    return None


def awaited() -> QuerySet[Receipt]:
    """The receipts that are not signed yet, the oldest first."""
    return Receipt.objects.filter(jws="").select_related("holder", "eligible_party").order_by("pk")


def signed() -> QuerySet[Receipt]:
    return Receipt.objects.exclude(jws="")


def numbers(count: int, now: datetime) -> list[str]:
    """So many new numbers, such as `GG-20261125-K7Q4M2`: the civil day, and characters that count nothing
    (`core.references`).
    """
    day = f"GG-{civil_day_of(now, get_default_timezone()):%Y%m%d}-"
    found: list[str] = []
    while len(found) < count:
        drawing = [f"{day}{drawn(LENGTH)}" for _ in range(count - len(found))]
        there = set(Receipt.objects.filter(number__in=drawing).values_list("number", flat=True))
        found += [number for number in dict.fromkeys(drawing) if number not in there and number not in found]
    return found


def change_of(receipt: Receipt) -> Change:
    """The receipt as the chained log says it: whole, as it was signed."""
    says = {
        "holder": receipt.holder_id,
        "eligible_party": receipt.eligible_party_id,
        "permissions": [one["id"] for one in receipt.payload.get("permissions", [])],
        "at": receipt.issued_at.astimezone(UTC).isoformat(),
        "jws": receipt.jws,
    }
    told = f"{receipt.holder_id} {receipt.eligible_party_id} {receipt.jws}"
    return Change(RECEIPT, receipt.number, hashlib.sha256(told.encode()).hexdigest(), says)


def public_jwks() -> dict[str, Any]:
    """The JWK set with which receipts verify: the present key and the former ones."""
    return signing.jwks(public_keys())


def public_keys() -> list[Ed25519PublicKey]:
    """The keys that receipts may be signed with. Raises `KeyUnusable`."""
    _key()
    return signing.load_public_keys(settings.ENVIRONMENT.receipt_key)


def verify(token: str) -> signing.Valid | signing.Invalid:
    """Check a receipt with the instance's own keys."""
    return signing.verify(token, public_keys())


@dataclass(frozen=True, slots=True)
class Claim:
    """Where a receipt says that a segment of the log stood."""

    number: str
    segment: str
    head: str
    lines: int | None
    """After how many lines; None in those that keep it to themselves."""


def checked(keys: Sequence[Ed25519PublicKey]) -> Iterator[tuple[str, str | Claim]]:
    """Every signed receipt, by its number: what is wrong with it, and where it says that the log stood."""
    links: dict[int, set[str]] = {}
    for receipt, permission in Receipt.permissions.through.objects.values_list("receipt_id", "permission_id"):
        links.setdefault(receipt, set()).add(str(permission))
    rows = (
        signed()
        .order_by("pk")
        .values_list("pk", "number", "issued_at", "payload", "jws", "holder__siren", "eligible_party__siren")
    )
    for pk, number, issued_at, payload, jws, holder, party in rows.iterator():
        found = signing.verify(jws, keys)
        if isinstance(found, signing.Invalid):
            yield number, found.reason
            continue
        said = found.payload
        if said != payload or said.get("number") != number or said.get("issued_at") != _instant(issued_at):
            yield number, "the registry says otherwise than what was signed"
        sides = (said.get("holder", {}).get("siren"), said.get("eligible_party", {}).get("siren"))
        named = {one["id"] for one in said.get("permissions", [])}
        if sides != (holder, party) or named != links.get(pk, set()):
            yield (
                number,
                "the registry gives it to other companies or permissions than those that were signed",
            )
        if said.get("last_log_head"):
            yield (
                number,
                Claim(number, said["last_log_segment"], said["last_log_head"], said.get("last_log_lines")),
            )


def _key() -> Ed25519PrivateKey:
    path = settings.ENVIRONMENT.receipt_key
    # An instance has its key from `init`: one that is gone is put back, not made anew.
    if not path.exists() and not settings.ENVIRONMENT.registry.exists() and not signed().exists():
        signing.make_key(path)
    return signing.load_private_key(path)


class _Held:
    """How many points each holder held on the day of the end, asked once."""

    def __init__(self, now: datetime) -> None:
        self._day = civil_day_of(now, get_default_timezone())
        self._counts: dict[int, int] = {}

    def by(self, holder: int) -> int:
        if holder not in self._counts:
            self._counts[holder] = TitleHolding.objects.filter(held_on(self._day), holder=holder).count()
        return self._counts[holder]


def _draft(ended: Ended, issuer: dict[str, str], held: _Held) -> dict[str, Any]:
    """What a receipt says already when its end is written."""
    ending = ended.ending
    return {
        "number": ended.number,
        "issued_at": None,
        "operator": issuer,
        "holder": _company(ended.permissions[0].holder),
        "eligible_party": _company(ended.permissions[0].eligible_party),
        "actor": {"name": ending.by.name},
        "act": ending.act,
        "reason": ending.reason,
        "effective_at": _instant(ending.effective_at),
        "permissions": [
            _permission(permission, ended.points.get(permission.pk), held) for permission in ended.permissions
        ],
        "kept": [_kept(permission.service) for permission in ended.kept],
        "last_log_head": "",
        "last_log_segment": "",
    }


def _as_history_says(receipt: Receipt) -> Ended:
    """What ended, from the events of its permissions and not from the row that asks for the receipt, which anybody who
    may write into the registry can make or change. Raises `NotInHistory` when it asks for anything else.
    """
    draft = receipt.payload
    events = PermissionEvent.objects.filter(
        permission__receipts=receipt,
        permission__holder=receipt.holder_id,
        permission__eligible_party=receipt.eligible_party_id,
        details__receipt=receipt.number,
    )
    last = {event.permission_id: event for event in events}
    happened = {
        (
            str(one.permission_id),
            act_of(PermissionState(one.state)),
            _instant(one.at),
            one.actor_name,
            one.reason,
        )
        for one in events
    }
    by, reason = draft["actor"]["name"][:200], draft["reason"][:300]
    said = {(one["id"], draft["act"], draft["effective_at"], by, reason) for one in draft["permissions"]}
    if draft["number"] != receipt.number or not said or said != happened:
        raise NotInHistory(receipt.number)
    replayed = _replayed(last, receipt.number)
    ids = [UUID(one) for one in dict.fromkeys(one["id"] for one in draft["permissions"])]
    permissions, points = [], {}
    for pk in ids:
        permission, named = replayed[pk]
        if (permission.holder_id, permission.eligible_party_id) != (
            receipt.holder_id,
            receipt.eligible_party_id,
        ):
            raise NotInHistory(receipt.number)
        permission.holder, permission.eligible_party = receipt.holder, receipt.eligible_party
        permissions.append(permission)
        if "left_on" in last[pk].details or not permission.all_points:
            points[pk] = last[pk].details.get("left_on", {}) or named
    first = last[ids[0]]
    ending = Ending(draft["act"], By(first.actor_id, first.actor_name), first.at, first.reason)
    return Ended(receipt.number, permissions, points, ending)


def _replayed(last: Mapping[UUID, PermissionEvent], number: str) -> dict[UUID, tuple[Permission, set[str]]]:
    """Permissions, and the points that they named, as these events left them. Raises `NotInHistory` where the events do
    not say all of a permission: its first one is not as it was written.
    """
    past: dict[UUID, list[PermissionEvent]] = {pk: [] for pk in last}
    for event in PermissionEvent.objects.filter(permission__in=list(last)).order_by("permission", "sequence"):
        if event.sequence <= last[event.permission_id].sequence:
            past[event.permission_id].append(event)
    found = {pk: replay(events) for pk, events in past.items()}
    services = DataService.objects.in_bulk({permission.service_id for permission, _points in found.values()})
    for permission, _points in found.values():
        if permission.service_id not in services:
            raise NotInHistory(number)
        permission.service = services[permission.service_id]
    return found


def _lawful(receipt: Receipt) -> list[dict[str, str]]:
    """Of what it says to have stayed, that which the law lets stay between these two."""
    said = receipt.payload["kept"]
    if not said:
        return []
    given = Permission.objects.filter(holder=receipt.holder_id, eligible_party=receipt.eligible_party_id)
    there = [_kept(one.service) for one in given.select_related("service") if not one.terminable]
    return [one for one in said if one in there]


def act_of(state: PermissionState) -> str:
    """What an event into this state is called on a receipt."""
    return _ACTS.get(state, "invalidate")


def _whole(receipt: Receipt, ended: Ended, now: datetime) -> dict[str, Any]:
    """What ended, with what was read under the permissions until then, and where the log stands. Raises
    `BeingCounted`.
    """
    sides = {"holder": receipt.holder_id, "reader": receipt.eligible_party_id}
    draft = _draft(ended, _company(operator()), _Held(ended.ending.effective_at))
    with snapshot():
        require_counted()
        reads = reads_under(**sides, permissions=[one["id"] for one in draft["permissions"]])
        mark = log_mark(**sides)
    never = ReadsUnder()
    permissions = [
        {
            **one,
            "reads": reads.get(one["id"], never).count,
            "last_read_at": _instant(reads.get(one["id"], never).last_at),
        }
        for one in draft["permissions"]
    ]
    return {
        **draft,
        "issued_at": _instant(now),
        "permissions": permissions,
        "kept": _lawful(receipt),
        "last_log_head": mark.head,
        "last_log_segment": mark.segment,
    }


def _permission(permission: Permission, points: Collection[str] | None, held: _Held) -> dict[str, Any]:
    kinds, directions = kinds_of(permission.kinds), directions_of(permission.directions)
    return {
        "id": str(permission.pk),
        "service": permission.service.name,
        "service_en": permission.service.name_en,
        "purpose": permission.purpose,
        "purpose_en": permission.purpose_en,
        "legal_basis": permission.legal_basis,
        "kinds": [kind.value for kind in Kind if kind in kinds],
        "directions": [direction.value for direction in FlowDirection if direction in directions],
        "resolution": _finest(permission.finest_resolution),
        "points": "all" if points is None else sorted(points),
        "points_count": held.by(permission.holder_id) if points is None else len(points),
        "since": _instant(permission.valid_from),
        "until": _instant(permission.valid_until),
        "delete_by": permission.delete_by.isoformat() if permission.delete_by else None,
        "reads": 0,
        "last_read_at": None,
    }


def _finest(seconds: int) -> str | None:
    """The finest step that could be read, in ISO 8601; None for that of the meter."""
    return Resolution.of_seconds(seconds).iso if seconds else None


def _kept(service: DataService) -> dict[str, str]:
    return {
        "service": service.name,
        "service_en": service.name_en,
        "legal_basis": service.legal_basis,
        "legal_reference": service.legal_reference,
        "legal_reference_en": service.legal_reference_en,
        "contact_email": service.contact_email,
        "contact_url": service.contact_url,
    }


def _company(organisation: Organisation | None) -> dict[str, str]:
    if organisation is None:
        return {"name": "", "siren": ""}
    return {"name": organisation.legal_name, "siren": organisation.siren}


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
