"""What a company's own people and programs looked at, one row a day for each."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from gridgate.audit.lines import GRANTED, instant_of
from gridgate.audit.queries.sums import sums_of
from gridgate.audit.queries.wanted import Actor, Wanted

_VISIT = ("user", "user_name", "application", "channel", "kind", "direction")


class Visits:
    """The company's own entries that match, put together: one row for what a person or a program looked at by one way
    on one civil day, the latest first. A page of the portal that shows twelve points is twelve entries.
    """

    def __init__(self, actor: Actor, wanted: Wanted) -> None:
        self._actor, self._wanted = actor, replace(wanted, own=True)

    def count(self) -> int:
        return self._rows().count()

    __len__ = count

    def __getitem__(self, place: slice) -> list[dict[str, Any]]:
        rows = [
            {key.removeprefix("facet__"): value for key, value in row.items()} for row in self._rows()[place]
        ]
        points = self._points({row["day"] for row in rows})
        for row in rows:
            row["first_at"], row["last_at"] = instant_of(row["begins"]), instant_of(row["ends"])
            row["points"], row["point"] = points[_visit(row)]
        return rows

    def _rows(self) -> QuerySet[Any, Any]:
        granted = Q(facet__outcome=GRANTED)
        visits = sums_of(self._actor, self._wanted).values("day", *(f"facet__{name}" for name in _VISIT))
        rows: QuerySet[Any, Any] = visits.annotate(
            read=Coalesce(Sum("entries", filter=granted), 0),
            refused=Coalesce(Sum("entries", filter=~granted), 0),
            begins=Min("first"),
            ends=Max("last"),
            received=Sum("values"),
        ).order_by("-day", "-ends", "facet__kind", "facet__direction")
        return rows

    def _points(self, days: Collection[date]) -> dict[tuple[object, ...], tuple[int, str]]:
        """How many points each visit of these days was to, and the least of them."""
        found = sums_of(self._actor, self._wanted, by_point=True).filter(day__in=days)
        rows = found.values_list("day", *(f"facet__{name}" for name in _VISIT)).annotate(
            points=Count("metering_point_id", distinct=True), point=Min("metering_point_id")
        )
        return {tuple(row[:-2]): (row[-2], row[-1]) for row in rows}


def _visit(row: Mapping[str, Any]) -> tuple[object, ...]:
    return (row["day"], *(row[name] for name in _VISIT))


def own_visits(*, actor: Actor, wanted: Wanted) -> Visits:
    return Visits(actor, wanted)
