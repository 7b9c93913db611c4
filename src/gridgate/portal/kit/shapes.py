"""Plain values that views give to components: a figure, a step, a tag, a filter in force."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
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
class Tag:
    """A state in a word or two, as `{% tag %}` draws it; without `icon`, with that of its tone."""

    tone: str
    text: str
    icon: str | None = None


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


@dataclass(frozen=True, slots=True)
class Task:
    """One line of *À faire*: what, the detail, and the link with its hidden end."""

    icon: str
    title: str
    detail: str
    url: str
    link: str
    about: str
    due: datetime | None = None
    """By when; None for what nothing hurries."""


def by_urgency(tasks: Iterable[Task]) -> list[Task]:
    """What is due first, first; then, in their order, those that nothing hurries."""
    found = list(tasks)
    hurried = sorted((task.due, place) for place, task in enumerate(found) if task.due is not None)
    return [*(found[place] for _, place in hurried), *(task for task in found if task.due is None)]
