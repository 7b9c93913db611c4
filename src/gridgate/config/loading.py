"""Loading Django for a command, after `--data` is known."""

import os

import django
from django.utils import translation

from gridgate.config import files
from gridgate.config.environment import Environment, read_environment

LANGUAGE = "en"
"""Of the command line, whatever the portal's: what Django says, of a password for one, is said in it too. Pages and
e-mails choose that of their reader.
"""


def load_django(*, must_exist: bool = True, older_will_do: bool = False) -> Environment:
    """Set Django up on the instance and return its settings.

    Raises `GridgateError`: there is no instance there and the command needs one, or its registry or its secret key
    is missing, damaged, or of another version; an older one is none for a command that brings it up.
    """
    environment = read_environment()
    if must_exist:
        files.require(files.folder_fault(environment))
        files.require(
            files.registry_fault(environment, older_will_do=older_will_do), files.secret_fault(environment)
        )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gridgate.config.settings")
    django.setup()
    translation.activate(LANGUAGE)
    return environment
