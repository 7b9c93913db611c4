"""What became of each file, as `gridgate ingest --json` prints it. The names of the fields are public."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridgate.core.errors import GridgateError
from gridgate.dataplane.ingest.aside import HELD, SetAside
from gridgate.dataplane.store.quarantine import Quarantined


@dataclass(slots=True)
class FileReport:
    """One file, or member of an archive. `read` = `stored` + `unchanged` + quarantined, counted in values.

    A file that cannot be read at all counts as one thing read and set aside, so that the sum always holds.
    """

    path: str
    format: str
    stored: int = 0
    unchanged: int = 0
    quarantined: Sequence[Quarantined] = field(default_factory=list)
    refused: bool = False
    """True when nothing of the file was taken."""
    given_up: bool = False
    """True when the file proved amiss as a whole after parts of it were stored."""
    holes: int = 0
    """Stamps the file gives without a value."""
    notices: Sequence[str] = field(default_factory=list)
    """What people should look at though it was taken."""

    @property
    def read(self) -> int:
        return self.stored + self.unchanged + len(self.quarantined)

    @property
    def complete(self) -> bool:
        return not self.quarantined

    def as_json(self) -> Iterator[str]:
        """The text, a piece at a time: what is set aside may be more than fits in memory."""
        counts = {"read": self.read, "stored": self.stored, "unchanged": self.unchanged}
        yield _text({"path": self.path, "format": self.format, **counts}).removesuffix("}")
        yield ', "quarantined": ['
        for number, one in enumerate(self.quarantined):
            yield f"{', ' if number else ''}{_text(_item(one))}"
        yield "]"
        if self.notices:
            yield f', "notices": {_text(self.notices)}'
        yield "}"


@dataclass(slots=True)
class IngestReport:
    """All files of one call, in the order given; archives member by member."""

    files: list[FileReport] = field(default_factory=list)
    folder: Path | None = None
    """Where there is room for what is set aside of many files."""
    _held: int = 0
    _on_disk: SetAside | None = None

    def add(self, reports: Iterable[FileReport]) -> None:
        """The reports of one more file. What is set aside of all together is held in memory no more than that of one, and
        on disk in one file.
        """
        for report in reports:
            self.files.append(report)
            if not isinstance(report.quarantined, SetAside):
                self._held += len(report.quarantined)
                if self._held > HELD and len(report.quarantined) > 1:
                    self._put_on_disk(report)
            if isinstance(report.quarantined, SetAside):
                with suppress(GridgateError):
                    report.quarantined.all_on_disk()
                if self._on_disk is None:
                    self._on_disk = report.quarantined
                else:
                    report.quarantined.keep_with(self._on_disk)

    def _put_on_disk(self, report: FileReport) -> None:
        with suppress(GridgateError):  # without room there it stays where it is
            aside = SetAside(self.folder)
            aside.extend(report.quarantined)
            aside.all_on_disk()
            self._held -= len(report.quarantined)
            report.quarantined = aside

    @property
    def complete(self) -> bool:
        """True when everything was taken."""
        return all(file.complete for file in self.files)

    @property
    def refused(self) -> bool:
        """True when every file was refused as a whole."""
        return all(file.refused for file in self.files)

    @property
    def given_up(self) -> bool:
        """True when a file was given up after parts of it were stored."""
        return any(file.given_up for file in self.files)

    def as_json(self, **more: bool) -> Iterator[str]:
        """The text, a piece at a time, with what `more` there is to say."""
        yield '{"files": ['
        for number, file in enumerate(self.files):
            yield ", " if number else ""
            yield from file.as_json()
        yield "]"
        for name, said in more.items():
            yield f', "{name}": {_text(said)}'
        yield "}"


def _text(what: Any) -> str:
    return json.dumps(what, ensure_ascii=False)


def _item(item: Quarantined) -> dict[str, str | None]:
    about = item.subject
    return {
        "where": item.where,
        "reason": item.reason,
        "value": item.value,
        "cause": item.cause.value if item.cause else None,
        "metering_point": about.metering_point if about else None,
        "day": about.day.isoformat() if about and about.day else None,
    }
