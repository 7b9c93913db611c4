"""`gridgate migrate`: bring an instance's tables to this version."""

from datetime import UTC, datetime

import typer

from gridgate.config.commands.data_option import DataOption
from gridgate.config.loading import load_django


def migrate(data: DataOption = None) -> None:
    """Bring the tables of the registry to this version."""
    environment = load_django()
    from gridgate.config.instance import migrate as bring_up

    bring_up()
    from gridgate.organisations.operations import publish_built_in_form

    publish_built_in_form(now=datetime.now(UTC))
    typer.echo(f"{environment.registry} is up to date.", err=True)
