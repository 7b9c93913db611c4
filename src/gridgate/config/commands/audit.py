"""`gridgate audit verify`: the proof that the access log and the history of rights are what was written."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgate.config.commands.data_option import DataOption
from gridgate.config.commands.keys import JwksOption, KeyOption, given_keys
from gridgate.config.environment import Environment, read_environment
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import shown_lines
from gridgate.dataplane.accesslog import Verification, verify
from gridgate.dataplane.accesslog.segments import is_changes, segment_paths

if TYPE_CHECKING:
    from gridgate.audit.operations import LogLine

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
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
    data: DataOption = None,
) -> None:
    """Check the access log against its own chain, its signed checkpoints, and the registry's copy; and the history of
    rights, which the registry alone holds, against its chain.

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
    try:
        verdict = _Verdict(verify(directory, given_keys(key, jwks, environment)))
        if log is None:
            verdict.registry = _registry_differences(environment)
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

    environment = load_django()
    from gridgate.config.changes import compare
    from gridgate.config.reconciling import reconcile

    if dry_run:
        lost = compare(environment).lost
        typer.echo("\n".join([f"the registry lacks {len(lost)} changes that the log holds", *map(str, lost)]))
        raise typer.Exit(1 if lost else 0)
    done = reconcile(environment, now=datetime.now(UTC))
    typer.echo(f"{done.restored} changes are in the registry again, {len(done.to_make_again)} are not")
    for one in done.to_make_again:
        typer.echo(f"make again if it is still wanted: {one}")
    raise typer.Exit(1 if done.to_make_again else 0)


def _registry_differences(environment: Environment) -> list[str]:
    from gridgate.config.loading import load_django

    load_django()
    from gridgate.audit.events import broken_links
    from gridgate.audit.verify import differences, unknown_segments
    from gridgate.config.changes import compare

    paths = segment_paths(environment.access_log)
    found = [
        f"{name}: the registry has folded it, and it is not there"
        for name in unknown_segments(names=[path.name for path in paths])
    ]
    for path in paths:
        if is_changes(path):
            continue
        for number, what in differences(segment=path.name, lines=_lines(path)):
            found.append(f"{path.name}:{number}: {what}")
    found += [f"{one.where}: it says “{one}”, and the registry lacks it" for one in compare(environment).lost]
    found += [
        f"change of rights {event.pk} ({event.action}): it, or its link to the one before, is not as it was written"
        for event in broken_links()
    ]
    return found


def _lines(path: Path) -> "Iterator[LogLine]":
    from gridgate.audit.operations import LogLine

    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.endswith(b"\n"):
                return
            try:
                entry = json.loads(raw)
            except ValueError:
                entry = {"genesis": None}  # the chain has said it already
            yield LogLine(number, None if "genesis" in entry else entry)


def _as_text(verdict: _Verdict) -> str:
    log = verdict.log
    signed = f"{log.signed} of them under {log.checkpoints} signed checkpoints"
    counted = f"{log.entries} entries in {log.segments} segments, {signed}"
    if verdict.intact:
        agrees = "" if verdict.registry is None else "; the registry agrees"
        lines = [f"intact: {counted}{agrees}"]
    else:
        faults = [f"{fault.where}: {fault.what}" for fault in log.faults] + (verdict.registry or [])
        lines = [f"NOT INTACT: {len(faults)} faults in {counted}", *faults]
    lines += [f"note: {torn.where} {torn.what}; what it was to log was not answered" for torn in log.torn]
    return "\n".join(lines)


def _as_json(verdict: _Verdict) -> dict[str, Any]:
    log = verdict.log
    return {
        "intact": verdict.intact,
        "segments": log.segments,
        "entries": log.entries,
        "signed": log.signed,
        "checkpoints": log.checkpoints,
        "faults": [asdict(fault) for fault in log.faults],
        "torn": [asdict(torn) for torn in log.torn],
        "registry": verdict.registry,
    }
