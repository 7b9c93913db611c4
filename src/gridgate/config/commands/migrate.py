"""`gridgate migrate`: bring an instance's tables to this version."""

import typer

from gridgate.config.commands.data_option import DataOption
from gridgate.config.loading import load_django


def migrate(data: DataOption = None) -> None:
    """Bring the tables of the registry to this version."""
    environment = load_django()
    from gridgate.config.instance import migrate as bring_up

    bring_up()
    typer.echo(f"{environment.registry} is up to date.", err=True)
