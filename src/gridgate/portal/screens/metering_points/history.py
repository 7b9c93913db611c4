"""The states that a collection has had, as lines with their dates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from gridgate.metering.models import LoadCurveCollection
from gridgate.organisations.models import Membership
from gridgate.portal.kit.shapes import Tag
from gridgate.portal.screens.metering_points.rows import collection


@dataclass(frozen=True, slots=True)
class Past:
    """One state: since when, until when (None for the present one), and who decided."""

    state: Tag
    since: datetime
    until: datetime | None
    by: str


def history(rows: Iterable[LoadCurveCollection], *, actor: Membership) -> list[Past]:
    """The states under the actor's company, in the order of the rows. People of the operator are not named."""
    colleagues = set(
        Membership.objects.filter(organisation=actor.organisation_id).values_list("user_id", flat=True)
    )
    return [
        Past(
            state=collection(row.state),
            since=row.since,
            until=row.until,
            by=_who(row, colleagues),
        )
        for row in rows
    ]


def _who(row: LoadCurveCollection, colleagues: set[int]) -> str:
    if row.changed_by is not None and row.changed_by_id in colleagues:
        return row.changed_by.full_name
    return _("le gestionnaire de réseau")
