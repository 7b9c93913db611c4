"""`gridgate demo`: a fresh demo instance, seeded, served."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gridgate.config.commands.data_option import DataOption
from gridgate.config.environment import Environment, read_environment
from gridgate.config.private import take_folder
from gridgate.core.errors import ErrorKind, GridgateError


def demo(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    serve: Annotated[bool, typer.Option(help="Serve it when it is seeded.")] = True,
    today: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The world's today.")] = None,
    data: DataOption = None,
) -> None:
    """Make a fresh demo world and serve it; an earlier demo in the same place is replaced."""
    os.environ.setdefault("GRIDGATE_BASE_URL", f"http://127.0.0.1:{port}")
    environment = read_environment()
    _make_room(environment)
    _seed(environment, today.date() if today else datetime.now(environment.zone).date())
    _tell(environment)
    if serve:
        from gridgate.config.commands.serve import run

        run(host="127.0.0.1", port=port, plane="all")


def _make_room(environment: Environment) -> None:
    """Remove an earlier demo. Raises `GridgateError` (CONFLICT) rather than touch anything that is not one."""
    data = environment.data
    if not data.exists() or not any(data.iterdir()):
        return
    if not (data / "demo.json").exists():
        raise GridgateError(
            ErrorKind.CONFLICT,
            f"{data} is not empty and holds no demo world",
            remedy="Give another place with --data; nothing was touched.",
        )
    for entry in data.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _seed(environment: Environment, today: date) -> None:
    # The mark of a demo comes first, so that an interrupted seeding can be done again.
    take_folder(environment)
    (environment.data / "demo.json").write_text("{}", encoding="utf-8")
    from gridgate.config.loading import load_django

    load_django(must_exist=False)
    from gridgate.config.instance import create_instance
    from gridgate.demo import cast
    from gridgate.demo.seed import Instance, World

    world = World(
        Instance(
            registry=environment.registry,
            measurements=environment.measurements,
            access_log=environment.access_log,
            zone=environment.zone,
            base_url=environment.base_url,
        ),
        today,
    )
    name, siren = cast.OPERATOR
    steps: list[tuple[str, Callable[[], object]]] = [
        (
            "tables and keys",
            lambda: create_instance(environment, operator=name, siren=siren, now=world.at(365 * 3)),
        ),
        *world.steps(),
        ("the journal", lambda: _fold(environment)),
    ]
    columns = (
        TextColumn("{task.description:<32}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=len(steps))
        for description, act in steps:
            progress.update(task, description=description)
            act()
            progress.advance(task)
        progress.update(task, description="the demo world is seeded")


def _fold(environment: Environment) -> None:
    """What the worker does within seconds: the log into the registry. Nobody is told of a past made up just now. It is
    signed here, since a worker does not begin to sign an old log.
    """
    from gridgate.config.access_log.folding import fold_access_log
    from gridgate.config.access_log.signing import sign_now
    from gridgate.notifications.models import OutgoingEmail

    fold_access_log(environment)
    OutgoingEmail.objects.all().delete()
    sign_now(environment, datetime.now(UTC))


def _tell(environment: Environment) -> None:
    from gridgate.demo import cast

    Console(stderr=True, highlight=False).print(
        f"Sign in on {environment.base_url} as alice@acme-industries.example with {cast.PASSWORD}\n"
        f"Everything else is in {environment.data / 'demo.json'}",
        soft_wrap=True,
    )
