"""The last signed checkpoint of the access log: up to when the journal is sealed, and by which fingerprint."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gridgate.dataplane.accesslog.segments import CHECKPOINTS, digest

_FIRST_TRY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Seal:
    """Everything logged before `at` is signed; changing any of it would change `fingerprint`."""

    number: int
    at: datetime
    fingerprint: str

    @property
    def short(self) -> str:
        """The beginning of the fingerprint, in groups for the eye."""
        return " ".join(self.fingerprint[place : place + 4] for place in range(0, 16, 4))


def last_seal(access_log: Path) -> Seal | None:
    """Read the last checkpoint; None before the first, or when it cannot be read."""
    try:
        line = _last_line(access_log / CHECKPOINTS)
        payload = json.loads(line)["payload"] if line else None
        return payload and Seal(payload["number"], datetime.fromisoformat(payload["at"]), digest(line))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _last_line(path: Path) -> bytes:
    """The last whole line, without its end; reads no more of the file than it must."""
    size = path.stat().st_size
    wanted = _FIRST_TRY
    with path.open("rb") as file:
        while True:
            file.seek(max(0, size - wanted))
            lines = file.read().split(b"\n")
            if len(lines) > 2 or wanted >= size:
                return lines[-2] if len(lines) > 1 else b""
            wanted *= 4
