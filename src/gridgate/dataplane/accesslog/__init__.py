"""The access log: who read which data, when, on what basis; written before the answer leaves, provable
afterwards.

Each process appends to segments of its own (`writer`). A segment is a chain: every line holds the SHA-256 of
the line before it, and the first line names the process and the segment it follows. The worker signs
checkpoints over all segments (`checkpoints`), and `verify` finds any line that was altered, dropped or moved
since, without needing anything but the directory and the public key.

What it cannot prove: lines that no checkpoint and no later line covers yet can be cut off the end unseen by
someone who can write to the directory. That is at most what was logged since the last checkpoint.
"""

from gridgate.dataplane.accesslog.checkpoints import Verification, sign_checkpoint, verify
from gridgate.dataplane.accesslog.entry import AccessEntry, ChangeEntry
from gridgate.dataplane.accesslog.segments import Fault, SegmentReading, entries_after, read_segment
from gridgate.dataplane.accesslog.writer import AccessLog, AccessLogUnavailable

__all__ = [
    "AccessEntry",
    "AccessLog",
    "AccessLogUnavailable",
    "ChangeEntry",
    "Fault",
    "SegmentReading",
    "Verification",
    "entries_after",
    "read_segment",
    "sign_checkpoint",
    "verify",
]
