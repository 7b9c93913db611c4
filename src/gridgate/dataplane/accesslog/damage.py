"""A packed segment that is no longer what was packed."""


class DamagedSegment(OSError):
    """A packed segment, or the rest of it, is no longer what was packed: no disk or right keeps it from being read."""
