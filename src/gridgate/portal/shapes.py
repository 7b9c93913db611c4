"""Plain values that views give to components: a figure, a step, a filter in force."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the large figures: `Figure(_("Énergie soutirée"), "16 683", "kWh", _("4,1 % de moins"))`; `tone`
    colours it (bad, warn).
    """

    label: str
    value: str
    unit: str = ""
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of a long life; `state` is "done", "current" or ""."""

    label: str
    note: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter in force: what it says, and the address without it."""

    label: str
    without: str


def filters_in_force(request: HttpRequest, labels: dict[str, str]) -> list[Filter]:
    """The removable tags above a table: `labels` says how each query parameter in force reads, in order."""
    return [
        Filter(label, _without(request.GET, name)) for name, label in labels.items() if request.GET.get(name)
    ]


def _without(query: QueryDict, name: str) -> str:
    kept = [(key, value) for key, values in query.lists() for value in values if key not in (name, "page")]
    return "?" + urlencode(kept)
