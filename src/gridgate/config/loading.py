"""Loading Django for a command, after `--data` is known."""

import os
from contextlib import closing

import django
from django.utils import translation

from gridgate.config import files
from gridgate.config.environment import Environment, read_environment
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.registry.newest import NEWEST, lacks_newest
from gridgate.dataplane.registry.sqlite import connect_read_only

LANGUAGE = "en"
"""Of the command line, whatever the portal's: what Django says, of a password for one, is said in it too. Pages and
e-mails choose that of their reader.
"""


def load_django(
    *, must_exist: bool = True, older_will_do: bool = False, compares: bool = False
) -> Environment:
    """Set Django up on the instance and return its settings.

    Raises `GridgateError`: there is no instance there and the command needs one, or its registry or its secret key
    is missing, damaged, or of another version; an older one is none for a command that brings it up. So is a registry
    that lacks the newest change that was answered, but for a command that `compares` it with the log itself: whatever
    else wrote into it would make its own change the newest, and what serves would take it for the right one.
    """
    environment = read_environment()
    if must_exist:
        files.require(files.folder_fault(environment))
        files.require(
            files.registry_fault(environment, older_will_do=older_will_do), files.secret_fault(environment)
        )
        if not (older_will_do or compares):
            _require_newest(environment)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gridgate.config.settings")
    django.setup()
    translation.activate(LANGUAGE)
    return environment


def _require_newest(environment: Environment) -> None:
    with closing(connect_read_only(environment.registry)) as registry:
        if lacks_newest(registry, environment.access_log / NEWEST):
            raise GridgateError(
                ErrorKind.UNAVAILABLE,
                "the registry lacks the newest change of rights, so an older one was put in its place",
                remedy="gridgate audit reconcile --dry-run lists what it lacks.",
            )
