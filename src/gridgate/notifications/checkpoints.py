"""Copies of the access log's checkpoints, for whoever keeps them away from the machine that signs them."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from gridgate.notifications import letters


def send_copies(
    addresses: Iterable[str], *, line: str, number: int, at: datetime, digest: str, now: datetime
) -> None:
    """Queue a checkpoint's line for each address, once; call it in the transaction that remembers the checkpoint.

    Another checkpoint of the same number is another letter: it is what the copies are kept for.
    """
    for address in addresses:
        letters.write(
            "checkpoint_copy",
            key=f"{number}:{digest[:16]}:{address}",
            email=address,
            language=settings.LANGUAGE_CODE[:2],
            facts={"number": number, "at": at},
            attachment=(f"checkpoint-{number}.jsonl", f"{line}\n"),
            now=now,
        )
