"""`gridgate audit`: the proof that the access log, the history of rights and the receipts are what was written; signing
it, and the signatures to keep elsewhere.
"""

import email
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gridgate.config.commands.data_option import DataOption
from gridgate.config.commands.keys import JwksOption, KeyOption, given_keys
from gridgate.config.environment import read_environment
from gridgate.config.registry_proof import differences, what_registry_knows
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import counted, shown, shown_lines
from gridgate.core.time import FIRST_DAY, LAST_DAY, may_be_asked
from gridgate.dataplane.accesslog import Copy, Verification, verify
from gridgate.dataplane.accesslog.checkpoints import checkpoint_lines

app = typer.Typer(help="The access log.", no_args_is_help=True)


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
    registry = what_registry_knows(keys) if log is None else None
    try:
        verdict = _Verdict(
            verify(directory, keys, now=now, sought=registry.sought if registry else None, copies=kept)
        )
        if registry is not None:
            verdict.registry = differences(environment, registry, verdict.log, keys, now)
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
    from gridgate.config.access_log.folding import count_anew

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
    from gridgate.config.access_log.erasing import erase_reads

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
    from gridgate.config.access_log.signing import sign_now

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
    checkpoints = list(dict.fromkeys(line for line in lines if line.startswith(b'{"payload":')))
    if not checkpoints:
        raise GridgateError(
            ErrorKind.INVALID,
            f"{path} holds no checkpoint",
            remedy="Give lines of gridgate audit checkpoints, or the e-mail saved with its attachment.",
        )
    for line in checkpoints:
        yield Copy(str(path), line)


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
