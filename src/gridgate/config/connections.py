"""How many connections a web process holds, and for how long one may say nothing."""

import os
import resource
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from granian.constants import HTTPModes
from granian.http import HTTP1Settings

MOST: Final = 4096
"""Connections of one process. Each of them is held from its first byte to its end, so that this is how many must be left
half-said to keep others out; idle, they cost some 30 KB each."""
OTHER_FILES: Final = 256
"""What a process opens besides: databases, segments, spooled bodies."""
HEAD_SECONDS: Final = 10
"""For a request's head, and between two requests of one connection. nginx must let go of its own sooner
(`keepalive_timeout` in deploy/nginx)."""
HEAD_BYTES: Final = 64 * 1024
STALLED_SECONDS: Final = 30
"""How long a reader may take nothing of what was sent to it."""


def connections() -> dict[str, Any]:
    """Granian's settings. Raises this process's limit on open files as far as it may be."""
    return {
        # Nobody speaks HTTP/2 without TLS, which ends in front of this; one of its connections would carry many requests.
        "http": HTTPModes.http1,
        "websockets": False,
        "backlog": 1024,
        "backpressure": min(MOST, max(64, _open_files() - OTHER_FILES)),
        "http1_settings": HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1000, max_buffer_size=HEAD_BYTES),
    }


def _open_files() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + OTHER_FILES
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def give_up_stalled_readers() -> None:
    """Let the system end the connections of readers who take nothing, which Granian would hold for ever.

    Its sockets are not to be had from it; a connection has the options of the socket that it came by.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None or not Path("/proc/self/fd").is_dir():
        return
    for number in [int(file.name) for file in Path("/proc/self/fd").iterdir()]:
        with suppress(OSError), socket.socket(fileno=os.dup(number)) as found:
            network = found.family in (socket.AF_INET, socket.AF_INET6)
            if network and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                found.setsockopt(socket.IPPROTO_TCP, option, STALLED_SECONDS * 1000)
