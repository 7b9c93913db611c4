"""`gridgate migrate`: bring an instance's tables to this version."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from gridgate.config.commands.data_option import DataOption
from gridgate.config.files import measurements_fault, require
from gridgate.config.loading import load_django
from gridgate.core.text import counted
from gridgate.dataplane.store import open_store


def migrate(
    new_measurements: Annotated[
        bool,
        typer.Option(
            "--new-measurements", help="Make an empty measurement store in place of one that is lost."
        ),
    ] = False,
    data: DataOption = None,
) -> None:
    """Bring the tables of the registry to this version, and what it counts of the access log up to date."""
    environment = load_django(older_will_do=True)
    if not new_measurements and not environment.measurements.exists():
        require(measurements_fault(environment))
    from gridgate.config.instance import migrate as bring_up

    bring_up()
    from gridgate.kyc.operations.forms import publish_built_in_form

    publish_built_in_form(now=datetime.now(UTC))
    from gridgate.config.access_log.folding import fold_access_log

    # Before anything is served: a receipt signed meanwhile would say that nothing had been read.
    if added := fold_access_log(environment):
        typer.echo(
            f"{environment.access_log}: {counted(added, 'entry', 'entries')} counted and found", err=True
        )
    if new_measurements:
        open_store(environment.measurements, zone=environment.zone).close()
    typer.echo(f"{environment.registry} is up to date.", err=True)
