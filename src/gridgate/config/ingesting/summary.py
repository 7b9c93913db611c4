"""The report of ingest as people read it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from rich.console import Console
from rich.table import Table

from gridgate.core.text import counted, shown
from gridgate.dataplane.ingest.report import FileReport, IngestReport
from gridgate.dataplane.store.quarantine import Quarantined

_REASONS_SHOWN: Final = 12
_REASON_SHOWN: Final = 600
"""Characters: a reason takes five lines at most."""
_VALUE_SHOWN: Final = 80
_HEADINGS: Final = ("File", "Format", "Read", "Stored", "Unchanged", "Quarantined")
_SHORTEST_NAME: Final = 12


def show(report: IngestReport, console: Console) -> None:
    """Print it: a table of the files, then why what was set aside was."""
    room = _room_for_names(report, console)
    console.print(_table(report, [_fitted(shown(file.path), room) for file in report.files]))
    for file in report.files:
        if not file.complete:
            _explain(file, console)
        for notice in file.notices:
            console.print()
            console.print(shown(f"{file.path}: look at {notice}"), soft_wrap=True, markup=False)


def _room_for_names(report: IngestReport, console: Console) -> int:
    """How wide a name may be: what the other columns leave of a terminal. Elsewhere lines are as long as names are."""
    longest = max(len(shown(file.path)) for file in report.files)
    others = console.measure(_table(report, [""] * len(report.files))).maximum - len(_HEADINGS[0])
    if not console.is_terminal:
        console.width = max(console.width, longest + others)
    return max(_SHORTEST_NAME, console.width - others)


def _table(report: IngestReport, names: list[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, no_wrap=True, justify="left" if heading in _HEADINGS[:2] else "right")
    for name, file in zip(names, report.files, strict=True):
        counts = (file.read, file.stored, file.unchanged, len(file.quarantined))
        table.add_row(name, file.format, *(f"{count:,}".replace(",", " ") for count in counts))
    return table


def _fitted(path: str, room: int) -> str:
    """The path in so many characters: the name of the file stays whole as long as it fits, as the end of any name does.

    >>> [_fitted("/srv/deliveries/2026/r63.csv", room) for room in (28, 20, 9, 7)]
    ['/srv/deliveries/2026/r63.csv', '/srv/delive…/r63.csv', '…/r63.csv', 'r63.csv']
    >>> _fitted("ENEDIS_R63_P_CdC_20260601.csv", 16)
    'ENEDIS_…0601.csv'
    """
    if len(path) <= room:
        return path
    folder, _, name = path.rpartition("/")
    if len(name) + 2 <= room:
        return f"{folder[: room - len(name) - 2]}…/{name}"
    if len(name) <= room:
        return name
    end = room // 2
    return f"{name[: room - end - 1]}…{name[-end:]}"


def _explain(file: FileReport, console: Console) -> None:
    """Each cause once, and each reason of what has none, with the first place it was met and how often."""

    def say(text: str) -> None:
        console.print(shown(text), soft_wrap=True, markup=False)

    console.print()
    became = "nothing was taken" if file.refused else "given up on the way" if file.given_up else "set aside"
    say(f"{file.path}: {became}")
    found: dict[str, _Alike] = {}
    for item in file.quarantined:
        found.setdefault(item.cause or item.reason, _Alike(item)).add(item)
    most = sorted(found.values(), key=lambda alike: alike.count, reverse=True)
    for alike in most[:_REASONS_SHOWN]:
        first = alike.first
        value = f" ({first.value[:_VALUE_SHOWN]})" if first.value else ""
        more = f" and {alike.count - 1} more" if alike.count > 1 else ""
        say(f"  {first.where}{value}{more}: {first.reason[:_REASON_SHOWN]}{alike.of_what()}")
    if len(most) > _REASONS_SHOWN:
        say(f"  and {len(most) - _REASONS_SHOWN} other reasons: see --json")


@dataclass(slots=True)
class _Alike:
    """What was set aside for one reason, without each of it: the first, how many, of which points and days.

    >>> from gridgate.core.quantities import Kind
    >>> from gridgate.dataplane.store.quarantine import Subject
    >>> of = [Subject("22516914714270", Kind.LOAD_CURVE, day=date(2026, 6, n)) for n in (3, 1)]
    >>> items = [Quarantined("line 2", "", "", None, one) for one in of]
    >>> alike = _Alike(items[0])
    >>> for one in items: alike.add(one)
    >>> alike.count, alike.of_what()
    (2, ' (of 22516914714270, 2026-06-01 to 2026-06-03)')
    >>> _Alike(Quarantined("line 2", "", "")).of_what()
    ''
    """

    first: Quarantined
    count: int = 0
    _points: set[str] = field(default_factory=set)
    _days: set[date] = field(default_factory=set)

    def add(self, item: Quarantined) -> None:
        self.count += 1
        if item.subject:
            self._points.add(item.subject.metering_point)
            if item.subject.day:
                self._days.add(item.subject.day)

    def of_what(self) -> str:
        """As far as that is known."""
        if not self._points:
            return ""
        more = f" and {counted(len(self._points) - 1, 'other point')}" if len(self._points) > 1 else ""
        days = sorted(self._days)
        when = f", {' to '.join(f'{day}' for day in dict.fromkeys((days[0], days[-1])))}" if days else ""
        return f" (of {min(self._points)}{more}{when})"
