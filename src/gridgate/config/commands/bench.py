"""`gridgate bench`: what this machine serves."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

import gridgate
from gridgate.core.errors import ErrorKind, GridgateError


def bench(
    rounds: Annotated[int, typer.Option(help="How often each workload is measured.")] = 5,
    seconds: Annotated[int, typer.Option(help="How long each time.")] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="Two rounds of two seconds.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 when a budget is missed.")] = False,
) -> None:
    """Measure what this machine serves, beside a bare route in the same run, on an instance of its own."""
    root = Path(gridgate.__file__).resolve().parents[2]
    if not (root / "benchmarks" / "__main__.py").is_file():
        raise GridgateError(
            ErrorKind.NOT_FOUND,
            "the benchmarks are not installed with the package",
            remedy="Run this command, or make bench, in a checkout of the source.",
        )
    arguments = ["--rounds", str(rounds), "--seconds", str(seconds)]
    arguments += ["--quick"] * quick + ["--check"] * check
    command = [sys.executable, "-m", "benchmarks", *arguments]
    finished = subprocess.run(command, cwd=root, check=False)  # noqa: S603  our own module, numbers and flags
    raise typer.Exit(finished.returncode)
