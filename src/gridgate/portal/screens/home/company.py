"""What the home page of a company says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, directions_of
from gridgate.dataplane.client import Latest
from gridgate.metering.queries.points import points_readable_by
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Figure, Task
from gridgate.portal.screens.home.energy import MOST_POINTS, Energy, energy_of, latest_of
from gridgate.portal.screens.home.reads import WITHIN, Read, last_reads
from gridgate.portal.screens.home.tasks import SOON, tasks_of
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.sharing.queries.permissions import (
    count_in_force,
    in_force,
    permissions_given,
    permissions_received,
)


@dataclass(frozen=True, slots=True)
class Overview:
    points: int
    up_to_date: str
    """A sentence; empty when the measurements do not answer."""
    figures: Sequence[Figure]
    energy: Sequence[Energy]
    energy_waits: int
    """How many points are too many to sum their energy unasked; 0 when it is summed."""
    measured: bool
    """False when the measurements do not answer."""
    tasks: Sequence[Task]
    reads: Sequence[Read]
    reads_since: datetime
    """From when on they are told."""
    entitled: bool
    partly: bool
    """True when others decide on the sharing of some of the company's points."""
    received: int
    """Permissions that others gave this company and that are in force."""


def overview_of(*, actor: Membership, moment: Moment, everything: bool) -> Overview:
    """Gather the page. `everything` sums the energy of however many points."""
    mine = partial(points_readable_by, actor=actor, today=moment.today, held=True)
    points = list(mine(service=EntitlementCode.METERS).values_list("pk", flat=True))
    measured = mine(service=EntitlementCode.MEASUREMENTS).values_list("pk", "directions", "held_from")
    held, since = {}, {}
    for point, directions, held_from in measured:
        held[point], since[point] = directions, held_from
    latest = latest_of(since)
    at_once = everything or len(held) <= MOST_POINTS
    energy = _energy(actor, held, moment) if held and at_once and latest is not None else []
    entitled = actor.has(EntitlementCode.DATA_SERVICES)
    given_to = permissions_received(actor=actor)
    received = count_in_force(given_to, soon=moment.now + SOON, now=moment.now)
    return Overview(
        points=len(points),
        up_to_date=_up_to_date(list(held), latest, moment),
        figures=_figures(actor, points, list(held), latest, energy or [], moment, entitled=entitled)
        if points
        else [],
        energy=energy or [],
        energy_waits=len(held) if held and not at_once else 0,
        measured=latest is not None and energy is not None,
        tasks=tasks_of(actor=actor, since=since, latest=latest, received=received, moment=moment),
        reads=last_reads(actor=actor, moment=moment) if entitled else [],
        reads_since=moment.now - WITHIN,
        entitled=entitled,
        partly=not actor.reach(EntitlementCode.DATA_SERVICES).everything,
        received=received.count,
    )


def _energy(actor: Membership, held: Mapping[str, int], moment: Moment) -> list[Energy] | None:
    """One for each direction that some point has; None when the measurements do not answer."""
    drawn = []
    try:
        for direction in FlowDirection:
            points = [point for point, mask in held.items() if direction in directions_of(mask)]
            if points:
                whole = actor.reach(EntitlementCode.MEASUREMENTS).everything and len(points) == len(held)
                drawn.append(
                    energy_of(actor=actor, points=points, whole=whole, direction=direction, moment=moment)
                )
    except GridgateError as error:
        if error.kind is not ErrorKind.UNAVAILABLE:
            raise
        return None
    return drawn


def _figures(
    actor: Membership,
    points: Sequence[str],
    measured: Sequence[str],
    latest: Mapping[str, Latest] | None,
    energy: Sequence[Energy],
    moment: Moment,
    *,
    entitled: bool,
) -> list[Figure]:
    figures = [one.figure for one in energy]
    if energy and energy[0].highest:
        figures.append(energy[0].highest)
    if not energy:
        figures.append(
            Figure(_("Compteurs"), formats.number(len(points)), "", _note(measured, latest, moment))
        )
    if entitled:
        given = in_force(permissions_given(actor=actor), now=moment.now)
        readers = given.filter(eligible_party__is_operator=False).values("eligible_party").distinct().count()
        note = _("et votre gestionnaire de réseau")
        if not actor.reach(EntitlementCode.DATA_SERVICES).everything:
            note = _("les compteurs que vous voyez, et votre gestionnaire de réseau")
        figures.append(Figure(_("Entreprises qui lisent"), formats.number(readers), "", note))
    return figures


def _note(points: Sequence[str], latest: Mapping[str, Latest] | None, moment: Moment) -> str:
    if latest is None or not points:
        return ""
    return _("%(count)s à jour jusqu’à hier soir") % {"count": formats.number(_fresh(points, latest, moment))}


def _up_to_date(points: Sequence[str], latest: Mapping[str, Latest] | None, moment: Moment) -> str:
    if latest is None or not points:
        return ""
    fresh = _fresh(points, latest, moment)
    return ngettext(
        "%(fresh)s compteur sur %(count)s à jour jusqu’à hier soir.",
        "%(fresh)s compteurs sur %(count)s à jour jusqu’à hier soir.",
        fresh,
    ) % {"fresh": formats.number(fresh), "count": formats.number(len(points))}


def _fresh(points: Sequence[str], latest: Mapping[str, Latest], moment: Moment) -> int:
    yesterday = moment.today - timedelta(days=1)
    return sum(1 for point in points if point in latest and latest[point].day >= yesterday)
