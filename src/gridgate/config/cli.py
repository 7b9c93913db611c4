"""The command line `gridgate`: one typer application, its commands in `commands/`, one module each.

A command's module is imported when that command is asked for, and all of them for the help: what one needs, the others
do not wait for. `--data` comes before Django is loaded, since Django's settings read it; hence the imports inside
functions.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from gridgate import __version__
from gridgate.config.failing import told_in_one_message

COMMANDS: Final = {
    "demo": "demo:demo",
    "init": "init:init",
    "serve": "serve:serve",
    "worker": "serve:worker",
    "check": "check:check",
    "migrate": "migrate:migrate",
    "ingest": "ingest:ingest",
    "watch": "watch:watch",
    "export": "export:export",
    "bench": "bench:bench",
    "import": "imports:app",
    "user": "people:user",
    "application": "people:application",
    "first-administrator": "company:first_administrator",
    "terms": "company:terms",
    "kyc": "kyc:app",
    "receipt": "receipt:app",
    "audit": "audit:app",
    "eic": "eic:app",
}
"""Where each is, below `commands/`: a function, or a group of commands of its own."""


class Commands(TyperGroup):
    """The commands of `COMMANDS`, in that order, each loaded when it is asked for."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]  # their names, for what is said of a slip

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in COMMANDS and self.commands[cmd_name] is None:
            self.commands[cmd_name] = _loaded(cmd_name)
        return self.commands.get(cmd_name)


def _loaded(name: str) -> Any:
    module, _, attribute = COMMANDS[name].partition(":")
    command = getattr(import_module(f"gridgate.config.commands.{module}"), attribute)
    if isinstance(command, typer.Typer):
        group = get_group(command)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(command)
    return get_command(alone)


app = typer.Typer(
    name="gridgate",
    cls=Commands,
    help="The portal through which a network operator lets companies see their energy data and decide who else may.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
    from gridgate.config.private import keep_private

    keep_private()
    if data is not None:
        os.environ["GRIDGATE_DATA"] = str(data)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gridgate.config.settings")


def main() -> None:
    """Run the command; whatever it cannot do is one message, not a traceback."""
    # NumPy starts threads for the algebra of matrices, of which there is none here, when it is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Of those of Polars more than two gain nothing, and each has memory of its own.
    os.environ.setdefault("POLARS_MAX_THREADS", str(min(2, os.cpu_count() or 1)))
    with told_in_one_message():
        app()


if __name__ == "__main__":
    main()
