"""`gridgate watch`: a folder that measurements are dropped into, taken in as they come."""

import io
import signal
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gridgate.config.commands.data_option import DataOption
from gridgate.config.environment import Environment
from gridgate.config.ingesting.options import (
    DirectionOption,
    FormatOption,
    JobsOption,
    MapOption,
    mapping_of,
    ready_environment,
    work_of,
)
from gridgate.core.errors import GridgateError
from gridgate.core.text import shown

if TYPE_CHECKING:
    from gridgate.config.ingesting.drop_folder import Claim, DropFolder
    from gridgate.dataplane.ingest.mapping import MeterMapping
    from gridgate.dataplane.ingest.report import FileReport, IngestReport

SOME_SET_ASIDE: Final = 1
_PAUSE: Final = 15.0
"""Seconds until what failed here, for want of room for one, is tried again."""
_WIDTH: Final = 120
_MOST_BEGUN: Final = 3
"""How often a file is begun without an outcome: what kills this process each time would be all that it ever does."""


def watch(
    folder: Annotated[Path, typer.Argument(help="The folder that files are dropped into.")],
    format: FormatOption = "auto",  # noqa: A002  # the word of the command line
    mapping: MapOption = None,
    direction: DirectionOption = None,
    jobs: JobsOption = None,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 2.0,
    settle: Annotated[
        float, typer.Option(min=0, help="Seconds without a change after which a file is whole.")
    ] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="Take what is there and whole, and end.")] = False,
    data: DataOption = None,
) -> None:
    """Take in what is dropped into a folder, until stopped.

    Files that were taken go to done/, those of which nothing was to quarantine/, each with its report beside
    (NAME.report.json, as of gridgate ingest --json, and NAME.report.txt). Mend what the report says, and move the
    file back into the folder. Exit code with --once: 0 everything taken, 1 some values or files set aside.
    """
    from gridgate.config.ingesting.drop_folder import DropFolder

    meters = mapping_of(None, mapping, direction)
    environment = ready_environment()
    work_of(environment, format_name=format, meters=meters).require()
    stop = _Stop()
    dropped = DropFolder(folder, settle, tell=_say)
    watcher = _Watcher(dropped, environment, meters, format, jobs)
    try:
        if once:
            watcher.look()
            time.sleep(settle)
            while watcher.takes_some():
                stop.look()
        else:
            _say(f"Watching {folder}")
            while True:
                pause = interval if watcher.look() else _PAUSE
                stop.look()
                time.sleep(pause)
    except KeyboardInterrupt:
        in_hand = "; what was in hand is taken in at the next start" if dropped.in_hand else ""
        _say(f"Stopped{in_hand}.")
    finally:
        dropped.close()
        stop.restore()
    if once and not watcher.complete:
        raise typer.Exit(SOME_SET_ASIDE)


class _Stop:
    """What is told by SIGTERM or Ctrl-C. It breaks off what is done, and is kept too: raised while Python removes an
    object, an exception is printed and lost.
    """

    def __init__(self) -> None:
        self._told = False
        self._before = {
            number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)
        }

    def _stop(self, *_: object) -> None:
        self._told = True
        raise KeyboardInterrupt

    def look(self) -> None:
        """Raises `KeyboardInterrupt` when it was told."""
        if self._told:
            raise KeyboardInterrupt

    def restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


class _Watcher:
    def __init__(
        self,
        folder: "DropFolder",
        environment: Environment,
        meters: "MeterMapping",
        format_name: str,
        jobs: int | None,
    ) -> None:
        self._folder, self._environment, self._meters = folder, environment, meters
        self._format, self._jobs = format_name, jobs
        self.complete = True
        """Whether everything was taken so far."""
        self._gone = 0
        """Files that are where they go."""

    def takes_some(self) -> bool:
        """Whether a look took anything: there may be more, of which a look takes a few."""
        before = self._gone
        self.look()
        return self._gone > before

    def look(self) -> bool:
        """Take in what is whole. False when something here keeps it from being taken: told, and to be tried again."""
        try:
            with closing(self._taken(self._folder.whole())) as taken:
                for claim, report, unchanged in taken:
                    if unchanged:
                        self._put_away(claim, report)
        except GridgateError as error:
            self._fail(str(error))
        except OSError as error:
            self._fail(f"{error.filename or self._folder.folder}: {error.strerror or error}")
        else:
            return True
        return False

    def _fail(self, why: str) -> None:
        self.complete = False
        _say(f"{why.rstrip('.')}. Nothing is lost; it is tried again in {_PAUSE:.0f} s.")

    def _taken(
        self, claims: Sequence["Claim"]
    ) -> Generator[tuple["Claim", "IngestReport", bool], None, None]:
        """What became of each, and whether nobody wrote to it meanwhile."""
        from gridgate.dataplane.ingest.report import IngestReport

        for claim in claims:
            if claim.fault:
                yield claim, IngestReport([self._refused(claim, claim.fault)]), True
        sound = [(self._folder.begun(claim), claim) for claim in claims if not claim.fault]
        # One that may kill this process holds up no other, and is alone: what is beside it would be counted too.
        suspect = sorted((one for one in sound if one[0]), key=itemgetter(0))
        for several in ([claim for begun, claim in sound if not begun], *([claim] for _, claim in suspect)):
            if not (yield from self._taken_together(several)):
                return

    def _taken_together(
        self, claims: Sequence["Claim"]
    ) -> Generator[tuple["Claim", "IngestReport", bool], None, bool]:
        """What became of each, and whether they came to their end: not when one failed in a way that ends the others,
        which are taken at the next look.
        """
        from gridgate.dataplane.ingest.crew import Given, take_in, usual_jobs
        from gridgate.dataplane.ingest.report import IngestReport

        if not claims:
            return True
        if (begun := self._folder.begun(claims[0])) >= _MOST_BEGUN:
            yield claims[0], IngestReport([self._given_up(claims[0], begun)]), True
            return True
        states = [self._folder.state(claim) for claim in claims]
        given = [Given(claim.path, self._name(claim)) for claim in claims]
        jobs = self._jobs or usual_jobs([claim.path.stat().st_size for claim in claims])
        work = work_of(self._environment, format_name=self._format, meters=self._meters)
        in_work: list[tuple[Claim, int]] = []

        def begin(number: int) -> None:
            in_work.append((claims[number], self._folder.begun(claims[number])))
            self._folder.begin(claims[number])

        try:
            with closing(take_in(given, work, jobs=jobs, begin=begin)) as coming:
                for claim, state in zip(claims, states, strict=True):
                    try:
                        reports = next(coming)
                    except (GridgateError, OSError):
                        raise
                    except Exception as error:  # noqa: BLE001  # of this file, which must not hold up the others
                        what = f"{type(error).__name__}: {error}"
                        reason = f"{what}; if it is not the file's fault, this is a defect: report it"
                        yield claim, IngestReport([self._refused(claim, reason)]), True
                        return False
                    yield claim, IngestReport(reports), self._folder.state(claim) == state
            return True
        finally:
            for claim, before in in_work:
                self._folder.uncount(claim, before)

    def _name(self, claim: "Claim") -> str:
        return str(self._folder.folder / claim.name)

    def _refused(self, claim: "Claim", why: str) -> "FileReport":
        from gridgate.dataplane.ingest.brief import UNKNOWN, refusal
        from gridgate.dataplane.store.quarantine import Quarantined

        return refusal(self._name(claim), UNKNOWN, Quarantined("file", why, ""))

    def _given_up(self, claim: "Claim", begun: int) -> "FileReport":
        """The report of a file that is not begun again; parts of it may be stored."""
        why = (
            f"it was begun {begun} times, and no outcome was recorded: each time the process ended first. No cause is"
            " known; parts of it may be stored. Take it in by `gridgate ingest`, or cut it in parts and drop these:"
            " what is stored already is left unchanged"
        )
        return replace(self._refused(claim, why), refused=False, given_up=True)

    def _put_away(self, claim: "Claim", report: "IngestReport") -> None:
        from gridgate.config.ingesting.drop_folder import DONE, QUARANTINE

        self.complete = self.complete and report.complete
        reports: dict[str, Iterable[str]] = {
            ".report.json": chain(report.as_json(), ["\n"]),
            ".report.txt": [_for_people(report)],
        }
        stored, unchanged, aside = (
            sum(counts)
            for counts in zip(
                *((file.stored, file.unchanged, len(file.quarantined)) for file in report.files), strict=True
            )
        )
        nothing = aside and not stored and not unchanged
        amiss = report.refused or report.given_up or nothing
        target = self._folder.put_away(claim, QUARANTINE if amiss else DONE, reports)
        self._gone += 1
        _say(f"{claim.name}: {stored} stored, {unchanged} unchanged, {aside} set aside: {target}")


def _for_people(report: "IngestReport") -> str:
    from rich.console import Console

    from gridgate.config.ingesting.summary import show

    written = io.StringIO()
    show(report, Console(file=written, highlight=False, markup=False, width=_WIDTH))
    return written.getvalue()


def _say(text: str) -> None:
    print(shown(text), flush=True)
