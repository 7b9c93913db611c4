"""Sharing out the work of the desk: taking the next request, or several at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import Membership
from gridgate.requests.desk import (
    NOBODY,
    TO_DO,
    DeskFilter,
    desk_rows,
    followed_by_nobody,
)
from gridgate.requests.kinds import RequestKind
from gridgate.requests.models import OperatorRequest
from gridgate.requests.operations.life import RequestNotOpen, take

_TRIED = 20
"""Colleagues who press at the same moment take different requests; so many of them."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the requests that somebody wanted: `passed_over` were decided, returned or gone meanwhile."""

    taken: list[str]
    passed_over: list[str]


def take_next(
    *, kinds: Sequence[RequestKind[Any]], actor: Membership, now: datetime
) -> OperatorRequest | None:
    """Follow the most urgent request that nobody follows; None when there is none. Raises `NotAllowed`."""
    require_operator(actor)
    by_prefix = {kind.prefix: kind for kind in kinds}
    wanted = DeskFilter(state=TO_DO, followed=NOBODY)
    with transaction.atomic():
        for row in desk_rows(kinds=kinds, wanted=wanted, actor=actor, now=now)[:_TRIED]:
            kind = by_prefix[row.prefix]
            locked = kind.model._default_manager.select_for_update(of=("self",))
            free = locked.filter(followed_by_nobody(), number=row.number).first()
            if free is not None:
                taken: OperatorRequest = take(kind, free, actor=actor, now=now)
                return taken
    return None


def take_several(
    *, numbers: Iterable[str], kinds: Sequence[RequestKind[Any]], actor: Membership, now: datetime
) -> Taken:
    """Follow these requests from now on, whoever followed them. Raises `NotAllowed`."""
    require_operator(actor)
    wanted = list(dict.fromkeys(numbers))
    taken: list[str] = []
    with transaction.atomic():
        for kind in kinds:
            for request in kind.for_desk(actor=actor).filter(number__in=wanted).order_by("number"):
                try:
                    if request.followed_by_id != actor.pk:
                        take(kind, request, actor=actor, now=now)
                except RequestNotOpen:
                    continue
                taken.append(request.number)
    return Taken(taken, [number for number in wanted if number not in taken])
