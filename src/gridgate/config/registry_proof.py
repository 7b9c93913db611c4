"""Where the registry does not say the same as the access log: reads, changes, checkpoints, rights and receipts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gridgate.config.environment import Environment
from gridgate.core.text import counted
from gridgate.dataplane.accesslog import Verification, is_changes
from gridgate.dataplane.accesslog.damage import DamagedSegment
from gridgate.dataplane.accesslog.segments import (
    CHANGES_SUFFIX,
    CHECKPOINTS,
    day_of_segment,
    segment_name,
    segment_paths,
)

if TYPE_CHECKING:
    from gridgate.audit.operations.progress import Position
    from gridgate.audit.operations.roll_up import LogLine
    from gridgate.sharing.receipts.checking import Claim


@dataclass(slots=True)
class RegistryKnows:
    """What the registry knows of the log, read before the files: what is written meanwhile is then in both."""

    checkpoints: dict[int, str]
    claims: "list[Claim]"
    """Where receipts say that the log stood."""
    folded: "dict[str, Position]"
    """How far the roll-up goes, by segment."""
    faults: list[str] = field(default_factory=list)
    """Of the receipts themselves."""

    @property
    def sought(self) -> dict[str, set[str]]:
        heads: dict[str, set[str]] = {}
        for claim in self.claims:
            heads.setdefault(claim.segment, set()).add(claim.head)
        for name, position in self.folded.items():
            heads.setdefault(name, set()).add(position.head)
        return heads


def what_registry_knows(keys: Sequence[Ed25519PublicKey]) -> RegistryKnows:
    from gridgate.config.loading import load_django

    load_django(compares=True)
    from gridgate.audit.checkpoints import known_checkpoints
    from gridgate.audit.verify import folded
    from gridgate.sharing.receipts.checking import Claim, checked

    known = RegistryKnows(known_checkpoints(), [], folded())
    for number, finding in checked(keys):
        if isinstance(finding, Claim):
            known.claims.append(finding)
        else:
            known.faults.append(f"receipt {number}: {finding}")
    return known


def differences(
    environment: Environment,
    known: RegistryKnows,
    log: Verification,
    keys: Sequence[Ed25519PublicKey],
    now: datetime,
) -> list[str]:
    """Everything in which the registry and the log do not say the same."""
    return [
        *_reads(environment, log, now),
        *_folded(known.folded, log),
        *_changes(environment, log, now),
        *_present(),
        *_checkpoints(known, log),
        *_rights(environment, log, keys),
        *known.faults,
        *_receipts(known.claims, log),
    ]


def _reads(environment: Environment, log: Verification, now: datetime) -> Iterator[str]:
    from gridgate.audit.verify import Comparison, retention_faults, snapshot, unknown_segments

    with snapshot():
        yield from retention_faults(now=now)
        paths = {
            segment_name(path): path for path in segment_paths(environment.access_log) if not is_changes(path)
        }
        for name in unknown_segments(names=paths):
            if log.has_erased(name):  # a death left it known, or whoever folded it meanwhile
                continue
            yield f"{name}: the registry has folded it, and it is not there"
        comparison = Comparison(now)
        for name, path in paths.items():
            yield from comparison.segment(name, day_of_segment(name), _legible(path, log))
        yield from comparison.end()


def _legible(path: Path, log: Verification) -> "Iterator[LogLine]":
    """The lines up to where its file is damaged, or too many are none, which the log's own check tells."""
    from gridgate.config.access_log.reading import lines_of

    with suppress(DamagedSegment):
        yield from islice(lines_of(path), log.given_up.get(segment_name(path)))


def _folded(folded: "Mapping[str, Position]", log: Verification) -> Iterator[str]:
    """Where the registry says that a segment stood: what the next receipts say of it too."""
    for name, position in folded.items():
        if position.lines and name in log.located:
            line = log.located[name].get(position.head)
            if line is None and name in log.given_up:
                continue
            if line != position.lines:
                yield f"{name}: it did not stand where the registry says after {counted(position.lines, 'line')}"


def _changes(environment: Environment, log: Verification, now: datetime) -> Iterator[str]:
    from gridgate.audit.verify import LATE
    from gridgate.config.changes import compare

    if unread := [name for name in log.given_up if name.endswith(CHANGES_SUFFIX)]:
        yield f"{unread[0]}: it was not read to its end, so that no change was compared with the registry"
        return
    found = compare(environment)
    for one in found.lost:
        yield f"{one.where}: it says “{one}”, and the registry lacks it"
    for change in found.unlogged:  # what a death has just left out is written at the next start
        if datetime.fromisoformat(change.says["at"]) < now - LATE:
            yield f"{change.kind} {change.id}: the registry has it, and the log does not"


def _present() -> Iterator[str]:
    from gridgate.sharing.checking import contradictions

    return contradictions()


def _checkpoints(known: RegistryKnows, log: Verification) -> Iterator[str]:
    from gridgate.audit.checkpoints import differing
    from gridgate.config.access_log.signing import signed

    there = [signed(checkpoint) for checkpoint in log.signatures]
    for number, what in differing(known=known.checkpoints, there=there):
        yield f"{CHECKPOINTS}:{number}: {what}"


def _rights(environment: Environment, log: Verification, keys: Sequence[Ed25519PublicKey]) -> Iterator[str]:
    from gridgate.audit.changes import RIGHTS
    from gridgate.audit.checkpoints import rights_contradicted
    from gridgate.audit.events import broken_links
    from gridgate.config.changes import all_given_up

    given_up = all_given_up(environment)
    for event in broken_links():
        yield (
            f"change of rights {event.pk} ({event.action}): it, or its link to the one before, is not as it was written"
        )
    yield from rights_contradicted(
        (checkpoint.number, rights)
        for checkpoint in log.signatures
        if checkpoint.signed_by_one_of(keys)
        and (rights := checkpoint.payload.get("rights"))
        and (RIGHTS, str(rights["last"]), rights["head"]) not in given_up
    )


def _receipts(claims: "Iterable[Claim]", log: Verification) -> Iterator[str]:
    """The head that a receipt names must be a value of the chain of the segment it names."""
    for claim in claims:
        if claim.segment not in log.located and log.has_erased(claim.segment):
            continue
        line = log.located.get(claim.segment, {}).get(claim.head)
        if line is None and claim.segment in log.given_up:
            continue
        if line is None:
            yield f"receipt {claim.number}: {claim.segment} never stood where it says"
        elif claim.lines not in (None, line):
            yield f"receipt {claim.number}: {claim.segment} stood there after {counted(line, 'line')}, not {claim.lines}"
