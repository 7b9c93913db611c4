"""Which company holds a point, and held it when."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Exists, F, OuterRef, Q

from gridgate.metering.models import PointAsHeld, TitleHolding
from gridgate.organisations.models import Membership


@dataclass(frozen=True, slots=True)
class HeldTime:
    """Days of a company's title on a point, from `first` up to, not including, `after` (None while open), through which
    one power was subscribed: None when it is not known.
    """

    first: date
    after: date | None
    subscribed_power_kva: Decimal | None


def held_times(*, actor: Membership, point_id: str) -> list[HeldTime]:
    """The company's own days on a point, those of every title, in the order of time. For a point whose readability was
    decided already. One statement.
    """
    faces = PointAsHeld.objects.filter(holder=actor.organisation_id, metering_point=point_id)
    its_time = faces.exclude(shown_to__lte=F("held_from")).order_by("shown_from")
    times = []
    for shown_from, shown_to, held_from, held_to, power in its_time.values_list(
        "shown_from", "shown_to", "held_from", "held_to", "version__subscribed_power_kva"
    ):
        first = max(shown_from, held_from)
        ends = [day for day in (shown_to, held_to) if day is not None]
        after = min(ends) if ends else None
        if after is None or first < after:
            times.append(HeldTime(first, after, power))
    return times


def own_titles(*, actor: Membership, point_id: str) -> list[tuple[date, date | None]]:
    """The times for which the actor's company held, holds or will hold a point: of each its first day, and the first day
    after it (None while open), in the order of time. For a point whose readability was decided already.
    """
    titles = TitleHolding.objects.filter(holder=actor.organisation_id, metering_point=point_id)
    times: list[tuple[date, date | None]] = []
    for first, after in titles.order_by("valid_from").values_list("valid_from", "valid_to"):
        if times and times[-1][1] == first:
            first = times.pop()[0]
        times.append((first, after))
    return times


def times_of_points_held_again(*, actor: Membership) -> dict[str, list[tuple[date, date | None]]]:
    """The points on which the actor's company has several titles, with the time of each: its first day, and the first day
    after it (None while open), in the order of time. For points whose readability was decided already. One statement.
    """
    titles = TitleHolding.objects.filter(holder=actor.organisation_id)
    others = titles.filter(metering_point=OuterRef("metering_point")).exclude(pk=OuterRef("pk"))
    again = titles.filter(Exists(others)).order_by("metering_point", "valid_from")
    times: dict[str, list[tuple[date, date | None]]] = {}
    for point, first, after in again.values_list("metering_point", "valid_from", "valid_to"):
        times.setdefault(point, []).append((first, after))
    return times


def held_on(day: date) -> Q:
    """Titles that hold on the civil day: begun, and ending after it if at all."""
    return lasts(day, "valid_from", "valid_to")


def still_held(today: date) -> Q:
    """Points that carry a title, as those of `points_readable_by`, which holds on the civil day."""
    return lasts(today, "held_from", "held_to")


def lasts(day: date, first: str, after: str) -> Q:
    return Q(**{f"{first}__lte": day}) & (Q(**{f"{after}__isnull": True}) | Q(**{f"{after}__gt": day}))
