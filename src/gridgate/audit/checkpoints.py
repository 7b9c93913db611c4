"""What the registry knows of the log's checkpoints, and what they say of the history of rights.

The checkpoints themselves are lines of a file; here they come as plain values.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from gridgate.audit.models import AuditEvent, Checkpoint
from gridgate.core.text import counted


@dataclass(frozen=True, slots=True)
class Signed:
    """One checkpoint of the file."""

    number: int
    at: datetime
    digest: str


def known_checkpoints() -> dict[int, str]:
    """The digest of each checkpoint that the registry knows, by its number."""
    return dict(Checkpoint.objects.order_by("number").values_list("number", "digest"))


def differing(*, known: Mapping[int, str], there: Collection[Signed]) -> Iterator[tuple[int, str]]:
    """Where the file's checkpoints are not those that the registry knows: number, and what is wrong.

    That the registry does not know the newest one yet is no difference: it is told of it right after the file.
    """
    digests = {signed.number: signed.digest for signed in there}
    newest = max(digests, default=0)
    for number in sorted(known.keys() | digests.keys()):
        if number not in digests:
            yield number, "the registry knows this checkpoint, and it is not there"
        elif number not in known:
            if number != newest:
                yield number, "the registry does not know this checkpoint"
        elif known[number] != digests[number]:
            yield number, "the registry knows another checkpoint of this number"


def remember(there: Sequence[Signed]) -> None:
    """Write those that are newer than what the registry knows. Call it in a transaction."""
    last = Checkpoint.objects.order_by("-number").values_list("number", flat=True).first() or 0
    Checkpoint.objects.bulk_create(
        Checkpoint(number=signed.number, at=signed.at, digest=signed.digest)
        for signed in there
        if signed.number > last
    )


def rights_head() -> dict[str, Any]:
    """How far the history of rights goes: how many events, the number of the last one, and its hash."""
    with transaction.atomic():
        last = AuditEvent.objects.order_by("-pk").only("hash").first()
        if last is None:
            return {"events": 0, "last": 0, "head": ""}
        return {"events": AuditEvent.objects.count(), "last": last.pk, "head": last.hash}


def rights_contradicted(heads: Iterable[tuple[int, Mapping[str, Any]]]) -> Iterator[str]:
    """Where the history of rights is not what checkpoints say of it: their number, and what `rights_head` gave them.

    One pass over the events, whatever the number of checkpoints.
    """
    heads = list(heads)
    wanted = {head["last"] for _, head in heads}
    there = {
        pk: (count, digest)
        for count, (pk, digest) in enumerate(
            AuditEvent.objects.order_by("pk").values_list("pk", "hash").iterator(), start=1
        )
        if pk in wanted
    }
    for number, head in heads:
        if not head["events"]:
            continue
        count, digest = there.get(head["last"], (0, None))
        claim = f"history of rights: checkpoint {number} says that it had {counted(head['events'], 'change')}"
        if digest is None:
            yield f"{claim}, the last of them {head['last']}, which is missing"
        elif digest != head["head"]:
            yield f"{claim}, and change {head['last']} was another one"
        elif count != head["events"]:
            yield f"{claim} up to {head['last']}, and there are {count}"
