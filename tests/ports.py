"""Ports for servers that cannot be told to take any that is free: one for each, for as long as the run lasts."""

import fcntl
import os
import socket
from pathlib import Path

RANGE = range(20_000, 30_000)
"""Below those that systems give out by themselves (32768 and more on Linux, 49152 elsewhere)."""
_held: list[int] = []


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens at; no other run on this machine is given it before this one ends."""
    folder = Path(f"/tmp/gridgate-test-ports-{os.getuid()}")  # whatever TMPDIR each run has
    folder.mkdir(exist_ok=True)
    for port in RANGE:
        held = os.open(folder / str(port), os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(held)
            continue
        _held.append(held)
        return port
    raise AssertionError(f"every port of {RANGE} is taken")
