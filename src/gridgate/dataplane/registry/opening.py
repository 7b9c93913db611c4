"""Which registry an instance has."""

from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.registry.newest import NEWEST
from gridgate.dataplane.registry.port import Registry
from gridgate.dataplane.registry.sqlite import SqliteRegistry


def open_registry(config: DataPlaneConfig) -> Registry:
    """One object per thread, or for whoever holds its owner's lock; files are opened at first use."""
    return SqliteRegistry(config.registry, zone=config.zone, newest=config.access_log / NEWEST)
