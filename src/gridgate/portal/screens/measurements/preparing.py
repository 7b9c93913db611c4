"""Files of several meters that are prepared: what the worker makes, and whether one may still be looked at.

Whoever asked is asked about again at each lot and at each download: whether they still act for the company, have the
service, see the point on the screen, and whether the company may read all that the file has of it. A file says of each
of its points what had to be readable for it; when less of that is readable now, the file is gone.
"""

import errno
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import Kind
from gridgate.core.sharing import Granted
from gridgate.dataplane.client import Decided, MeasurementClient
from gridgate.delivery.folder import folder
from gridgate.delivery.models import PreparedFile
from gridgate.delivery.operations import prepared_files
from gridgate.delivery.operations.prepared_files import Superseded
from gridgate.metering.models import called
from gridgate.organisations.models import Membership
from gridgate.organisations.queries import present_membership
from gridgate.portal import measurements
from gridgate.portal.screens.measurements.export_of_several import Exported, asked_of, write
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.together import meters_of, reader_of

_log = logging.getLogger(__name__)

Spans = tuple[tuple[int, int], ...]
"""Seconds since 1970, in order, each up to, not including, the second of them."""

RETRY: Final = timedelta(minutes=1)
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Stopped(Exception):
    """The worker is told to stop."""


class NoRoom(Exception):
    """All files together would take more than the operator gives them."""


@dataclass(slots=True)
class _Held:
    """What is in the file so far."""

    spans: dict[str, Spans] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    done: int = 0


def shown_of(file: PreparedFile) -> Shown:
    return Shown(file.quantity, file.direction, "dates", file.first, file.after, ())


def prepare(
    file: PreparedFile, *, clock: Callable[[], datetime], stopped: Callable[[], bool] = lambda: False
) -> None:
    """Make a claimed file, and write what became of it. Never raises what one file does to itself."""
    failure = PreparedFile.Failure
    try:
        with translation.override(file.language), folder().attempt(file.name, file.attempts) as made:
            _make(file, made, clock, stopped)
    except Superseded:
        pass  # Another worker makes it, or nobody wants it: nothing of ours is in its place.
    except Stopped:
        prepared_files.put_file_back(file)
    except NoRoom:
        prepared_files.give_file_up(file, failure.NO_ROOM)
    except OSError as error:
        if not prepared_files.is_ours(file):
            return  # what it was made in was swept away, as nobody's
        _log.error("a file asked for cannot be written: %s", error)
        if error.errno in _FULL:
            prepared_files.give_file_up(file, failure.NO_ROOM)
        else:
            prepared_files.try_file_again(file, failure.INTERRUPTED, at=clock() + RETRY)
    except GridgateError as error:
        if error.kind is not ErrorKind.UNAVAILABLE:
            raise
        _log.error("a file asked for cannot be prepared for now: %s", error)
        prepared_files.try_file_again(file, failure.UNAVAILABLE, at=clock() + RETRY)


def still_readable(file: PreparedFile, actor: Membership, *, now: datetime) -> bool:
    """Whether all that a ready file holds may be read by its person now: their points in one query, what the company may
    read of them in one more, and whether the store still has it.
    """
    if file.membership_id != actor.pk or file.rights is None:
        return False
    points: dict[str, list[Any]] = file.rights["points"]
    if not points.keys() <= set(meters_of(actor).values_list("pk", flat=True)):
        return False
    client = measurements.client()
    readable = client.readable(reader_of(actor), asked_of(shown_of(file), _zone()), list(points), at=now)
    spans = [tuple((start, end) for start, end in of_verdict) for of_verdict in file.rights["spans"]]
    known: dict[tuple[int, int], bool] = {}
    for point, (place, _first) in points.items():
        verdict = readable.granted.get(point)
        if verdict is None:
            return False
        key = (place, id(verdict))
        if key not in known:
            known[key] = _covers(_spans(verdict), spans[place])
        if not known[key]:
            return False
    firsts = _first_days(client, file, list(points))
    return not any(_erased(file, first, firsts.get(point)) for point, (_place, first) in points.items())


def forget_unreadable(*, now: datetime) -> int:
    """Take away the ready files of which something may be read no more, so that they do not lie there until somebody
    asks. Returns how many.
    """
    ready = PreparedFile.objects.filter(state=PreparedFile.State.READY)
    gone = 0
    for pk in list(
        ready.values_list("pk", flat=True)
    ):  # one by one: of 50,000 points, one is tens of megabytes
        these = ready.filter(pk=pk)
        file = these.select_related("membership__user", "membership__organisation").first()
        if file is not None and not still_readable(file, file.membership, now=now):
            gone += prepared_files.discard(these)
    return gone


def _make(file: PreparedFile, made: Path, clock: Callable[[], datetime], stopped: Callable[[], bool]) -> None:
    client, held = measurements.client(), _Held()
    actor = present_membership(file.membership_id)
    # Before anything is read: what is erased while the file is made is missed afterwards.
    firsts = _first_days(client, file, file.points)
    wanted = set(file.points)
    said = meters_of(actor).values_list("pk", "label", "address") if actor else ()
    names = {point: called(label, address, point) for point, label, address in said if point in wanted}

    def still(lot: Sequence[str]) -> set[str]:
        if stopped():
            raise Stopped
        asker = present_membership(file.membership_id)
        return set(meters_of(asker).filter(pk__in=lot).values_list("pk", flat=True)) if asker else set()

    def written(lot: Sequence[str], decided: Decided) -> None:
        held.done += len(lot)
        held.left_out += [point for point in lot if point not in decided.granted]
        held.spans |= {point: _spans(verdict) for point, verdict in decided.granted.items()}
        size = sum(path.stat().st_size for path in made.iterdir())
        prepared_files.tell_progress(file, done=held.done, size=size, now=clock())
        if prepared_files.bytes_kept() > most_bytes():
            raise NoRoom

    if actor is None:
        raise Superseded
    exported = Exported(
        client,
        reader_of(actor),
        {point: names.get(point, point) for point in file.points},
        shown_of(file),
        _zone(),
        clock,
        still,
        written,
    )
    whole = write(exported, file.format, made)
    if not held.spans:
        prepared_files.give_file_up(file, PreparedFile.Failure.NOTHING_LEFT)
        return
    rights = _rights(held.spans, firsts)
    prepared_files.finish_file(file, whole, left_out=held.left_out, rights=rights, now=clock())


def most_bytes() -> int:
    """What the files of all people may take together."""
    return int(settings.ENVIRONMENT.prepared_megabytes) * 1_000_000


def _rights(spans: Mapping[str, Spans], firsts: Mapping[str, date]) -> dict[str, Any]:
    """As it is kept: most points have the same."""
    known = {of_point: place for place, of_point in enumerate(dict.fromkeys(spans.values()))}
    days = {point: day.isoformat() for point, day in firsts.items()}
    return {
        "spans": [list(of_verdict) for of_verdict in known],
        "points": {point: [known[of_point], days.get(point)] for point, of_point in spans.items()},
    }


def _spans(verdict: Granted) -> Spans:
    """What may be read, without seams."""
    parts = sorted(
        (int(part.readable.start.timestamp()), int(part.readable.end.timestamp()))
        for part in verdict.parts
        if part.readable.end is not None
    )
    joined: list[tuple[int, int]] = []
    for start, end in parts:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _covers(now: Spans, then: Spans) -> bool:
    """
    >>> _covers(((0, 10), (20, 30)), ((0, 5), (25, 30))), _covers(((0, 10),), ((5, 15),)), _covers((), ())
    (True, False, True)
    """
    return all(any(start <= first and after <= end for start, end in now) for first, after in then)


def _first_days(client: MeasurementClient, file: PreparedFile, points: Sequence[str]) -> dict[str, date]:
    """From when on the store has anything that the file may be made of, by point."""
    flow = shown_of(file).flow
    firsts: dict[str, date] = {}
    for info in client.series(points):
        if info.key.direction is flow and info.key.kind in (Kind.LOAD_CURVE, Kind.DAILY_ENERGY):
            point = info.key.metering_point
            firsts[point] = min(info.first, firsts.get(point, info.first))
    return firsts


def _erased(file: PreparedFile, then: str | None, now: date | None) -> bool:
    """Whether days that were there are gone, of those that the file is about."""
    if then is None:
        return False
    return now is None or now > max(date.fromisoformat(then), file.first)


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)
