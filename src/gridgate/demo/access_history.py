"""Thirty days of reads by those who may: what the journal and the tiles show on the first morning."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np

from gridgate.core.quantities import FlowDirection, Kind, directions_of, kinds_of
from gridgate.dataplane.accesslog import AccessEntry
from gridgate.sharing.models import Permission

DAYS = 30
HABITS = {
    "releve-et-facturation": (1.0, 5),
    "tiers1-suivi": (0.6, 6),
    "tiers2-effacement": (3.0, 14),
    "tiers3-audit": (0.1, 7),
}
"""By service: reads of each point a day, and the hour around which they come."""
UNUSUAL = ("tiers1-suivi", 9, 8)
"""One day on which that service read so many times more: so many days ago."""


def access_history(
    permissions: list[Permission],
    held: dict[int, list[str]],
    clients: dict[str, str],
    at: Callable[..., datetime],
) -> Iterator[AccessEntry]:
    """Plausible reads under each active permission, the same for a given day."""
    for permission in permissions:
        code = permission.service.code
        rate, hour = HABITS.get(code, (0.0, 0))
        draw = np.random.default_rng(sum(map(ord, code)) + permission.holder_id)
        points = [line.metering_point_id for line in permission.points.all()] or held.get(
            permission.holder_id, []
        )
        for days_ago in range(DAYS, 0, -1):
            more = UNUSUAL[2] if code == UNUSUAL[0] and days_ago == UNUSUAL[1] else 1
            for point in points:
                for _ in range(int(draw.poisson(rate * more))):
                    moment = at(days_ago, hour) + timedelta(seconds=int(draw.integers(-3600, 7200)))
                    yield _entry(permission, point, moment, clients, draw)


def _entry(
    permission: Permission, point: str, moment: datetime, clients: dict[str, str], draw: np.random.Generator
) -> AccessEntry:
    kinds = [kind for kind in Kind if kind in kinds_of(permission.kinds)]
    kind = kinds[int(draw.integers(len(kinds)))]
    end = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    days = 7 if kind is Kind.LOAD_CURVE else 30
    per_day = 48 if kind is Kind.LOAD_CURVE else 1
    party = permission.eligible_party
    return AccessEntry(
        at=moment.astimezone(UTC),
        channel="file" if party.is_operator else "api:enedis",
        outcome="granted",
        reader=party.pk,
        reader_name=party.legal_name,
        metering_point=point,
        holder=permission.holder_id,
        kind=kind.value,
        direction=FlowDirection.WITHDRAWAL.value
        if FlowDirection.WITHDRAWAL in directions_of(permission.directions)
        else FlowDirection.INJECTION.value,
        start=(end - timedelta(days=days)).astimezone(UTC),
        end=end.astimezone(UTC),
        application=clients.get(party.legal_name),
        permission=str(permission.pk),
        basis="permission",
        values=days * per_day,
    )
