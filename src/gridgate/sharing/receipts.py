"""Receipts: what ended, signed by the operator, so that both sides can prove it to anyone without asking us.

The key is made with the instance (`keys/receipts.pem`); `public_jwks()` is what the portal publishes at
`/.well-known/gridgate-receipts.json`. `docs/2-integrating/permissions.md` says how to verify one with other
tools.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.utils.timezone import get_default_timezone

from gridgate.audit.changes import RECEIPT, Change, say
from gridgate.audit.summaries import ReadsUnder, log_mark, reads_under
from gridgate.core.quantities import FlowDirection, Kind, directions_of, kinds_of
from gridgate.core.references import drawn
from gridgate.core.time import Resolution, civil_day_of
from gridgate.metering.models import TitleHolding
from gridgate.metering.queries import held_on
from gridgate.organisations.models import Organisation
from gridgate.organisations.queries import operator
from gridgate.sharing import signing
from gridgate.sharing.history import By
from gridgate.sharing.models import DataService, Permission, Receipt

LENGTH = 6
"""Characters of a number that are drawn. Two acts that draw the same at one moment, once in 32⁶, meet the constraint:
one of them is refused whole and asked again.
"""


@dataclass(frozen=True, slots=True)
class Ending:
    """What a receipt is about: which act, by whom, since when."""

    act: str
    """`revoke` (the holder), `terminate` (the eligible party), `expire` (time), `invalidate` (an event)."""
    by: By
    effective_at: datetime
    reason: str = ""


def issue(
    *,
    permissions: Sequence[Permission],
    points: Mapping[UUID, Collection[str]],
    kept: Sequence[Permission] = (),
    ending: Ending,
    now: datetime,
) -> Receipt:
    """Sign and keep the receipt of permissions that one holder gave one company, in the transaction that
    ends them.

    `points` says which points ended, by permission; a permission on all points is absent from it. Raises
    `KeyUnusable`: then nothing ends either.
    """
    holder, party = permissions[0].holder, permissions[0].eligible_party
    number = _free_number(now)
    payload = _payload(number, permissions, points, kept, ending, now)
    receipt = Receipt.objects.create(
        number=number,
        holder=holder,
        eligible_party=party,
        issued_at=now,
        payload=payload,
        jws=signing.sign(payload, _key()),
    )
    receipt.permissions.set(permissions)
    say(change_of(receipt))
    return receipt


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
    """Every receipt kept, by its number: what is wrong with it, and where it says that the log stood."""
    links: dict[int, set[str]] = {}
    for receipt, permission in Receipt.permissions.through.objects.values_list("receipt_id", "permission_id"):
        links.setdefault(receipt, set()).add(str(permission))
    rows = Receipt.objects.order_by("pk").values_list(
        "pk", "number", "issued_at", "payload", "jws", "holder__siren", "eligible_party__siren"
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
    if not path.exists() and not settings.ENVIRONMENT.registry.exists() and not Receipt.objects.exists():
        signing.make_key(path)
    return signing.load_private_key(path)


def _free_number(now: datetime) -> str:
    """`GG-20261125-K7Q4M2`: the civil day, and characters that count nothing (`core.references`)."""
    day = f"GG-{civil_day_of(now, get_default_timezone()):%Y%m%d}-"
    number = f"{day}{drawn(LENGTH)}"
    while Receipt.objects.filter(number=number).exists():
        number = f"{day}{drawn(LENGTH)}"
    return number


def _payload(
    number: str,
    permissions: Sequence[Permission],
    points: Mapping[UUID, Collection[str]],
    kept: Sequence[Permission],
    ending: Ending,
    now: datetime,
) -> dict[str, Any]:
    holder, party = permissions[0].holder, permissions[0].eligible_party
    ids = [str(permission.pk) for permission in permissions]
    reads = reads_under(holder=holder.pk, reader=party.pk, permissions=ids)
    mark = log_mark(holder=holder.pk, reader=party.pk)
    return {
        "number": number,
        "issued_at": _instant(now),
        "operator": _company(operator()),
        "holder": _company(holder),
        "eligible_party": _company(party),
        "actor": {"name": ending.by.name},
        "act": ending.act,
        "reason": ending.reason,
        "effective_at": _instant(ending.effective_at),
        "permissions": [
            _permission(
                permission, points.get(permission.pk), reads.get(str(permission.pk), ReadsUnder()), now
            )
            for permission in permissions
        ],
        "kept": [_kept(permission.service) for permission in kept],
        "last_log_head": mark.head,
        "last_log_segment": mark.segment,
    }


def _permission(
    permission: Permission, points: Collection[str] | None, reads: ReadsUnder, now: datetime
) -> dict[str, Any]:
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
        "points_count": _count_held(permission.holder, now) if points is None else len(points),
        "since": _instant(permission.valid_from),
        "until": _instant(permission.valid_until),
        "delete_by": permission.delete_by.isoformat() if permission.delete_by else None,
        "reads": reads.count,
        "last_read_at": _instant(reads.last_at),
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


def _count_held(holder: Organisation, now: datetime) -> int:
    today = civil_day_of(now, get_default_timezone())
    return TitleHolding.objects.filter(held_on(today), holder=holder).count()


def _company(organisation: Organisation | None) -> dict[str, str]:
    if organisation is None:
        return {"name": "", "siren": ""}
    return {"name": organisation.legal_name, "siren": organisation.siren}


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
