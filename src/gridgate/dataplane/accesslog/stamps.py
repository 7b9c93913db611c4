"""The stamps of the log's lines against the checkpoints before and after them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from gridgate.core.text import counted
from gridgate.dataplane.accesslog.checkpoints import INTERVAL
from gridgate.dataplane.accesslog.findings import Mark, Verification, utc_text
from gridgate.dataplane.accesslog.reading import Fault, SegmentReading, Span
from gridgate.dataplane.accesslog.segments import CHECKPOINTS, end_of_segment
from gridgate.dataplane.accesslog.signing import LATE, When


def check_stamps(
    marks: dict[str, list[Mark]],
    readings: dict[str, SegmentReading],
    verification: Verification,
    signed: Sequence[When],
    now: datetime,
) -> None:
    """What a checkpoint names for the first time was written since the one before it, and what none names since the
    last one, and not long ago.
    """
    spans = [
        (
            name,
            span,
            next((mark.place for mark in marks.get(name, ()) if span.last <= mark.lines), len(signed)),
        )
        for name, reading in readings.items()
        for span in reading.spans
    ]
    _tell_wrong_clocks(spans, signed, verification)
    unsigned: dict[str, datetime] = {}
    belated: dict[int, datetime] = {}
    for name, span, place in spans:
        if place:
            verification.faults += _backdated(
                name, span, verification.signatures[place - 1].number, signed[place - 1]
            )
        if span.earliest is None:
            continue
        if place == len(signed):
            unsigned[name] = min(span.earliest, unsigned.get(name, span.earliest))
        elif span.earliest < signed[place].not_after - INTERVAL:
            number = verification.signatures[place].number
            belated[number] = min(span.earliest, belated.get(number, span.earliest))
    old = {name: at for name, at in unsigned.items() if at < now - INTERVAL}
    if old:
        verification.faults.append(
            Fault(
                CHECKPOINTS,
                f"no checkpoint covers lines in {counted(len(old), 'segment')}, the oldest of "
                f"{utc_text(min(old.values()))}, and the log "
                "is to be signed every day: find out why the worker did not, then run gridgate audit sign",
            )
        )
    verification.notes += [
        Fault(
            f"{CHECKPOINTS}:{number}",
            f"is the first to cover lines as old as {utc_text(at)}; whether they were changed before it was signed, "
            "it cannot tell",
        )
        for number, at in sorted(belated.items())
    ]


def _tell_wrong_clocks(
    spans: Iterable[tuple[str, Span, int]], signed: Sequence[When], verification: Verification
) -> None:
    """Say which checkpoints tell a wrong time. What one of them knew was there by then, so that it was signed later than
    the lines that it knew say, if they were not stamped by that clock too.
    """
    wrong = {place for place, when in enumerate(signed) if not when.is_told}
    if not wrong:
        return
    known: dict[int, datetime] = {}
    for _name, span, place in spans:
        if place in wrong and span.latest is not None and span.latest <= signed[place].not_after:
            known[place] = max(span.latest, known.get(place, span.latest))
    since: datetime | None = None
    for place, when in enumerate(signed):
        if place not in wrong:
            since = when.not_before
            continue
        since = when.not_before = max(
            (at for at in (since, when.not_before, known.get(place)) if at is not None), default=None
        )
        checkpoint = verification.signatures[place]
        from_then = f"from {utc_text(since)} on, and " if since is not None else ""
        what = (
            f"is stamped {utc_text(checkpoint.at)} by a clock that was wrong: as the others and this check’s own "
            f"clock say, it was signed {from_then}no later than {utc_text(when.not_after)}"
        )
        verification.notes.append(Fault(f"{CHECKPOINTS}:{checkpoint.number}", what))


def _backdated(name: str, span: Span, number: int, signed: When) -> Iterator[Fault]:
    """Lines that say they are older than a checkpoint that did not know them."""
    if signed.not_before is None:
        return
    after = "" if signed.is_told else "after "
    told = f"checkpoint {number}, signed {after}{utc_text(signed.not_before)}, did not know"
    if span.earliest is not None and span.earliest < signed.not_before - LATE:
        yield Fault(f"{name}:{span.line}", f"is stamped {utc_text(span.earliest)}, and {told} the line")
    elif span.first == 1 and (ended := end_of_segment(name)) is not None and ended < signed.not_before - LATE:
        yield Fault(name, f"is of a day that was over, and {told} the segment")
