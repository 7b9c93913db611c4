"""`gridgate check`: is this instance fit to run, and with `--deploy`, fit to be reached by others?"""

import os
import shlex
import sqlite3
import stat
from collections.abc import Iterator
from typing import Annotated

import typer

from gridgate.config.commands.data_option import DataOption
from gridgate.config.environment import Environment
from gridgate.config.loading import load_django
from gridgate.config.private import open_to_others, replaceable_by_others
from gridgate.core.text import shown_lines

SHOWN = 3
"""So many of the files that are open to others are named."""


def check(
    deploy: Annotated[bool, typer.Option(help="Also what a machine that others reach needs.")] = False,
    data: DataOption = None,
) -> None:
    """Say what is wrong with this instance and how to mend it; exit 1 when something is."""
    environment = load_django()
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    faults = [*_instance(environment), *(_deployment(environment) if deploy else ())]
    try:
        call_command("check", verbosity=0)
    except SystemCheckError as error:
        faults.append(str(error))
    for fault in faults:
        typer.echo(shown_lines(fault), err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{environment.data}: nothing to mend.", err=True)


def _instance(environment: Environment) -> Iterator[str]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield "The registry's tables are of an older version. Stop the instance and run: gridgate migrate."
    for path in (environment.registry, environment.measurements):
        if path.exists():
            try:
                found = (
                    sqlite3.connect(f"file:{path}?mode=ro", uri=True)
                    .execute("pragma quick_check")
                    .fetchone()[0]
                )
            except sqlite3.DatabaseError as error:
                found = str(error)
            if found != "ok":
                yield f"{path} is damaged: {found}. Restore it from the last backup."
    yield from _contradiction(environment)
    if not os.access(environment.access_log, os.W_OK):
        yield f"{environment.access_log} cannot be written: no data would be served. Mend its owner or mode."
    for path in (environment.receipt_key, environment.data / "keys" / "secret_key"):
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield f"{path} is readable by others. Run: chmod 600 {path}."
    if not environment.receipt_key.exists():
        yield f"{environment.receipt_key} is missing: no receipt can be signed. Restore it from the backup."


def _contradiction(environment: Environment) -> Iterator[str]:
    from gridgate.config.changes import RegistryContradictsLog, compare

    if lost := compare(environment).lost:
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
    yield from _modes(environment)


def _modes(environment: Environment) -> Iterator[str]:
    found = open_to_others(environment.data)
    if found:
        more = len(found) - SHOWN
        yield (
            f"Other users of this machine may open {len(found)} of the instance's files and folders: "
            f"{', '.join(map(str, found[:SHOWN]))}{f' and {more} more' if more > 0 else ''}. "
            f"Run: chmod -R go-rwx {shlex.quote(str(environment.data))}."
        )
    for parent in replaceable_by_others(environment.data):
        yield (
            f"{parent} can be written by others than its owner, who may put another instance in the place of "
            f"{environment.data}. Run: chmod go-w {shlex.quote(str(parent))}."
        )
