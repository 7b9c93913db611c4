"""The background work of an instance: `gridgate worker`.

A round, about twice a second, does what is due:

1. sends e-mails, several at once in a bounded number of seats;
2. folds the access log into the registry;
3. finds the companies that people ask to be let into, and tells them;
4. writes the ends that time and move-outs brought, signs the receipts of ends that are awaited, writes the letters of
   what else changed, and sends expired activation links again;
5. reminds of the ends to come, hourly;
6. signs the access log, daily, and packs the segments of past days;
7. writes the changes of rights that the access log lacks, when it could not be written as they were made;
8. prepares the files of measurements that people asked for, one at a time and beside all else, and takes away those that
   are over or may be read no more.

Any number of workers may run: an e-mail, and a file, is leased by a conditional UPDATE, and the rest does nothing when
it is done already. A job that fails is told, waits longer each time, and does not hold up the others. On
SIGTERM or SIGINT, and when the process that started it ends, a worker finishes what it has begun and
returns; killed in between, it leaves nothing half done, and its leases run out.
"""

import logging
import os
import signal
import stat
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from queue import SimpleQueue
from time import monotonic

from django.db import DatabaseError, close_old_connections, connection

from gridgate.accounts.security import pace, sessions, sign_ins, step_up
from gridgate.applications import operations as applications
from gridgate.audit.operations.progress import BeingCounted
from gridgate.config.access_log.folding import fold_access_log
from gridgate.config.access_log.packing import pack_past_days
from gridgate.config.access_log.signing import sign_due_checkpoint
from gridgate.config.changes import refuse_contradiction
from gridgate.config.environment import Environment
from gridgate.core.errors import GridgateError
from gridgate.core.unavailability import is_unavailable
from gridgate.delivery.models import PreparedFile
from gridgate.delivery.operations import prepared_files
from gridgate.kyc.operations.forgetting import forget_unnamed_documents
from gridgate.kyc.operations.time import tell_of_ends
from gridgate.metering.operations.collections import end_collections_of_former_holders
from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.onboarding.operations import join_requests
from gridgate.onboarding.tasks import follow_invitations, forget_sign_ups
from gridgate.organisations.tasks import end_past_last_days, tell_of_last_days
from gridgate.sharing.operations.ending import expire_due
from gridgate.sharing.operations.moving_out import invalidate_for_moved_out
from gridgate.sharing.operations.requesting import time_out_requests
from gridgate.sharing.receipts.completing import NoneCompleted, PutOff, complete_awaited
from gridgate.sharing.signing import KeyUnusable

_log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
ROUND_SECONDS = 0.5
SEATS = 4
LONGEST_WAIT = 3600.0
ORPHAN_SECONDS = 1.5
LONGEST_OUTAGE_WAIT = 30.0
"""After a failure that passes by itself, such as a full disk: what waited is done soon after."""


@dataclass(slots=True)
class Job:
    """Something done again and again, at most every so many seconds."""

    name: str
    every: float
    act: Callable[[datetime], object]
    due: float = 0.0
    failures: int = 0


def jobs(environment: Environment) -> list[Job]:
    """What a worker does, besides sending e-mails."""
    return [
        Job("say in the log what it lacks", 600, lambda now: refuse_contradiction(environment)),
        Job("fold the access log", 1, lambda now: fold_access_log(environment)),
        Job("pass on requests to join", 1, lambda now: join_requests.pass_on_requests(now=now)),
        Job("end what is over", 5, lambda now: expire_due(now=now)),
        Job("sign the receipts of what ended", 1, Signing().sign),
        Job("write the letters of what changed", 1, lambda now: tasks.write_letters(now=now)),
        Job("end what was left", 60, _end_what_was_left),
        Job("follow invitations", 60, lambda now: follow_invitations(now=now)),
        Job("write the end of past last days", 60, lambda now: end_past_last_days(now=now)),
        Job("tell of last days to come", 3600, lambda now: tell_of_last_days(now=now)),
        Job("forget sign-ups", 3600, lambda now: forget_sign_ups(now=now)),
        Job("remind of ends to come", 3600, lambda now: tasks.remind(now=now)),
        Job("tell of questionnaires that end", 3600, lambda now: tell_of_ends(now=now)),
        Job("forget unnamed documents", 3600, lambda now: forget_unnamed_documents(now=now)),
        Job("forget expired tokens", 3600, lambda now: applications.forget_expired_tokens(now=now)),
        Job("forget what is over", 3600, _forget_what_is_over),
        Job("sign the access log", 600, lambda now: sign_due_checkpoint(environment, now)),
        Job("pack the access log's past days", 600, lambda now: pack_past_days(environment, now)),
    ]


def run(environment: Environment, *, clock: Clock = lambda: datetime.now(UTC)) -> None:
    """Work until told to stop."""
    stop = threading.Event()
    _stop_when_signalled(stop)
    _stop_with_parent(stop)
    with Files(clock, stop) as files:
        beside = [Job("prepare files", 1, files.fill_seat), Job("forget prepared files", 60, files.forget)]
        work([*jobs(environment), *beside], stop, clock)


def work(todo: Iterable[Job], stop: threading.Event, clock: Clock) -> None:
    """Rounds of jobs and e-mails until `stop` is set."""
    todo = list(todo)
    with Mail(clock) as mail:
        while not stop.is_set():
            mail.fill_seats()
            for job in todo:
                if not stop.is_set():
                    do(job, clock())
            close_old_connections()
            stop.wait(ROUND_SECONDS)


def do(job: Job, now: datetime) -> None:
    """Do a job when it is due; after a failure, later each time."""
    if monotonic() < job.due:
        return
    wait = job.every
    try:
        job.act(now)
        job.failures = 0
    except Exception as error:  # noqa: BLE001 -- one job's failure is not the others'
        job.failures += 1
        longest = LONGEST_OUTAGE_WAIT if is_unavailable(error) else LONGEST_WAIT
        wait = min(max(job.every, 1.0) * 2**job.failures, max(longest, job.every))
        if isinstance(error, GridgateError | DatabaseError | OSError):
            _log.error("could not %s; next attempt in %.0f s: %s", job.name, wait, error)
        else:
            _log.exception("could not %s; next attempt in %.0f s", job.name, wait)
        connection.close()
    job.due = monotonic() + wait


class Signing:
    """The receipts that are awaited. What stands in the way of all of them is told once, and looked for again in each
    round, so that they are signed as soon as it is mended; one that is not what its history says waits longer each time.
    """

    def __init__(self) -> None:
        self._put_off = PutOff()
        self._told = ""

    def sign(self, now: datetime) -> None:
        told, self._told = self._told, ""
        try:
            complete_awaited(now=now, put_off=self._put_off)
        except (KeyUnusable, BeingCounted) as error:
            self._told = str(error)
            if self._told != told:
                _log.error("receipts of what ended are not signed yet: %s", error)
        except NoneCompleted as error:
            if error.passing:
                raise


class Mail:
    """The seats from which e-mails are sent: one each, so that a slow mail server holds up nothing else."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told = ""
        """The outage that was told, while it lasts."""
        self._free = threading.Semaphore(SEATS)
        self._pool = ThreadPoolExecutor(SEATS, thread_name_prefix="mail")

    def __enter__(self) -> "Mail":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def fill_seats(self) -> None:
        """Start sending as many e-mails as there are due ones and free seats."""
        while self._free.acquire(blocking=False):
            try:
                email = tasks.claim(now=self._clock())
                self._told = ""
            except DatabaseError as error:
                if str(error) != self._told:  # looked for twice a second, an outage is told once
                    self._told = str(error)
                    _log.error("e-mails cannot be claimed: %s", error)
                connection.close()
                email = None
            except Exception:  # noqa: BLE001 -- the same
                _log.exception("e-mails cannot be claimed")
                connection.close()
                email = None
            if email is None:
                self._free.release()
                return
            self._pool.submit(self._send, email)

    def _send(self, email: OutgoingEmail) -> None:
        try:
            tasks.send(email, clock=self._clock)
        except Exception:  # noqa: BLE001 -- its lease runs out, and it is sent again
            _log.exception("what became of e-mail %s cannot be written", email.pk)
        finally:
            connection.close()
            self._free.release()


class Files:
    """The seat in which files of measurements are prepared: one that takes minutes holds up nothing else."""

    def __init__(self, clock: Clock, stop: threading.Event) -> None:
        self._clock, self._stop = clock, stop
        self._free = threading.Semaphore()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="files")

    def __enter__(self) -> "Files":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def fill_seat(self, now: datetime) -> None:
        """Start preparing a file when one waits and nothing is prepared."""
        if not self._free.acquire(blocking=False):
            return
        file = None
        try:
            file = prepared_files.claim_file(now=now)
        finally:
            if file is None:
                self._free.release()
        if file is not None:
            self._pool.submit(
                self._seated, partial(self._prepare, file), "a file asked for cannot be prepared"
            )

    def forget(self, now: datetime) -> None:
        """Take away the files that are over; and those of which something may be read no more, when the seat is free: of
        50,000 meters that is a second's work, and whoever asks for one meanwhile is refused all the same.
        """
        prepared_files.forget_over(now=now)
        if prepared_files.some_are_ready() and self._free.acquire(blocking=False):
            self._pool.submit(
                self._seated, partial(self._forget_unreadable, now), "prepared files cannot be looked at"
            )

    def _seated(self, work: Callable[[], object], fault: str) -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 -- the lease of a file runs out, and it is begun again; the others are looked at again
            _log.exception(fault)
        finally:
            connection.close()
            self._free.release()

    def _prepare(self, file: PreparedFile) -> None:
        from gridgate.portal.screens.measurements.preparing import prepare  # Only a file asked for needs it.

        prepare(file, clock=self._clock, stopped=self._stop.is_set)

    def _forget_unreadable(self, now: datetime) -> None:
        from gridgate.portal.screens.measurements.preparing import forget_unreadable  # Only then.

        forget_unreadable(now=now)


def _end_what_was_left(now: datetime) -> None:
    """What looks at everything there is, and ended by itself at midnight or may wait a minute."""
    invalidate_for_moved_out(now=now)
    time_out_requests(now=now)
    end_collections_of_former_holders(now=now)


def _forget_what_is_over(now: datetime) -> None:
    """Sessions, one-time codes and sign-ins that nothing looks at any more."""
    sessions.forget_ended_sessions(now=now)
    step_up.forget_old_codes(now=now)
    sign_ins.forget_old_sign_ins(now=now)
    pace.forget_old_counts(now=now)


def _stop_when_signalled(stop: threading.Event) -> None:
    """Stop on SIGTERM or SIGINT. A thread sets `stop`: a handler runs in the main one, wherever that is, and would wait
    for ever for the lock of an event that is being waited for, or set for the signal before.
    """
    told: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.put(None))

    def listen() -> None:
        told.get()
        stop.set()

    threading.Thread(target=listen, name="signals", daemon=True).start()


def _stop_with_parent(stop: threading.Event) -> None:
    """Stop when standard input, being a pipe, closes: whoever held its other end has ended."""
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return

    def watch() -> None:
        while os.read(0, 1024):
            pass
        stop.set()
        # What it has begun may wait for a mail server. Nobody waits for it any more, and the next worker has its own.
        threading.Event().wait(ORPHAN_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watcher", daemon=True).start()
