"""Asking for a file of measurements, preparing it once, and taking it away.

A file is claimed by a conditional UPDATE, as an e-mail is: whoever changes the row has it, for a while, and says after
each part that it still works on it. Of a worker that died the claim runs out, and the next one begins again. The row is
what counts: a file that no row names is removed, and is given to nobody before.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.delivery.folder import folder
from gridgate.delivery.models import PreparedFile
from gridgate.organisations.models import Membership

KEPT: Final = timedelta(hours=24)
LEASE: Final = timedelta(minutes=2)
MOST_ATTEMPTS: Final = 3
MOST_FILES: Final = 3
"""Of one person at a time, for all companies; those that failed are not counted, and so many of them are told still."""

_S = PreparedFile.State
_F = PreparedFile.Failure


class TooManyFiles(GridgateError):
    """The person has as many files as one may."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.CONFLICT, f"{MOST_FILES} files are kept already")


class NoRoomForFiles(GridgateError):
    """The files of all people take the room that the operator gives them."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.CONFLICT, "the prepared files take all the room they may")


class Superseded(GridgateError):
    """The file that is being made is wanted no more, or another worker makes it."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.CONFLICT, "this file is not ours to make any more")


@dataclass(frozen=True, slots=True)
class FileAsked:
    """What a file is to hold."""

    quantity: str
    direction: str
    first: date
    after: date
    points: Sequence[str]
    address: str
    format: str
    language: str


def ask_for_file(*, actor: Membership, asked: FileAsked, most_bytes: int, now: datetime) -> PreparedFile:
    """Have a file prepared. Asked for twice while it waits, it is prepared once; one that failed is begun anew.

    Raises `TooManyFiles`, `NoRoomForFiles`.
    """
    with transaction.atomic():
        mine = PreparedFile.objects.filter(membership__user=actor.user_id, expires_at__gt=now)
        same = mine.filter(
            membership=actor, address=asked.address, format=asked.format, language=asked.language
        )
        discard(same.filter(state=_S.FAILED))
        failed = mine.filter(state=_S.FAILED).order_by("-created_at", "-pk").values_list("pk", flat=True)
        discard(mine.filter(pk__in=list(failed[MOST_FILES:])))
        if waiting := same.filter(state=_S.WAITING).first():
            return waiting
        if mine.exclude(state=_S.FAILED).count() >= MOST_FILES:
            raise TooManyFiles
        if bytes_kept() >= most_bytes:
            raise NoRoomForFiles
        return PreparedFile.objects.create(
            membership=actor,
            name=secrets.token_hex(16),
            quantity=asked.quantity,
            direction=asked.direction,
            first=asked.first,
            after=asked.after,
            points=list(asked.points),
            count=len(asked.points),
            address=asked.address,
            format=asked.format,
            language=asked.language,
            created_at=now,
            expires_at=now + KEPT,
        )


def files_of(*, actor: Membership, now: datetime) -> QuerySet[PreparedFile]:
    """Those that the actor asked for, for that company, and that are kept; the newest first, without their long lists."""
    mine = PreparedFile.objects.filter(membership=actor, expires_at__gt=now)
    return mine.defer("points", "rights").order_by("-created_at", "-pk")


def discard(files: QuerySet[PreparedFile]) -> int:
    """Take files away, those on disk once the rows are gone for good; returns how many."""
    with transaction.atomic():  # one that is finished, and kept for another day, meanwhile is none of them
        names = list(files.values_list("name", flat=True))
        PreparedFile.objects.filter(name__in=names).delete()
        transaction.on_commit(partial(folder().remove, names))
    return len(names)


def bytes_kept() -> int:
    """What all files take, those that are being made included."""
    return PreparedFile.objects.aggregate(total=Sum("size"))["total"] or 0


# --- the worker's side --------------------------------------------------------------------------------------


def claim_file(*, now: datetime) -> PreparedFile | None:
    """Take a file that nobody prepares; None when there is none. One that was begun too often is given up."""
    waiting = PreparedFile.objects.filter(state=_S.WAITING, expires_at__gt=now)
    free = waiting.filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now))
    for pk, attempts in free.order_by("created_at", "pk").values_list("pk", "attempts")[:20]:
        as_seen = free.filter(pk=pk, attempts=attempts)
        if attempts >= MOST_ATTEMPTS:
            as_seen.update(state=_S.FAILED, failure=_F.INTERRUPTED, size=0)
        elif as_seen.update(leased_until=now + LEASE, attempts=attempts + 1):
            # Gone when it is cancelled in this moment, and another's when this took longer than the lease.
            ours = PreparedFile.objects.filter(pk=pk, state=_S.WAITING, attempts=attempts + 1)
            file = ours.select_related("membership__user", "membership__organisation").first()
            if file is not None:
                return file
    return None


def is_ours(file: PreparedFile) -> bool:
    """Whether a claimed file is wanted still, and nobody else makes it."""
    return _claimed(file).exists()


def tell_progress(file: PreparedFile, *, done: int, size: int, now: datetime) -> None:
    """Say how far it is, which keeps the claim. Raises `Superseded`."""
    if not _claimed(file).update(done=done, size=size, leased_until=now + LEASE):
        raise Superseded


def finish_file(
    file: PreparedFile, made: Path, *, left_out: Sequence[str], rights: dict[str, Any], now: datetime
) -> None:
    """Put what was made in its place, with the rights that it was made with: nobody else writes either meanwhile.

    Raises `Superseded`, and `OSError`: then nothing is changed.
    """
    size = folder().flush(made)
    with transaction.atomic():
        written = _claimed(file).update(
            state=_S.READY,
            size=size,
            done=file.count,
            left_out=list(left_out),
            rights=rights,
            ready_at=now,
            expires_at=now + KEPT,
            leased_until=None,
        )
        if not written:
            raise Superseded
        folder().keep(made, file.name)


def give_file_up(file: PreparedFile, failure: PreparedFile.Failure) -> None:
    """Say why it is not prepared, and that nobody will try again."""
    _claimed(file).update(state=_S.FAILED, failure=failure, size=0, done=0, leased_until=None)


def put_file_back(file: PreparedFile) -> None:
    """Leave it to the next worker, which may begin at once: this one stops."""
    _claimed(file).update(leased_until=None, attempts=F("attempts") - 1, done=0, size=0)


def try_file_again(file: PreparedFile, failure: PreparedFile.Failure, *, at: datetime) -> None:
    """Leave it for later, as one attempt that failed; the last one fails it, for that reason."""
    if file.attempts >= MOST_ATTEMPTS:
        give_file_up(file, failure)
    else:
        _claimed(file).update(leased_until=at, done=0, size=0)


def forget_over(*, now: datetime) -> int:
    """Take away files whose day is over, or whose person acts for the company no more, and what no row names.

    Returns how many rows. Doing it twice does nothing more.
    """
    found = folder().found()  # Before the rows: what comes between has its row already.
    present = Membership.objects.present(now).filter(user__is_active=True)
    gone = discard(PreparedFile.objects.filter(Q(expires_at__lte=now) | ~Q(membership__in=present)))
    rows = PreparedFile.objects.exclude(state=_S.FAILED).values_list("name", "attempts", "state")
    folder().sweep(found, {name: attempts if state == _S.WAITING else None for name, attempts, state in rows})
    return gone


def some_are_ready() -> bool:
    return PreparedFile.objects.filter(state=_S.READY).exists()


def _claimed(file: PreparedFile) -> QuerySet[PreparedFile]:
    return PreparedFile.objects.filter(pk=file.pk, state=_S.WAITING, attempts=file.attempts)
