"""Programs that read without pause, in processes of their own that load nothing of Gridgate."""

import http.client
import random
import time
from array import array
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import SynchronizedArray
from threading import Thread
from typing import Any

SERVED, REFUSED, BROKEN = 0, 1, 2
AT_THE_FRONT = 0.6
"""So many of the reads ask for what is about to end or has just ended."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, and the bytes that only an answer with what was asked for holds."""

    method: str
    path: str
    headers: dict[str, str]
    body: str
    given: bytes


@dataclass(slots=True)
class Reads:
    """What one process saw: which call, when it was sent and answered (nanoseconds of one clock), and how."""

    target: "array[int]" = field(default_factory=lambda: array("l"))
    sent: "array[int]" = field(default_factory=lambda: array("q"))
    answered: "array[int]" = field(default_factory=lambda: array("q"))
    outcome: "array[int]" = field(default_factory=lambda: array("b"))


def read_on(
    port: int,
    calls: list[Call],
    connections: int,
    number: int,
    front: "SynchronizedArray[int]",
    counts: "SynchronizedArray[int]",
    over: Any,
    results: Any,
) -> None:
    """Read on so many connections until told that it is over; then hand on what was seen."""
    seen = [Reads() for _ in range(connections)]
    threads = [
        Thread(target=_read, args=(port, calls, number * connections + one, front, counts, over, seen[one]))
        for one in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(seen)


def _read(
    port: int,
    calls: list[Call],
    number: int,
    front: "SynchronizedArray[int]",
    counts: "SynchronizedArray[int]",
    over: Any,
    seen: Reads,
) -> None:
    draw = random.Random(number)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not over.is_set():
        index = draw.choice(front[:]) if draw.random() < AT_THE_FRONT else draw.randrange(len(calls))
        call = calls[index]
        sent = time.monotonic_ns()
        try:
            connection.request(call.method, call.path, call.body or None, call.headers)
            answer = connection.getresponse()
            body = answer.read()
            outcome = SERVED if answer.status == 200 and call.given in body else REFUSED
            if answer.status >= 500:
                outcome = BROKEN
        except (OSError, http.client.HTTPException):
            connection.close()
            outcome = BROKEN
        seen.answered.append(time.monotonic_ns())
        seen.target.append(index)
        seen.sent.append(sent)
        seen.outcome.append(outcome)
        counts[number] += 1
    connection.close()
