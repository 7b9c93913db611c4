"""What metering tells, and what follows for permissions and their lines, in the same transaction."""

from datetime import datetime

from django.db import transaction

from gridgate.metering.models import LoadCurveCollection
from gridgate.organisations.models import Membership
from gridgate.sharing.operations.ending import invalidate_opposed
from gridgate.sharing.operations.moving_out import invalidate_for_moved_out
from gridgate.sharing.projection import project_titles


def follow_titles(*, point_ids: list[str], now: datetime, **_: object) -> None:
    """Lines follow the titles; permissions end on points that their holder has left."""
    with transaction.atomic():
        invalidate_for_moved_out(now=now, point_ids=point_ids)
        project_titles(point_ids)


def follow_collection(
    *, point_ids: list[str], state: str, now: datetime, actor: Membership | None, **_: object
) -> None:
    """An opposition takes the load curve from permissions, and ends those that cover nothing else."""
    with transaction.atomic():
        if state == LoadCurveCollection.State.OPPOSED:
            invalidate_opposed(point_ids=point_ids, actor=actor, now=now)
        project_titles(point_ids)
