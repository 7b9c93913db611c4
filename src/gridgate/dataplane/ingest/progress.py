"""What ingest says of itself while it works."""

from collections.abc import Iterator
from typing import Protocol

from gridgate.dataplane.ingest.port import Observations


class Progress(Protocol):
    """Told as it goes, from the thread that works."""

    def read(self, size: int) -> None:
        """So many bytes of the files were read."""
        ...

    def seen(self, count: int) -> None:
        """So many values were found in them."""
        ...


class Untold:
    """Nobody is told."""

    def read(self, size: int) -> None:
        pass

    def seen(self, count: int) -> None:
        pass


def told(batches: Iterator[Observations], progress: Progress) -> Iterator[Observations]:
    """The same, whose values are told as they come."""
    for batch in batches:
        progress.seen(len(batch))
        yield batch
