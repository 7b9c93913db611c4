"""Asking for receipts, in the transaction that ends what they prove.

The transaction that ends something *asks* for its receipt, and nothing more, so that no writer waits and nothing stands
in the way of an end.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.utils.timezone import get_default_timezone

from gridgate.core.references import drawn
from gridgate.core.time import civil_day_of
from gridgate.organisations.queries import operator
from gridgate.sharing.models import Receipt
from gridgate.sharing.receipts.content import Ended, Held, company_said, draft_of

LENGTH = 6
"""Characters of a number that are drawn. Two acts that draw the same at one moment, once in 32⁶, meet the constraint:
one of them is refused whole and asked again.
"""


def ask(ended: Sequence[Ended], *, now: datetime) -> list[Receipt]:
    """Write the receipts of what ended, to be signed after the commit, in the transaction that ends it: each with its
    number, its two sides, and what is known of the end.
    """
    issuer = company_said(operator())
    held = Held(now)
    receipts = Receipt.objects.bulk_create(
        Receipt(
            number=one.number,
            holder=one.permissions[0].holder,
            eligible_party=one.permissions[0].eligible_party,
            issued_at=now,
            payload=draft_of(one, issuer, held),
        )
        for one in ended
    )
    links = Receipt.permissions.through
    links.objects.bulk_create(
        links(receipt_id=receipt.pk, permission_id=permission.pk)
        for receipt, one in zip(receipts, ended, strict=True)
        for permission in one.permissions
    )
    return receipts


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
    fresh: list[str] = []
    while len(fresh) < count:
        drawing = [f"{day}{drawn(LENGTH)}" for _ in range(count - len(fresh))]
        there = set(Receipt.objects.filter(number__in=drawing).values_list("number", flat=True))
        fresh += [number for number in dict.fromkeys(drawing) if number not in there and number not in fresh]
    return fresh
