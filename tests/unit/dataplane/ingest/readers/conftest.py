"""The fixtures of ingest, for the readers."""

from tests.unit.dataplane.ingest.conftest import directory, take

__all__ = ["directory", "take"]
