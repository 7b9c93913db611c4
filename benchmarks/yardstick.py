"""How slow this machine is at the moment, by a piece of work that never changes.

Processor time is not the same on each machine, and what else runs there adds to it, by what it takes of caches and of the
memory's bandwidth. What is measured costs so many times this, which both change much less.
"""

import hashlib
import json
import sqlite3
import time
import zlib
from contextlib import closing

import numpy as np

TIMES = 5


def yardstick() -> float:
    """Milliseconds of CPU, the least of a few times: what Gridgate's own work is made of, in like parts."""
    return min(_once() for _ in range(TIMES))


def _once() -> float:
    begun = time.process_time()
    rows = [
        {"point": f"{number:014}", "at": number * 1800, "watts": number % 9000} for number in range(20_000)
    ]
    text = json.dumps(rows).encode()
    assert len(json.loads(text)) == len(rows)
    hashlib.sha256(zlib.compress(text, 1)).digest()
    with closing(sqlite3.connect(":memory:")) as file:
        file.execute(
            "create table reading (point text, at integer, watts integer, primary key (point, at)) without rowid"
        )
        file.executemany("insert into reading values (:point, :at, :watts)", rows)
        file.execute("select at % 48, sum(watts), count(distinct point) from reading group by 1").fetchall()
    values = np.random.default_rng(1).integers(0, 9000, 1_000_000)
    np.sort(values)
    values.reshape(1000, -1).sum(axis=0)
    return 1000 * (time.process_time() - begun)
