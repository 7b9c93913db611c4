"""The states that a collection has had, as lines with their dates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from gridgate.metering.models import LoadCurveCollection
from gridgate.organisations.models import Membership
from gridgate.portal.screens.metering_points.rows import Tag, collection


@dataclass(frozen=True, slots=True)
class Past:
    """One state: since when, until when (None for the present one), and who decided."""

    state: Tag
    since: datetime
    until: datetime | None
    by: str


def history(rows: Iterable[LoadCurveCollection], *, actor: Membership, company_since: datetime) -> list[Past]:
    """The states since the company holds the point, the latest first.

    People of another company, and what it decided before, are not named: a new holder has no business with
    them.
    """
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
        if row.until is None or row.until > company_since
    ]


def _who(row: LoadCurveCollection, colleagues: set[int]) -> str:
    if row.changed_by is None:
        return _("le gestionnaire de réseau")
    return row.changed_by.full_name if row.changed_by_id in colleagues else _("le gestionnaire de réseau")
