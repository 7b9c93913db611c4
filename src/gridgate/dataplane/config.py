"""What the data plane is told at start. It reads no environment of its own: the composition root passes
values in.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from gridgate.core.errors import ErrorKind, GridgateError


def _no_secret() -> str:
    raise GridgateError(ErrorKind.UNAVAILABLE, "this process was given no secret key")


@dataclass(frozen=True, slots=True)
class DataPlaneConfig:
    """Where things are, and how this process is called in the access log."""

    registry: Path
    """The registry's database file; opened read-only, except by `tokens`."""
    measurements: Path
    """The measurement store's database file; opened read-only."""
    access_log: Path
    """The directory of the hash-chained segments."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Paris"))
    """The zone whose midnights bound civil days."""
    process: str = "dataplane"
    """Written at the head of each segment of the access log."""
    metrics_token: str = ""
    """Bearer token for `/metrics`; without one it answers this machine only."""
    metrics_directory: Path | None = None
    """Where several processes add up their metrics (`http.shared_metrics`); None: each its own."""
    behind_proxy: bool = False
    """True when a reverse proxy stands in front, so that the peer's address says nothing of the client."""
    request_log: bool = True
    """One JSON line per request on standard error; never holds a query string, a header or a body."""
    secret_key: Callable[[], str] = _no_secret
    """The instance's, by which rows are named outside (`handles`); asked for when a name is, since it may be missing."""
