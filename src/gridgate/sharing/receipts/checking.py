"""Checking receipts: each against its signature, where it says that the log stood, and whether it is awaited for long."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gridgate.core.text import counted
from gridgate.sharing import signing
from gridgate.sharing.models import Receipt
from gridgate.sharing.receipts.asking import awaited, signed
from gridgate.sharing.receipts.completing import obstacle
from gridgate.sharing.receipts.content import instant_said

LATE = timedelta(minutes=10)
SHOWN = 3
"""So many of those that are late are named."""


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
        verdict = signing.verify(jws, keys)
        if isinstance(verdict, signing.Invalid):
            yield number, verdict.reason
            continue
        content = verdict.payload
        if (
            content != payload
            or content.get("number") != number
            or content.get("issued_at") != instant_said(issued_at)
        ):
            yield number, "the registry says otherwise than what was signed"
        sides = (content.get("holder", {}).get("siren"), content.get("eligible_party", {}).get("siren"))
        named = {one["id"] for one in content.get("permissions", [])}
        if sides != (holder, party) or named != links.get(pk, set()):
            yield (
                number,
                "the registry gives it to other companies or permissions than those that were signed",
            )
        if content.get("last_log_head"):
            yield (
                number,
                Claim(
                    number,
                    content["last_log_segment"],
                    content["last_log_head"],
                    content.get("last_log_lines"),
                ),
            )


def awaited_receipts(now: datetime) -> Iterator[str]:
    """Those that should have been signed long since: the worker does so within seconds."""
    late = awaited().filter(issued_at__lt=now - LATE)
    if (oldest := late.first()) is None:
        return
    yield (
        f"Not signed yet: {counted(late.count(), 'receipt')} of what ended, the oldest since "
        f"{oldest.issued_at:%Y-%m-%d %H:%M} UTC. The ends hold. `gridgate worker`, which `gridgate serve` runs, "
        "signs them, and says in its log why it cannot."
    )
    yield from dict.fromkeys(str(why) for receipt in late[:SHOWN] if (why := obstacle(receipt)) is not None)
