"""The command line `gridgate`: one typer application, its commands in `commands/`, one module each.

`--data` comes before Django is loaded, since Django's settings read it; hence the imports inside functions.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from gridgate import __version__
from gridgate.config.commands.audit import app as audit
from gridgate.config.commands.bench import bench
from gridgate.config.commands.check import check
from gridgate.config.commands.company import first_administrator, terms
from gridgate.config.commands.demo import demo
from gridgate.config.commands.eic import app as eic
from gridgate.config.commands.export import export
from gridgate.config.commands.imports import app as imports
from gridgate.config.commands.ingest import ingest
from gridgate.config.commands.init import init
from gridgate.config.commands.kyc import app as kyc
from gridgate.config.commands.migrate import migrate
from gridgate.config.commands.people import application, user
from gridgate.config.commands.receipt import app as receipt
from gridgate.config.commands.serve import serve, worker
from gridgate.config.failing import told_in_one_message
from gridgate.config.private import keep_private

app = typer.Typer(
    name="gridgate",
    help="The portal through which a network operator lets companies see their energy data and decide who else may.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (demo, init, serve, worker, check, migrate, ingest, export, bench):
    app.command()(command)
app.add_typer(imports, name="import")
app.add_typer(user, name="user")
app.add_typer(application, name="application")
app.add_typer(first_administrator, name="first-administrator")
app.add_typer(terms, name="terms")
app.add_typer(kyc, name="kyc")
app.add_typer(receipt, name="receipt")
app.add_typer(audit, name="audit")
app.add_typer(eic, name="eic")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gridgate {__version__}")
        raise typer.Exit


@app.callback()
def instance(
    data: Annotated[
        Path | None, typer.Option(help="Where the instance lives. Default: GRIDGATE_DATA, else ./var.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    keep_private()
    if data is not None:
        os.environ["GRIDGATE_DATA"] = str(data)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gridgate.config.settings")


def main() -> None:
    """Run the command; whatever it cannot do is one message, not a traceback."""
    with told_in_one_message():
        app()


if __name__ == "__main__":
    main()
