"""Choosing among hundreds of people or thousands of points, in a form that needs no script.

What is ticked stays chosen from one search, or one page, to the next, because it comes back in the form: `chosen` holds
the whole choice, `shown` what the page at hand offered, `pick` what is ticked of it. Nothing is kept until one saves.
A form that says with what it was opened, as `had`, changes that alone: what others add or take out meanwhile is so here
too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.functional import cached_property

from gridgate.organisations.handles import handle_of, number_of
from gridgate.portal.kit.searching import searched

LENGTH = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One of those to choose from."""

    key: str
    item: Any
    ticked: bool
    locked: bool


class Chooser:
    """What the form shows, and what is chosen.

    `matching` returns those to choose from that a search finds, all of them for an empty one. `initial` is what is
    chosen at first; `locked` cannot be changed and stays as it is. `kind` is of the handles that rows are named by;
    without one their own identifiers are theirs to see.
    """

    def __init__(
        self,
        data: QueryDict | None,
        *,
        matching: Callable[[str], QuerySet[Any]],
        initial: Iterable[str],
        locked: Iterable[str] = (),
        kind: str = "",
    ) -> None:
        self._matching, self._kind = matching, kind
        self._initial, self._locked = frozenset(initial), frozenset(locked)
        query = data if data is not None else QueryDict()
        self.query = searched(query)
        self.do = query.get("do", "")
        self.only_chosen = self.do == "chosen" or (query.get("view") == "chosen" and self.do != "everything")
        self.chosen = self._read(data)
        if self.do == "pick_all":
            self.choose(self._keys(matching(self.query)))
        elif self.do == "drop_all":
            self.choose(self.chosen - set(self._keys(matching(self.query))), instead=True)

    def choose(self, keys: Iterable[str], *, instead: bool = False) -> None:
        """Add these to the choice, or make them the choice; what is locked stays as it is."""
        wanted = set(keys) if instead else self.chosen | set(keys)
        self.chosen = (wanted - self._locked) | (self._locked & self._initial)

    @property
    def saving(self) -> bool:
        return self.do == "save"

    def settled(self) -> set[str]:
        """What is chosen and may be: of those to choose from, or chosen already before."""
        return self.chosen & (set(self._keys(self._matching(""))) | self._initial)

    @cached_property
    def total(self) -> int:
        return self._matching("").count()

    @property
    def found(self) -> int:
        return self.page.paginator.count

    @cached_property
    def page(self) -> Page[Any]:
        rows: Any = self._matching(self.query)
        if self.only_chosen:
            rows = [key for key in self._keys(rows) if key in self.chosen]
        return Paginator(rows, LENGTH).get_page(self._page_asked)

    @cached_property
    def rows(self) -> list[Row]:
        items = list(self.page)
        if self.only_chosen:
            numbers = [number_of(self._kind, key) if self._kind else key for key in items]
            known = {self._key(item.pk): item for item in self._matching("").filter(pk__in=numbers)}
            items = [known[key] for key in items]
        named = [(self._key(item.pk), item) for item in items]
        return [Row(key, item, key in self.chosen, key in self._locked) for key, item in named]

    @property
    def chosen_text(self) -> str:
        """For the hidden field."""
        return " ".join(sorted(self.chosen))

    @property
    def had_text(self) -> str:
        """For the hidden field of a form whose changes alone are saved."""
        return " ".join(sorted(self._initial))

    @property
    def shown_text(self) -> str:
        return " ".join(row.key for row in self.rows)

    def _read(self, data: QueryDict | None) -> set[str]:
        self._page_asked: int | str = 1
        if not data:
            return set(self._initial)
        if self.do.startswith("page:"):
            self._page_asked = self.do.removeprefix("page:")
        elif self.do in ("", "search", "chosen", "everything"):
            self._page_asked = 1
        else:
            self._page_asked = data.get("page", "1")
        shown = set(data.get("shown", "").split())
        chosen = (set(data.get("chosen", "").split()) - shown) | (set(data.getlist("pick")) & shown)
        if "had" in data:
            had = set(data.get("had", "").split())
            chosen = {*self._initial, *(chosen - had)} - (had - chosen)
        return (chosen - self._locked) | (self._locked & self._initial)

    def _keys(self, rows: QuerySet[Any]) -> list[str]:
        return [self._key(pk) for pk in rows.values_list("pk", flat=True)]

    def _key(self, pk: Any) -> str:
        return handle_of(self._kind, pk) if self._kind else str(pk)
