"""Packing the segments of past days."""

import logging
from datetime import UTC, datetime, timedelta

from gridgate.audit.operations.folding import seal
from gridgate.audit.operations.progress import positions, sealed_segments
from gridgate.config.environment import Environment
from gridgate.dataplane.accesslog import is_changes
from gridgate.dataplane.accesslog.segments import (
    day_of_segment,
    ends_at,
    is_packed,
    segment_name,
    segment_paths,
)

_log = logging.getLogger(__name__)


def pack_past_days(environment: Environment, now: datetime) -> int:
    """Pack the segments of the days before yesterday that are folded whole; returns how many. Those of changes stay as
    they are.

    A segment that cannot be packed is told in the process's log and does not hold up the others.
    """
    from gridgate.dataplane.accesslog.packing import pack  # most processes never do

    done = 0
    there, sealed = positions(), sealed_segments()
    for path in segment_paths(environment.access_log):
        name = segment_name(path)
        day = day_of_segment(name)
        position = there.get(name)
        if is_changes(path) or name in sealed or position is None:
            continue
        if day is None or day >= now.astimezone(UTC).date() - timedelta(days=1):
            continue
        try:
            if not ends_at(path, position.size) or not (is_packed(path) or pack(path)):
                continue
            if ends_at(path, position.size):  # it was not written to before the packer had it alone
                seal(name)
                done += 1
        except Exception:  # noqa: BLE001 -- the others are packed all the same
            _log.exception("the access log's segment %s cannot be packed", name)
    return done
