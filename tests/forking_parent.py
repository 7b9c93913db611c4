"""The process that others are forked from: it loads what takes long, then forks when it is told to.

What it had, every process forked from it would have too. So it loads no module that asks for Django's settings: each
process finds its own instance by its own environment, as a fresh one does. And it has no thread, whose locks would
stay taken for ever: polars starts some when it is loaded. The library of the metrics looks at its environment once.
"""

import gc
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from importlib import import_module
from json import loads
from pathlib import Path
from typing import Any

LOADED = (
    "django.contrib.auth.hashers",
    "django.contrib.messages",
    "django.contrib.sessions.backends.db",
    "django.core.cache.backends.db",
    "django.core.mail.backends.filebased",
    "django.core.mail.backends.smtp",
    "django.core.management.commands.check",
    "django.core.management.commands.migrate",
    "django.core.wsgi",
    "django.db.backends.sqlite3.base",
    "django.forms",
    "django.template.loader",
    "django.test.client",
    "django.utils.translation.trans_real",
    "django.views.generic",
    "a2wsgi",
    "allauth.utils",
    "argon2",
    "cryptography.fernet",
    "csp.middleware",
    "fido2.server",
    "gridgate.config.cli",
    "gridgate.config.commands.audit",
    "gridgate.config.commands.bench",
    "gridgate.config.commands.check",
    "gridgate.config.commands.company",
    "gridgate.config.commands.demo",
    "gridgate.config.commands.eic",
    "gridgate.config.commands.export",
    "gridgate.config.commands.imports",
    "gridgate.config.commands.ingest",
    "gridgate.config.commands.init",
    "gridgate.config.commands.kyc",
    "gridgate.config.commands.migrate",
    "gridgate.config.commands.people",
    "gridgate.config.commands.receipt",
    "gridgate.config.commands.serve",
    "gridgate.config.commands.watch",
    "gridgate.dataplane.client",
    "gridgate.dataplane.store",
    "gridgate.eic.form",
    "gridgate.portal.kit.charts.load_curve.chart",
    "joserfc.jwk",
    "joserfc.jwt",
    "lxml.etree",
    "packaging.version",
    "qrcode.image.svg",
    "requests",
    "starlette.applications",
    "structlog",
    "time_machine",
    "whitenoise.middleware",
)
"""All that is slow to load and loads without settings. What else a program needs, it loads by itself."""
KEPT_OUT = ("polars", "prometheus_client")


def next_program() -> str:
    """Fork a process for each request; returns in that process, with the program that it runs.

    When nobody can ask any more, all that still run are killed, with what they started, and this process ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    _load()
    events = selectors.DefaultSelector()
    events.register(control, selectors.EVENT_READ)
    running: dict[int, tuple[int, int]] = {}
    """Each process, and where its end is to be told, by the file that shows it."""
    while True:
        for event, _ in events.select():
            if event.fileobj is not control:
                events.unregister(event.fd)
                os.close(event.fd)
                _tell_end(*running.pop(event.fd))
                continue
            request, passed, *_rest = socket.recv_fds(control, 1 << 20, 4)
            if not request:
                for child, _told in running.values():
                    with suppress(ProcessLookupError):
                        os.killpg(child, signal.SIGKILL)
                sys.exit()
            child = os.fork()
            if child == 0:
                # Here too: what it starts before its parent gets round to it would be of another group, and be left.
                os.setpgid(0, 0)
                events.close()
                control.close()
                for shown, (_child, told) in running.items():
                    os.close(shown)
                    os.close(told)
                return _become(loads(request), passed)
            os.setpgid(child, child)
            *streams, told = passed
            for stream in streams:
                os.close(stream)
            os.write(told, b"%d\n" % child)
            shown = os.pidfd_open(child)
            running[shown] = child, told
            events.register(shown, selectors.EVENT_READ)


def _load() -> None:
    for name in LOADED:
        import_module(name)
    from django.conf import settings

    assert not settings.configured
    assert not sys.modules.keys() & set(KEPT_OUT)
    assert len(list(Path("/proc/self/task").iterdir())) == 1
    gc.collect()
    gc.freeze()  # what is here already is no garbage: none of the others looks through it again


def _tell_end(child: int, told: int) -> None:
    _, status = os.waitpid(child, 0)
    with suppress(BrokenPipeError):  # nobody waits for it
        os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
    os.close(told)


def _become(request: dict[str, Any], passed: list[int]) -> str:
    """Be what a fresh process would be that was started so."""
    for number, stream in enumerate(passed[:3]):
        os.dup2(stream, number)
    for file in passed:
        os.close(file)
    os.chdir(request["cwd"])
    coerced = {
        name: value for name, value in os.environ.items() if name == "LC_CTYPE"
    }  # by the interpreter, PEP 538
    os.environ.clear()
    os.environ.update(coerced | request["env"])
    time.tzset()
    sys.argv[:] = request["argv"]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    program: str = request["program"]
    return program
