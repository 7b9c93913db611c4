"""`gridgate audit`: the proof that the access log, the history of rights and the receipts are what was written; signing
it, and the signatures to keep elsewhere.
"""

import email
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gridgate.config.commands.data_option import DataOption
from gridgate.config.commands.keys import JwksOption, KeyOption, given_keys
from gridgate.config.environment import Environment, read_environment
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import counted, shown, shown_lines
from gridgate.core.time import FIRST_DAY, LAST_DAY, may_be_asked
from gridgate.dataplane.accesslog import Copy, Verification, is_changes, verify
from gridgate.dataplane.accesslog.checkpoints import checkpoint_lines
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

app = typer.Typer(help="The access log.", no_args_is_help=True)


@dataclass(slots=True)
class _Registry:
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


@dataclass(slots=True)
class _Verdict:
    log: Verification
    registry: list[str] | None = None
    """How the registry's copy differs; None when it was not compared."""

    @property
    def intact(self) -> bool:
        return self.log.intact and not self.registry


@app.command("verify")
def verify_log(
    log: Annotated[
        Path | None, typer.Option(help="A copy of the log's directory: check it alone, without the registry.")
    ] = None,
    key: KeyOption = None,
    jwks: JwksOption = None,
    copy: Annotated[
        list[Path] | None,
        typer.Option(
            help="Checkpoints that were kept elsewhere: lines, or a saved e-mail. May be given again."
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%SZ"], help="Check a copy as of when it was made, in UTC. Default: now."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
    data: DataOption = None,
) -> None:
    """Check the access log against its own chain, its signed checkpoints, and the registry's copy; and the history of
    rights and the receipts, which the registry alone holds, against their signatures and the checkpoints.

    Exits with 0 when all is as it was written, 1 when it is not, 2 when that cannot be checked.
    """
    environment = read_environment()
    directory = log or environment.access_log
    if not directory.is_dir():
        raise GridgateError(
            ErrorKind.NOT_FOUND,
            f"{directory} is not a directory",
            remedy="Give the log with --log, or --data.",
        )
    keys = given_keys(key, jwks, environment)
    now = datetime.now(UTC) if as_of is None else as_of.replace(tzinfo=UTC)
    kept = [one for path in copy or () for one in _copies(path)]
    registry = _registry(keys) if log is None else None
    try:
        verdict = _Verdict(
            verify(directory, keys, now=now, sought=registry.sought if registry else None, copies=kept)
        )
        if registry is not None:
            verdict.registry = _registry_differences(environment, registry, verdict.log, keys, now)
    except OSError as error:
        raise GridgateError(
            ErrorKind.UNAVAILABLE, f"the log cannot be read: {error}", remedy="Mend it."
        ) from None
    typer.echo(
        shown_lines(json.dumps(_as_json(verdict), ensure_ascii=False) if as_json else _as_text(verdict))
    )
    raise typer.Exit(0 if verdict.intact else 1)


@app.command("reconcile")
def reconcile_registry(
    dry_run: Annotated[bool, typer.Option(help="Say what the registry lacks, and change nothing.")] = False,
    data: DataOption = None,
) -> None:
    """After a restore that was meant, make again what the registry has lost and the log says, and give up the rest.

    Exits with 0 when the two agree, 1 when changes are left that somebody has to make again, or with --dry-run when
    the registry lacks any.
    """
    from gridgate.config.loading import load_django

    environment = load_django(compares=True)
    from gridgate.config.changes import compare
    from gridgate.config.reconciling import reconcile

    if dry_run:
        lost = compare(environment).lost
        typer.echo(f"the registry lacks {counted(len(lost), 'change')} that the log holds")
        for one in lost:
            typer.echo(shown(str(one)))
        raise typer.Exit(1 if lost else 0)
    done = reconcile(environment, now=datetime.now(UTC))
    typer.echo(f"{counted(done.restored, 'change')} in the registry again, {len(done.to_make_again)} not")
    for again in done.to_make_again:
        typer.echo(f"make again if it is still wanted: {shown(again)}")
    if done.programs_signed_out is not None:
        typer.echo(f"every program signs in anew: {counted(done.programs_signed_out, 'token')} ended")
    raise typer.Exit(1 if done.to_make_again else 0)


@app.command("rebuild")
def rebuild_roll_up(
    without_lost: Annotated[
        bool,
        typer.Option("--without-lost", help="Count no longer what segments held that are lost or damaged."),
    ] = False,
    data: DataOption = None,
) -> None:
    """Make the registry's roll-up and index of the access log anew from its segments.

    Until it ends, pages say that counts are incomplete, and receipts wait to be signed. A worker may be running, and
    ends it when this is interrupted. Exits with 2, having done nothing, when lines that were counted are no more.
    """
    from gridgate.config.loading import load_django

    environment = load_django()
    from gridgate.config.access_log import count_anew

    count_anew(environment, without_lost=without_lost)
    from gridgate.audit.models import LogDay

    typer.echo(
        f"{counted(sum(LogDay.objects.values_list('entries', flat=True)), 'entry', 'entries')} counted and found"
    )


@app.command("erase")
def erase_old_reads(
    before: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="DAY",
            help="The first day that is kept, as in 2023-11-01; three years ago or earlier.",
        ),
    ],
    data: DataOption = None,
) -> None:
    """Erase the reads before a day, on the portal and in the log. What was given, ended or changed stays in it.

    The signed checkpoints stay, and one more says that it was done: gridgate audit verify still proves the rest. Exits
    with 2 when the day is too near, or the log is not intact.
    """
    from gridgate.config.loading import load_django

    environment = load_django()
    from gridgate.config.access_log import erase_reads

    if not may_be_asked(before.date()):
        raise GridgateError(
            ErrorKind.INVALID,
            f"{before.date()} is no day from {FIRST_DAY.year} to {LAST_DAY.year}",
            remedy="Write one three years ago or earlier, as in 2023-11-01.",
            where="--before",
        )
    done = erase_reads(environment, before=before.date(), now=datetime.now(UTC))
    typer.echo(f"erased: {counted(done.entries, 'entry', 'entries')}, {counted(done.segments, 'segment')}")


@app.command("sign")
def sign_log(data: DataOption = None) -> None:
    """Sign what is not signed yet, without waiting for the worker's daily round.

    Exits with 0 when it is signed, 2 when it cannot be: because the log is not intact, or the key is missing.
    """
    from gridgate.config.loading import load_django

    environment = load_django(compares=True)
    from gridgate.config.access_log import sign_now

    made = sign_now(environment, datetime.now(UTC))
    typer.echo(f"signed: checkpoint {made.number}, {counted(len(made.segments), 'segment')} had grown")


@app.command("checkpoints")
def print_checkpoints(
    last: Annotated[int | None, typer.Option(min=1, help="Only the last so many. Default: all.")] = None,
    data: DataOption = None,
) -> None:
    """Print the signed checkpoints, one a line, to keep on another machine."""
    lines = checkpoint_lines(read_environment().access_log)
    for line in lines if last is None else lines[-last:]:
        typer.echo(line)


def _copies(path: Path) -> Iterator[Copy]:
    """The checkpoints in a file of lines, or in the body and the attachments of a saved e-mail."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise GridgateError(
            ErrorKind.NOT_FOUND,
            f"{path} cannot be read: {error.strerror}",
            remedy="Check its name and rights.",
        ) from None
    texts = [content]
    for part in email.message_from_bytes(content).walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            texts.append(payload)
    lines = [line.strip() for text in texts for line in text.splitlines()]
    found = list(dict.fromkeys(line for line in lines if line.startswith(b'{"payload":')))
    if not found:
        raise GridgateError(
            ErrorKind.INVALID,
            f"{path} holds no checkpoint",
            remedy="Give lines of gridgate audit checkpoints, or the e-mail saved with its attachment.",
        )
    for line in found:
        yield Copy(str(path), line)


def _registry(keys: Sequence[Ed25519PublicKey]) -> _Registry:
    from gridgate.config.loading import load_django

    load_django(compares=True)
    from gridgate.audit.checkpoints import known_checkpoints
    from gridgate.audit.verify import folded
    from gridgate.sharing.receipts.checking import Claim, checked

    known = _Registry(known_checkpoints(), [], folded())
    for number, found in checked(keys):
        if isinstance(found, Claim):
            known.claims.append(found)
        else:
            known.faults.append(f"receipt {number}: {found}")
    return known


def _registry_differences(
    environment: Environment,
    known: _Registry,
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
    from gridgate.config.access_log import lines_of

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


def _checkpoints(known: _Registry, log: Verification) -> Iterator[str]:
    from gridgate.audit.checkpoints import differing
    from gridgate.config.access_log import signed

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


def _as_text(verdict: _Verdict) -> str:
    log = verdict.log
    signed = f"{log.signed} of them under {counted(log.checkpoints, 'signed checkpoint')}"
    logged = counted(log.entries, "entry", "entries")
    if log.changes:
        logged += f" and {counted(log.changes, 'change')}"
    whole = f"{logged} in {counted(log.segments, 'segment')}, {signed}"
    if verdict.intact:
        agrees = "" if verdict.registry is None else "; the registry agrees"
        lines = [f"intact: {whole}{agrees}"]
    else:
        faults = [f"{fault.where}: {fault.what}" for fault in log.faults] + (verdict.registry or [])
        lines = [f"NOT INTACT: {counted(len(faults), 'fault')} in {whole}", *faults]
    lines += [f"note: {torn.where} {torn.what}; what it was to log was not answered" for torn in log.torn]
    lines += [f"note: {note.where} {note.what}" for note in log.notes]
    return "\n".join(lines)


def _as_json(verdict: _Verdict) -> dict[str, Any]:
    log = verdict.log
    return {
        "intact": verdict.intact,
        "segments": log.segments,
        "entries": log.entries,
        "changes": log.changes,
        "signed": log.signed,
        "checkpoints": log.checkpoints,
        "faults": [asdict(fault) for fault in log.faults],
        "torn": [asdict(torn) for torn in log.torn],
        "notes": [asdict(note) for note in log.notes],
        "registry": verdict.registry,
    }
