"""What became of each file, as `gridgate ingest --json` prints it. The names of the fields are public."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gridgate.dataplane.store.port import Quarantined


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

    @property
    def read(self) -> int:
        return self.stored + self.unchanged + len(self.quarantined)

    @property
    def complete(self) -> bool:
        return not self.quarantined

    def as_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "format": self.format,
            "read": self.read,
            "stored": self.stored,
            "unchanged": self.unchanged,
            "quarantined": [_item(one) for one in self.quarantined],
        }


@dataclass(slots=True)
class IngestReport:
    """All files of one call, in the order given; archives member by member."""

    files: list[FileReport] = field(default_factory=list)

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

    def as_json(self) -> dict[str, Any]:
        return {"files": [file.as_json() for file in self.files]}


def _item(one: Quarantined) -> dict[str, str | None]:
    about = one.subject
    return {
        "where": one.where,
        "reason": one.reason,
        "value": one.value,
        "cause": one.cause.value if one.cause else None,
        "metering_point": about.metering_point if about else None,
        "day": about.day.isoformat() if about and about.day else None,
    }
