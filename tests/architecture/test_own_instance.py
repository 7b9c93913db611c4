"""Each process that runs tests has an instance of its own: what one writes beside the registry is no other's."""

import os
from pathlib import Path

from django.conf import settings


def test_the_settings_were_read_on_the_instance_of_this_process() -> None:
    assert settings.ENVIRONMENT.data == Path(os.environ["GRIDGATE_DATA"])
