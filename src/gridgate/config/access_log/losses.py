"""Segments of the access log whose lines are not all there any more."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from pathlib import Path

from gridgate.audit.lines import zone
from gridgate.audit.operations.progress import erased_before, segments_known, segments_reaching, sizes_folded
from gridgate.config.environment import Environment
from gridgate.core.time import civil_day_bounds
from gridgate.dataplane.accesslog.segments import (
    end_of_segment,
    open_segment,
    segment_name,
    segment_paths,
    segment_size,
)

_PIECE = 2**20


def lost_segments(environment: Environment, *, through: bool = False) -> dict[str, str]:
    """Segments that the registry has counted and whose lines are not all there any more, with what is wrong. `through`
    reads them to their end, which finds a packed one that is damaged within.
    """
    paths = {segment_name(path): path for path in segment_paths(environment.access_log)}
    lost = {}
    sizes, erased = sizes_folded(), erased_and_gone(paths)
    for name in sorted(sizes.keys() - erased):
        try:
            there = _size_read(paths[name]) if through else segment_size(paths[name])
        except KeyError:
            lost[name] = "it is missing"
        except (OSError, ValueError) as error:
            lost[name] = f"it cannot be read: {error}"
        else:
            if there < sizes[name]:
                lost[name] = f"it has {there} bytes of lines, and had {sizes[name]}"
    return lost


def erased_and_gone(there: Collection[str]) -> set[str]:
    """Segments that a retention has removed and whom the registry still knows: it was killed, or they were folded
    meanwhile.
    """
    erased = erased_before()
    if erased is None:
        return set()
    start = civil_day_bounds(erased, zone()).start
    gone = {name for name in segments_known().difference(there) if ends_by(name, start)}
    return gone - segments_reaching(start) if gone else gone


def _size_read(path: Path) -> int:
    with open_segment(path) as file:  # in pieces: a packed one may be lines without number
        return sum(map(len, iter(partial(file.read, _PIECE), b"")))


def ends_by(name: str, instant: datetime) -> bool:
    end = end_of_segment(name)
    return end is not None and end <= instant
