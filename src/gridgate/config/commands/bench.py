"""`gridgate bench`: what this machine serves, takes in, adds up and ends."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

import gridgate
from gridgate.core.errors import ErrorKind, GridgateError


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="A look, of few points and rounds.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 when a budget is missed.")] = False,
) -> None:
    """Measure what this machine does and what it costs, beside peers in the same run, on instances of its own."""
    root = Path(gridgate.__file__).resolve().parents[2]
    if not (root / "benchmarks" / "__main__.py").is_file():
        raise GridgateError(
            ErrorKind.NOT_FOUND,
            "the benchmarks are not installed with the package",
            remedy="Run this command, or make bench, in a checkout of the source.",
        )
    command = [sys.executable, "-m", "benchmarks", *["--quick"] * quick, *["--check"] * check]
    finished = subprocess.run(command, cwd=root, check=False)  # noqa: S603  our own module, and flags
    raise typer.Exit(finished.returncode)
