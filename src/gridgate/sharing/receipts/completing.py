"""Completing receipts right after the end that they prove: what was read is counted, they are signed, their letters are
asked for.

Whoever shows one completes it at once; the worker completes those that a death, or a key that is away, left (ADR 0018).
"""

import hashlib
import logging
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction

from gridgate.audit.changes import RECEIPT, Change, say
from gridgate.audit.operations.progress import require_counted
from gridgate.audit.summaries import ReadsUnder, log_mark, reads_under
from gridgate.audit.verify import snapshot
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import counted
from gridgate.core.unavailability import is_unavailable
from gridgate.organisations.queries import operator
from gridgate.sharing import signing
from gridgate.sharing.events import receipt_signed
from gridgate.sharing.models import Permission, Receipt
from gridgate.sharing.receipts.asking import awaited
from gridgate.sharing.receipts.content import Ended, Held, company_said, draft_of, instant_said, kept_service
from gridgate.sharing.receipts.keys import signing_key
from gridgate.sharing.receipts.past import NotInHistory, as_history_says

AT_ONCE = 100
"""So many receipts are completed before the worker looks at its other work."""
LONGEST_WAIT = timedelta(minutes=10)
"""Between two attempts at one that cannot be completed."""
_log = logging.getLogger(__name__)


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


def complete(receipt: Receipt, *, now: datetime) -> Receipt:
    """Count what was read, sign, keep the receipt, and ask for its letters; one that is signed already, here or by
    another process meanwhile, stays as it is.

    Raises `KeyUnusable`, `NotInHistory`, and `BeingCounted`: then it is still awaited.
    """
    if not receipt.awaited:
        return receipt
    ended = as_history_says(receipt)
    made = copy(receipt)
    made.payload, made.issued_at = _whole(receipt, ended, now), now
    made.jws = signing.sign(made.payload, signing_key())
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
    while batch := list(there.filter(pk__gt=last)[:AT_ONCE]):
        if not tried:
            signing_key()
            require_counted()
        faults = [complete_at_once(receipt, now=now) for receipt in batch]
        for receipt, error in zip(batch, faults, strict=True):
            if error is None:
                put_off.no_more(receipt)
            elif not is_unavailable(error):
                put_off.again(receipt, now)
        tried, last = tried + len(batch), batch[-1].pk
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
        signing_key()
        require_counted()
        as_history_says(receipt)
    except GridgateError as error:
        return error
    except (LookupError, TypeError, ValueError, AttributeError):  # the row is not one that was written here
        return NotInHistory(receipt.number)
    return None


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


def _lawful(receipt: Receipt) -> list[dict[str, str]]:
    """Of what it says to have stayed, that which the law lets stay between these two."""
    kept = receipt.payload["kept"]
    if not kept:
        return []
    given = Permission.objects.filter(holder=receipt.holder_id, eligible_party=receipt.eligible_party_id)
    there = [kept_service(one.service) for one in given.select_related("service") if not one.terminable]
    return [one for one in kept if one in there]


def _whole(receipt: Receipt, ended: Ended, now: datetime) -> dict[str, Any]:
    """What ended, with what was read under the permissions until then, and where the log stands. Raises
    `BeingCounted`.
    """
    sides = {"holder": receipt.holder_id, "reader": receipt.eligible_party_id}
    draft = draft_of(ended, company_said(operator()), Held(ended.ending.effective_at))
    with snapshot():
        require_counted()
        reads = reads_under(**sides, permissions=[one["id"] for one in draft["permissions"]])
        mark = log_mark(**sides)
    never = ReadsUnder()
    permissions = [
        {
            **one,
            "reads": reads.get(one["id"], never).count,
            "last_read_at": instant_said(reads.get(one["id"], never).last_at),
        }
        for one in draft["permissions"]
    ]
    return {
        **draft,
        "issued_at": instant_said(now),
        "permissions": permissions,
        "kept": _lawful(receipt),
        "last_log_head": mark.head,
        "last_log_segment": mark.segment,
    }
