"""`gridgate init`: an empty instance."""

import shlex
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from gridgate.config.commands.data_option import DataOption
from gridgate.config.loading import load_django
from gridgate.config.private import open_to_others


def init(
    operator: Annotated[str, typer.Option(help="Legal name of the network operator.")],
    siren: Annotated[str, typer.Option(help="Its SIREN; leave the default if it has none.")] = "000000000",
    data: DataOption = None,
) -> None:
    """Make an empty instance: its folders, tables, keys and the operator's organisation."""
    environment = load_django(must_exist=False)
    from gridgate.config.instance import create_instance

    create_instance(environment, operator=operator, siren=siren, now=datetime.now(UTC))
    if open_to_others(environment.data):
        typer.echo(
            f"{environment.data} is open to other users of this machine, and was left so: it holds files that are not "
            f"Gridgate's. Move them, or run: chmod -R go-rwx {shlex.quote(str(environment.data.resolve()))}",
            err=True,
        )
    Console(stderr=True, highlight=False).print(
        f"{environment.data} is ready. Next: gridgate import points FILE.csv, gridgate import holders FILE.csv, "
        "gridgate user add ADDRESS, gridgate ingest FILE, gridgate serve.",
        soft_wrap=True,
    )
