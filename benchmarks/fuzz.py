"""Every route of both planes with every parameter, each given what it does not expect: none may answer 5xx,
or write a traceback into the log.

`python -m benchmarks.fuzz [--cases N] [--seed N] [--minutes N] [--jobs N] [--only CASE]`. Routes come from the
applications, so a new one is in it by itself. A case is a right request but for one thing, or for a few; which one it is
follows from the seed and its number alone, and each finds the same world: `--only` sends one again, with what went wrong.
"""

import argparse
import faulthandler
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Protocol

from benchmarks.fuzz_report import Case, Report, place, together
from gridgate.portal.logs import RefusedInOneLine

LONGEST = 120
"""Seconds that a case may take."""


class Plane(Protocol):
    """One half of what is fuzzed."""

    routes: list[str]

    @property
    def parameters(self) -> set[tuple[str, str]]: ...

    def case(self, route: str, dice: Random) -> Case: ...

    def send(self, case: Case) -> tuple[int, str]: ...


class Tracebacks(logging.Handler):
    """What would be logged with a traceback, by where it was raised."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.addFilter(RefusedInOneLine())
        self._heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self._heard.append(place(record.exc_info[1]))

    def take(self) -> list[str]:
        heard, self._heard = self._heard, []
        return heard


def run(
    planes: list[Plane],
    *,
    numbers: Sequence[int],
    seed: int,
    until: float | None = None,
    shown: bool = False,
    tracebacks: Tracebacks | None = None,
) -> Report:
    """The cases of these numbers, turn by turn over the planes, as often as they stand in the list, and their routes."""
    report = Report()
    at_hand, path = tempfile.mkstemp(prefix="gridgate-fuzz-case-")
    if len(numbers) > 10_000:
        print(f"the number of the case at hand stands in {path}", file=sys.stderr)
    for number in numbers:
        if until is not None and time.monotonic() > until:
            break
        place = number % len(planes)
        plane, round_ = planes[place], number // len(planes)
        turn = round_ * planes.count(plane) + planes[:place].count(plane)
        dice = Random(f"{seed}:{number}")
        route = plane.routes[turn % len(plane.routes)]
        case = plane.case(route, dice)
        if shown:
            print(case)
        # Even when the interpreter itself is held up: what takes so long is a failure too, and where is printed.
        os.pwrite(at_hand, f"{number:<12}".encode(), 0)
        faulthandler.dump_traceback_later(LONGEST, exit=True)
        status, why = plane.send(case)
        faulthandler.cancel_dump_traceback_later()
        found = len(report.failures)
        report.add(number, case, status, why, tracebacks.take() if tracebacks else ())
        if len(report.failures) > found:
            print(f"{[*report.failures][-1]}: case {number}", file=sys.stderr)
    os.close(at_hand)
    Path(path).unlink()
    return report


@contextmanager
def both(folder: Path) -> Iterator[list[Plane]]:
    """Both planes, each on an instance of its own in the folder."""
    os.environ.update(
        GRIDGATE_DATA=str(folder / "portal"),
        GRIDGATE_QUOTAS="off",
        DJANGO_SETTINGS_MODULE="gridgate.config.settings",
        TZ="UTC",
    )
    for name in ("static", "accesslog"):
        (folder / "portal" / name).mkdir(parents=True)
    (folder / "programs").mkdir()

    import django

    django.setup()
    from django.db import connection, transaction
    from django.test.utils import setup_test_environment

    from benchmarks.fuzz_pages import Pages
    from benchmarks.fuzz_programs import Programs
    from gridgate.accounts.passwords import Argon2idHasher
    from gridgate.portal import measurements
    from tests.measured import Measured
    from tests.pages.objects import make_objects
    from tests.world import NOW, make_world, standing_at

    setup_test_environment()
    Argon2idHasher.time_cost, Argon2idHasher.memory_cost = 1, 8
    measurements.client = Measured  # type: ignore[assignment]
    connection.creation.create_test_db(verbosity=0)
    programs = Programs(folder / "programs")
    try:
        with standing_at(NOW), transaction.atomic():
            connection.atomic_blocks[-1]._from_testcase = True  # operations ask to be outermost
            world = make_world()
            pages = Pages(world, make_objects(world))
            yield [programs, programs, pages]  # a case of a page takes twenty times as long
            transaction.set_rollback(True)
    finally:
        programs.close()


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of the cases that one process sent, and the routes and parameters that there are."""

    report: Report
    routes: set[str]
    parameters: set[tuple[str, str]]


def send(numbers: Sequence[int], seed: int, until: float | None, shown: bool = False) -> Sent:
    """Send the cases of these numbers in this process, in a world of its own."""
    tracebacks = Tracebacks()
    if not shown:  # nothing of the pages that are opened first
        logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="gridgate-fuzz-") as folder, both(Path(folder)) as planes:
        logging.getLogger().handlers = [*(logging.getLogger().handlers if shown else ()), tracebacks]
        logging.disable(logging.NOTSET)
        report = run(planes, numbers=numbers, seed=seed, until=until, shown=shown, tracebacks=tracebacks)
        routes = {route for plane in planes for route in plane.routes}
        known = set[tuple[str, str]]().union(*(plane.parameters for plane in planes))
    return Sent(report, routes, known)


def main() -> None:
    """Run the cases, print what came of them; exit 1 when something answered 5xx, or was logged with a traceback."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="stop after so long")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes that share the cases"
    )
    parser.add_argument("--only", type=int, help="send this case alone, and show all that is logged")
    asked = parser.parse_args()
    begun = time.monotonic()
    until = None if asked.minutes is None else begun + asked.minutes * 60  # by the one clock of all processes
    if asked.only is not None:
        sent = [send([asked.only], asked.seed, until, shown=True)]
    else:
        ends = [asked.cases * number // asked.jobs for number in range(asked.jobs + 1)]
        with ProcessPoolExecutor(asked.jobs, multiprocessing.get_context("spawn")) as processes:
            begun_ones = [processes.submit(send, range(*part), asked.seed, until) for part in pairwise(ends)]
            sent = [one.result() for one in begun_ones]
    report = together(part.report for part in sent)
    show(report, sent[0], time.monotonic() - begun, asked.seed)
    sys.exit(bool(report.failures))


def show(report: Report, there: Sent, seconds: float, seed: int) -> None:
    known = there.parameters
    print(
        f"{report.cases} cases in {seconds:.0f} s, seed {seed}: {len(report.routes)} of {len(there.routes)} routes, "
        f"{len(report.parameters & known)} of {len(known)} parameters"
    )
    print(", ".join(f"{status}: {count}" for status, count in sorted(report.statuses.items())))
    print(f"5xx, or tracebacks: {sum(len(found) for found in report.failures.values())}")
    for why, found in report.failures.items():
        print(f"\n{why} ({len(found)})")
        for case in found[:3]:
            print(f"    {case}")


if __name__ == "__main__":
    main()
