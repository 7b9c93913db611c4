"""`--data`, accepted before the command and after it."""

import os
from pathlib import Path
from typing import Annotated

import typer


def _use(data: Path | None) -> Path | None:
    if data is not None:
        os.environ["GRIDGATE_DATA"] = str(data)
    return data


DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", callback=_use, help="Where the instance lives. Default: GRIDGATE_DATA, else ./var."
    ),
]
