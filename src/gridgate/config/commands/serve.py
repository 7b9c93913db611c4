"""`gridgate serve` and `gridgate worker`: the web processes and the background work of an instance."""

import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Annotated, Literal

import typer
from granian.constants import Interfaces, Loops
from rich.console import Console
from rich.markup import escape

from gridgate.config.commands.data_option import DataOption
from gridgate.config.connections import connections
from gridgate.config.files import before_serving
from gridgate.config.loading import load_django
from gridgate.config.supervision import WebProcesses
from gridgate.core.errors import ErrorKind, GridgateError

RESTART_SECONDS = 2.0
_log = logging.getLogger(__name__)


def serve(
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; behind a proxy keep it local.")
    ] = "127.0.0.1",
    plane: Annotated[str, typer.Option(help="all (with the worker), portal or data.")] = "all",
    data: DataOption = None,
) -> None:
    """Serve the instance until stopped."""
    if plane not in ("all", "portal", "data"):
        raise typer.BadParameter("all, portal or data", param_hint="--plane")
    if plane != "data":  # whose own port leads to no page
        lead_links_here(host, port)
    run(host=host, port=port, plane=plane)  # type: ignore[arg-type]


def worker(data: DataOption = None) -> None:
    """Do the background work: e-mails, expiries, folding and signing the access log."""
    environment = load_django(compares=True)
    from gridgate.config.changes import refuse_contradiction
    from gridgate.config.registry_engine.base import open_the_newest_only
    from gridgate.config.worker import run as work
    from gridgate.dataplane.registry.newest import NEWEST

    refuse_contradiction(environment)
    open_the_newest_only(environment.access_log / NEWEST)
    work(environment)


def run(*, host: str, port: int, plane: Literal["all", "portal", "data"]) -> None:
    """Start the web processes, and with plane `all` the worker beside them; return when they are stopped.

    Raises `GridgateError`: CONFLICT when the port is taken, or when the registry lacks what the log holds, INTERNAL when
    no web process can be started.
    """
    os.environ["GRIDGATE_PLANE"] = plane
    environment = load_django(compares=True)
    from gridgate.config.changes import refuse_contradiction

    for fault in before_serving(environment):
        Console(stderr=True, highlight=False).print(escape(str(fault)), soft_wrap=True, style="yellow")
    _check_free(host, port)
    refuse_contradiction(environment)
    shutil.rmtree(environment.metrics, ignore_errors=True)
    with suppress(OSError):  # a full disk behind standard error is no reason not to serve
        Console(stderr=True, highlight=False).print(
            where_it_is(host, port, environment.base_url), soft_wrap=True
        )
    background = Worker() if plane == "all" else None
    try:
        WebProcesses(
            "gridgate.config.asgi:application",
            address=host,
            port=port,
            # Not RSGI, which costs as much and keeps less of a request: no path as it was sent, so that %2F is a slash,
            # and no header with a letter beyond ASCII, which a cookie may have.
            interface=Interfaces.ASGI,
            loop=Loops.auto,
            workers=environment.workers,
            workers_kill_timeout=10,
            log_access=False,
            **connections(),
        ).run(environment)
    finally:
        if background:
            background.stop()


def lead_links_here(host: str, port: int) -> None:
    """Without GRIDGATE_BASE_URL, the links of pages and e-mails lead to the address that is served."""
    if "GRIDGATE_BASE_URL" in os.environ or "GRIDGATE_BASE_URL_FILE" in os.environ or not port:
        return
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  every address of this machine
    os.environ["GRIDGATE_BASE_URL"] = f"http://{_named(reached)}:{port}"


def where_it_is(host: str, port: int, base_url: str) -> str:
    """What to say at the start: the address that is served, and where the links of pages and e-mails lead when they lead
    elsewhere.

    >>> where_it_is("127.0.0.1", 8000, "http://127.0.0.1:8000")
    'Gridgate is on http://127.0.0.1:8000 (stop with Ctrl-C)'
    """
    served = f"http://{_named(host)}:{port}"
    elsewhere = "" if served == base_url else f"; links lead to {base_url}, which is GRIDGATE_BASE_URL"
    return f"Gridgate is on {served}{elsewhere} (stop with Ctrl-C)"


def _named(host: str) -> str:
    """A host as addresses write it."""
    return f"[{host}]" if ":" in host else host


class Worker:
    """The worker as a child process, started again when it dies, ended with its parent."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._child = self._start()
        self._watcher = threading.Thread(target=self._watch, name="worker-watcher", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        self._stopping.set()
        self._child.terminate()
        try:
            self._child.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._child.kill()
        self._watcher.join(timeout=1)

    def _start(self) -> "subprocess.Popen[bytes]":
        # The child's standard input is a pipe that closes when this process ends, however it ends.
        return subprocess.Popen(
            [sys.executable, "-m", "gridgate.config.cli", "worker"], stdin=subprocess.PIPE
        )

    def _watch(self) -> None:
        while True:
            self._child.wait()
            if self._stopping.wait(RESTART_SECONDS):
                return
            _log.warning("the background worker ended with %s and is started again", self._child.returncode)
            try:
                self._child = self._start()
            except OSError as error:  # no memory for one now, say
                _log.error("the background worker cannot be started: %s", error)


def _check_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise GridgateError(
                ErrorKind.CONFLICT,
                f"port {port} of {host} cannot be used: {error.strerror}",
                remedy="Stop what uses it, or give another with --port.",
            ) from None
