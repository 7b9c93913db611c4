"""Checking every receipt of the registry against its signature, and where it says that the log stood."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gridgate.sharing import signing
from gridgate.sharing.models import Receipt
from gridgate.sharing.receipts.asking import signed
from gridgate.sharing.receipts.content import instant_said


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
        if (
            said != payload
            or said.get("number") != number
            or said.get("issued_at") != instant_said(issued_at)
        ):
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
