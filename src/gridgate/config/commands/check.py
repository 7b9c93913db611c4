"""`gridgate check`: is this instance fit to run, and with `--deploy`, fit to be reached by others?"""

import shlex
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from gridgate.config import files
from gridgate.config.commands.data_option import DataOption
from gridgate.config.environment import Environment, read_environment
from gridgate.config.loading import load_django
from gridgate.config.private import open_to_others, replaceable_by_others
from gridgate.core.capability import declared
from gridgate.core.errors import GridgateError
from gridgate.core.text import shown_lines

SHOWN = 3
"""So many of the files that are open to others are named."""


def check(
    deploy: Annotated[bool, typer.Option(help="Also what a machine that others reach needs.")] = False,
    data: DataOption = None,
) -> None:
    """Say what is wrong with this instance and how to mend it; exit 1 when something is."""
    environment = read_environment()
    files.require(files.folder_fault(environment))
    faults = [
        *map(str, files.faults(environment)),
        *_modes(environment),
        *(_deployment(environment) if deploy else ()),
        *_registry(environment, deploy=deploy),
    ]
    for fault in faults:
        typer.echo(shown_lines(fault), err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{environment.data}: nothing to mend.", err=True)


def _modes(environment: Environment) -> Iterator[str]:
    for path in (environment.receipt_key, environment.secret_key_file):
        if path.is_file() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield f"{path} is readable by others. Run: chmod 600 {path}."


def _registry(environment: Environment, *, deploy: bool) -> Iterator[str]:
    """What the registry says of the other files, and of itself to a newer version; nothing while it cannot be used."""
    if files.registry_fault(environment, older_will_do=True) or files.secret_fault(environment):
        return
    try:
        load_django(older_will_do=True)
    except GridgateError as error:  # a file that a setting names
        yield str(error)
        return
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    from gridgate.config.access_log.faults import log_not_shown, log_signed_ahead
    from gridgate.notifications.checking import awaited_letters
    from gridgate.sharing.receipts.checking import awaited_receipts

    try:
        call_command("check", verbosity=0)
    except SystemCheckError as error:
        yield str(error)
    if files.registry_fault(environment):  # older, which is said already
        return
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            yield "The registry's tables are of an older version. Stop the instance and run: gridgate migrate."
        else:
            yield from _what_rooms_find()
            yield from _contradiction(environment)
            yield from log_not_shown(environment)
            yield from log_signed_ahead(environment, datetime.now(UTC))
            yield from awaited_receipts(datetime.now(UTC))
            yield from awaited_letters(datetime.now(UTC))
            if deploy:
                yield from _nobody_to_ask()
    except DatabaseError as error:
        yield f"{environment.registry}: it cannot be read: {error}. Restore it from the last backup."


def _what_rooms_find() -> Iterator[str]:
    from django.apps import apps

    for faults in declared([app.name for app in apps.get_app_configs()], "faults"):
        yield from faults()


def _nobody_to_ask() -> Iterator[str]:
    from gridgate.portal.shell.context import operator

    if not operator().has_contact:
        yield (
            "Pages that say whom to ask for help name no address. "
            "Set GRIDGATE_CONTACT_EMAIL, GRIDGATE_CONTACT_PHONE or GRIDGATE_CONTACT_URL."
        )


def _contradiction(environment: Environment) -> Iterator[str]:
    from gridgate.config.changes import RegistryContradictsLog, compare

    try:
        lost = compare(environment).lost
    except GridgateError as error:  # the key that signed what was given up
        yield str(error)
        return
    if lost:
        yield str(RegistryContradictsLog(lost))


def _deployment(environment: Environment) -> Iterator[str]:
    if not environment.secure:
        yield f"GRIDGATE_BASE_URL is {environment.base_url}: sessions travel in clear. Serve https behind a proxy."
    if environment.debug:
        yield "GRIDGATE_DEBUG is on: error pages would show secrets. Unset it."
    if not environment.smtp_host:
        yield "GRIDGATE_SMTP_HOST is empty: e-mails are written to files and reach nobody."
    if environment.quotas == "off":
        yield "GRIDGATE_QUOTAS is off: passwords can be guessed without limit. Unset it."
    if environment.secure and not environment.behind_proxy:
        yield "GRIDGATE_BEHIND_PROXY is off: attempts would be counted against the proxy's address. Set it to true."
    yield from _open_to_others(environment)


def _open_to_others(environment: Environment) -> Iterator[str]:
    paths = open_to_others(environment.data)
    if paths:
        more = len(paths) - SHOWN
        yield (
            f"Other users of this machine may open {len(paths)} of the instance's files and folders: "
            f"{', '.join(map(str, paths[:SHOWN]))}{f' and {more} more' if more > 0 else ''}. "
            f"Run: chmod -R go-rwx {shlex.quote(str(environment.data.resolve()))}"
        )
    for parent in replaceable_by_others(environment.data):
        yield (
            f"{parent} can be written by others than its owner, who may put another instance in the place of "
            f"{environment.data}. Run: chmod go-w {shlex.quote(str(parent))}"
        )
