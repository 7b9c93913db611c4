"""The titles of one point in time, and how a line of a holders' file fits among them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from gridgate.metering.models import TitleHolding


@dataclass(slots=True)
class Title:
    """A company's title, from `begins` up to, not including, `ends`; `holding` is its row when it has one."""

    siren: str
    holder: str
    begins: date
    ends: date | None
    holding: TitleHolding | None = None

    def overlaps(self, begins: date, ends: date | None) -> bool:
        return (self.ends is None or begins < self.ends) and (ends is None or self.begins < ends)


@dataclass(slots=True)
class Timeline:
    """The titles of a point, those of the registry and those that the file adds."""

    titles: list[Title] = field(default_factory=list)

    def starting(self, siren: str, begins: date) -> Title | None:
        """The title of this company that begins on that day."""
        return next((title for title in self.titles if (title.siren, title.begins) == (siren, begins)), None)

    def next_after(self, begins: date) -> Title | None:
        later = [title for title in self.titles if title.begins > begins]
        return min(later, key=lambda title: title.begins, default=None)

    def left_open(self, *, before: date, by_other_than: str) -> Title | None:
        """The title that another company leaves when a new holder moves in on `before`."""
        return next(
            (
                title
                for title in self.titles
                if title.ends is None and title.begins < before and title.siren != by_other_than
            ),
            None,
        )

    def overlapping(self, begins: date, ends: date | None, *, but: Title | None = None) -> Title | None:
        return next(
            (title for title in self.titles if title is not but and title.overlaps(begins, ends)), None
        )

    def changed(self) -> Iterator[Title]:
        """The titles that have to be written."""
        for title in self.titles:
            if title.holding is None or title.holding.valid_to != title.ends:
                yield title
