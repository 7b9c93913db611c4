"""The one way to end permissions, whoever or whatever ends them.

It is one transaction: events, access lines, and the receipt that is asked for, all of them or none. From the commit on,
the data plane refuses. The receipt is signed and sent right after (`sharing.receipts`): an end waits neither for what
was read before, nor for a key or a letter.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from gridgate.core.sharing import PermissionState
from gridgate.metering.chunks import chunks
from gridgate.sharing import history
from gridgate.sharing.history import Entry, Step
from gridgate.sharing.models import Permission, PermissionPoint, Receipt
from gridgate.sharing.projection import project_permissions, project_titles
from gridgate.sharing.receipts import asking
from gridgate.sharing.receipts.content import Ended, Ending

_log = logging.getLogger(__name__)
IN_FORCE = (PermissionState.ACTIVE, PermissionState.SUSPENDED)
BATCH = 100
"""So many permissions are ended in one transaction: nobody waits long for the registry, however many end."""


@dataclass(frozen=True, slots=True)
class Act:
    """What one receipt proves: permissions of one holder to one company that end together."""

    permissions: Sequence[Permission]
    state: PermissionState
    ending: Ending
    kept: Sequence[Permission] = ()
    left: Mapping[str, date] = field(default_factory=dict)
    """When only some points are lost to their one permission: the days on which its holder left them."""

    def entries(self, number: str) -> Iterator[Entry]:
        details: dict[str, Any] = {}
        if self.left:
            details["left_on"] = {point: day.isoformat() for point, day in self.left.items()}
        if self.goes_on:
            details["points_lost"] = list(self.left)
        ending = self.ending
        step = Step(self.state, ending.effective_at, ending.by, ending.reason, number)
        return (Entry(permission, step, details) for permission in self.permissions)

    @property
    def goes_on(self) -> bool:
        return not self.state.ended


def end_all(
    acts: Sequence[Act], now: datetime, points: Mapping[UUID, Collection[str]] | None = None
) -> list[Receipt]:
    """End, take the lines away, ask for a receipt of each: in as many statements for a batch as for one.

    `points` are those that the permissions name, where they are known.
    """
    numbers = asking.numbers(len(acts), now)
    history.append_all(
        [entry for act, number in zip(acts, numbers, strict=True) for entry in act.entries(number)]
    )
    project_permissions(one for act in acts if not act.goes_on for one in act.permissions)
    # What goes on loses the lines on some points only.
    project_titles(dict.fromkeys(point for act in acts if act.goes_on for point in act.left))
    whole = [permission for act in acts if not act.left for permission in act.permissions]
    named = dict(points) if points is not None else points_of(whole)
    named |= {act.permissions[0].pk: list(act.left) for act in acts if act.left}
    proofs = [
        Ended(
            number,
            act.permissions,
            {one.pk: named[one.pk] for one in act.permissions if one.pk in named},
            act.ending,
            act.kept,
        )
        for act, number in zip(acts, numbers, strict=True)
    ]
    return asking.ask(proofs, now=now)


def permissions_to_end() -> QuerySet[Permission]:
    """Permissions with all that a receipt says, locked until the transaction is over."""
    rows = Permission.objects.select_for_update(of=("self",))
    return rows.select_related("service", "holder", "eligible_party").order_by("valid_from", "pk")


def lasting(rows: QuerySet[Permission], now: datetime) -> QuerySet[Permission]:
    """Those in force at that instant; one whose time is over has ended, written or not."""
    return rows.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now), state__in=IN_FORCE)


def points_of(permissions: Sequence[Permission]) -> dict[UUID, list[str]]:
    """The points that each names; one on all points is absent."""
    points: dict[UUID, list[str]] = {one.pk: [] for one in permissions if not one.all_points}
    rows = PermissionPoint.objects.filter(permission__in=list(points)).order_by(
        "permission", "metering_point"
    )
    for permission, point in rows.values_list("permission", "metering_point"):
        points[permission].append(point)
    return points


def in_batches(ids: Iterable[UUID], act: Callable[[list[UUID]], int], *, strict: bool = False) -> int:
    """Act on batches; of one that fails each is tried by itself, and what fails then is logged and does not hold up the
    others, unless `strict`.
    """
    done = 0
    for some in chunks(list(ids), BATCH):
        try:
            done += act(some)
        except Exception:
            if strict:
                raise
            done += sum(_by_itself(pk, act) for pk in some)
    return done


def _by_itself(permission_id: UUID, act: Callable[[list[UUID]], int]) -> int:
    try:
        return act([permission_id])
    except Exception:  # noqa: BLE001 -- one that cannot end holds up no other
        _log.exception("permission %s could not be ended", permission_id)
        return 0
