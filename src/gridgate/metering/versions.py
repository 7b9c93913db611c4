"""What a point was and from when: the one place that writes versions.

A value holds from its day up to the next version that is known, which it leaves as it is: a file about the past
does not undo what is known of a later time.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from gridgate.metering.models import PointVersion

Values = Mapping[str, Any]

COLUMNS = (
    "segment",
    "directions",
    "label",
    "address",
    "postcode",
    "city",
    "subscribed_power_kva",
    "meter_type",
)


class Versions:
    """The versions of one point, in order, and which of them have yet to be written."""

    def __init__(self, point_id: str, known: Iterable[PointVersion] = ()) -> None:
        self._point_id = point_id
        self._all = sorted(known, key=_begins)
        self._changed: dict[date, PointVersion] = {}

    def __bool__(self) -> bool:
        """Whether anything is known of the point at all."""
        return bool(self._all)

    def on(self, day: date) -> PointVersion | None:
        """The version of that civil day; None before the first."""
        place = bisect_right(self._all, day, key=_begins)
        return self._all[place - 1] if place else None

    def labels(self, first: date, after: date) -> set[str]:
        """The names that the point had from a civil day up to, not including, another."""
        return {
            version.label
            for version in self._all
            if version.valid_from < after and (version.valid_to is None or version.valid_to > first)
        }

    def say(self, day: date, values: Values) -> dict[str, Any]:
        """From that day the point is this; returns what differs from the version of the day, as it was there.

        Columns that `values` leave out stay as they were that day. Before the first version all must be said, and
        all differ.
        """
        place = bisect_right(self._all, day, key=_begins)
        before = self._all[place - 1] if place else None
        differing = {
            name: None if before is None else getattr(before, name)
            for name, value in values.items()
            if before is None or getattr(before, name) != value
        }
        if not differing:
            return {}
        if before is not None and before.valid_from == day:
            version = before
        else:
            version = PointVersion(metering_point_id=self._point_id, valid_from=day)
            version.valid_to = self._all[place].valid_from if place < len(self._all) else None
            if before is not None:
                for name in COLUMNS:
                    setattr(version, name, getattr(before, name))
                before.valid_to = day
                self._changed[before.valid_from] = before
            self._all.insert(place, version)
        for name, value in values.items():
            setattr(version, name, value)
        version.search_text = version.folded_text()
        self._changed[day] = version
        return differing

    def changed(self) -> list[PointVersion]:
        """What `write` must be given, in order."""
        return [self._changed[day] for day in sorted(self._changed)]


def versions_of(point_ids: Iterable[str]) -> dict[str, Versions]:
    """The versions of these points, in one statement."""
    ids = list(point_ids)
    known: dict[str, list[PointVersion]] = {point_id: [] for point_id in ids}
    for version in PointVersion.objects.filter(metering_point__in=ids):
        known[version.metering_point_id].append(version)
    return {point_id: Versions(point_id, of_point) for point_id, of_point in known.items()}


def write(versions: Iterable[Versions]) -> None:
    """Write what changed, in one statement.

    A version that ends comes before the one that takes its place: a point has one last version at each row.
    """
    changed = [version for of_point in versions for version in of_point.changed()]
    for version in changed:
        version.pk = None  # found again by point and day
    PointVersion.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["metering_point", "valid_from"],
        update_fields=["valid_to", "search_text", *COLUMNS],
    )


def _begins(version: PointVersion) -> date:
    return version.valid_from
