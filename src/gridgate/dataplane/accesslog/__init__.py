"""The access log: who read which data, when, on what basis; written before the answer leaves, provable
afterwards.

Each process appends to segments of its own (`writer`). A segment is a chain: every line holds the SHA-256 of
the line before it, and the first line names the process and the segment it follows. The worker signs
checkpoints over all segments (`checkpoints`), and `verify` finds any line that was altered, dropped, moved or
put in since (`verification`), without needing anything but the directory and the public key.

What it cannot prove: lines that no checkpoint and no later line covers yet can be changed unseen by someone
who can write to the directory. That is at most what was logged since the last checkpoint. And whoever replaces
checkpoints by none, and the lines they covered, is told from an instance that never signed only by a copy of a
checkpoint that was kept elsewhere.
"""

from gridgate.dataplane.accesslog.checkpoints import (
    Checkpoint,
    checkpoint_of,
    checkpoints_of,
    sign_checkpoint,
)
from gridgate.dataplane.accesslog.entry import AccessEntry, ChangeEntry
from gridgate.dataplane.accesslog.findings import Verification
from gridgate.dataplane.accesslog.reading import Fault, SegmentReading, entries_after, read_segment
from gridgate.dataplane.accesslog.segments import is_changes
from gridgate.dataplane.accesslog.verification import Copy, verify
from gridgate.dataplane.accesslog.writer import AccessLog, AccessLogUnavailable

__all__ = [
    "AccessEntry",
    "AccessLog",
    "AccessLogUnavailable",
    "ChangeEntry",
    "Checkpoint",
    "Copy",
    "Fault",
    "SegmentReading",
    "Verification",
    "checkpoint_of",
    "checkpoints_of",
    "entries_after",
    "is_changes",
    "read_segment",
    "sign_checkpoint",
    "verify",
]
