"""Loading Django for a command, after `--data` is known."""

import os

import django

from gridgate.config.environment import Environment, read_environment
from gridgate.core.errors import ErrorKind, GridgateError


def load_django(*, must_exist: bool = True) -> Environment:
    """Set Django up on the instance and return its settings.

    Raises `GridgateError` (NOT_FOUND) when there is no instance there and the command needs one.
    """
    environment = read_environment()
    if must_exist and not environment.registry.exists():
        raise GridgateError(
            ErrorKind.NOT_FOUND,
            f"{environment.data} holds no instance",
            remedy="Make one with gridgate init or gridgate demo, or give --data.",
        )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gridgate.config.settings")
    django.setup()
    return environment
