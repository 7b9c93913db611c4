"""Fixtures that every layer of tests shares."""

import os
import tempfile
from pathlib import Path

import django
import pytest

# Django reads its settings at import: a private, empty instance for the whole run, before anything is imported.
_INSTANCE = tempfile.mkdtemp(prefix="gridgate-tests-")
os.environ.update(GRIDGATE_DATA=_INSTANCE, TZ="UTC", LANG="fr_FR.UTF-8", DJANGO_SETTINGS_MODULE="gridgate.config.settings")
django.setup()

pytest_plugins = ["tests.world"]

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real samples and official schemas, which lie beside the checkout and are never copied into it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the samples are not at {folder}")
    return folder
