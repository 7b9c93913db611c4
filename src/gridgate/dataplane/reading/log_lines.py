"""The lines of the access log for a read."""

from collections.abc import Sequence

from gridgate.core.sharing import Granted, RefusalReason, Refused, Wanted
from gridgate.dataplane.accesslog import AccessEntry
from gridgate.dataplane.accesslog.entry import GRANTED
from gridgate.dataplane.reading.reader import Reader
from gridgate.dataplane.registry.port import PointFacts


def entries(
    reader: Reader,
    wanted: Wanted,
    verdict: Granted | Refused | str,
    *,
    channel: str,
    point: PointFacts | None,
    counts: Sequence[int] = (),
) -> list[AccessEntry]:
    """The lines of the access log for a read: one for each part of what was granted, with its own holder and
    permission; `counts` are the values of each.
    """
    if not isinstance(verdict, Granted):
        return [_entry(reader, wanted, verdict, channel=channel, point=point)]
    return [
        _entry(reader, wanted, part, channel=channel, point=point, values=count)
        for part, count in zip(verdict.parts, counts or [0] * len(verdict.parts), strict=True)
    ]


def _entry(
    reader: Reader,
    wanted: Wanted,
    verdict: Granted | Refused | str,
    *,
    channel: str,
    point: PointFacts | None,
    values: int = 0,
) -> AccessEntry:
    """The line of the access log for a read. A `str` verdict is a refusal in a façade's own word.

    A refusal is shown to whoever holds the point at the time, so that a holder sees who tried; that of a company which
    held it or will is shown to itself alone. What was permitted by another holder, and is over, is no reason to tell
    this one: to them there is no permission.
    """
    line = verdict.line if isinstance(verdict, Granted) else None
    shown_to = point.journal_of if point else None
    if isinstance(verdict, Refused) and verdict.holder not in (None, shown_to):
        verdict = Refused(RefusalReason.NO_PERMISSION)
    period = verdict.readable if isinstance(verdict, Granted) else wanted.period
    outcome = (
        verdict.reason.value
        if isinstance(verdict, Refused)
        else verdict
        if isinstance(verdict, str)
        else GRANTED
    )
    return AccessEntry(
        at=wanted.at,
        channel=channel,
        outcome=outcome,
        reader=reader.organisation,
        reader_name=reader.organisation_name,
        user=reader.user,
        user_name=reader.user_name,
        application=reader.application,
        permission=line.permission if line else None,
        basis=line.basis.value if line else None,
        metering_point=wanted.metering_point,
        holder=line.holder if line else shown_to,
        kind=wanted.kind.value,
        direction=wanted.direction.value,
        start=period.start,
        end=period.end,
        as_of=wanted.as_of,
        values=values,
    )
