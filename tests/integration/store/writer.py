"""A process that stores day after day and says so, until it is killed. Run by `test_processes.py`.

Arguments: the file, the metering point, how many deliveries. Delivery `n` is one file with the day `n` of
thirty series (registers), every value `n`; the line `n` on standard output acknowledges it.
"""

from datetime import date, timedelta
from pathlib import Path

from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import DayBlock
from gridgate.dataplane.store.quarantine import Quarantined
from tests.factories.measurements import block, key, source

FIRST = date(2026, 1, 1)
SERIES = 30


def delivery(metering_point: str, number: int) -> list[DayBlock]:
    day = FIRST + timedelta(days=number)
    return [block(day, number, of=key(metering_point=metering_point, register=str(n))) for n in range(SERIES)]


def main(path: str, metering_point: str, count: str) -> None:
    store = open_store(Path(path))
    print("ready", flush=True)
    for number in range(int(count)):
        store.put(
            delivery(metering_point, number),
            source=source(f"{metering_point} {number}"),
            quarantined=[Quarantined(f"line {number}", "negative value", "-1")],
            recorded_at=number,
        )
        print(number, flush=True)
