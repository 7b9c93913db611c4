"""Making an instance: its folders, its tables, its keys, its operator."""

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.core.management import call_command

from gridgate.config.environment import Environment
from gridgate.config.private import take_folder
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.accesslog.segments import segment_paths
from gridgate.dataplane.store import open_store


def create_instance(environment: Environment, *, operator: str, siren: str, now: datetime) -> None:
    """Make the folders, the key, the registry's tables, the operator's organisation, and terms of use and a
    customer questionnaire to begin with.

    Raises `GridgateError` (CONFLICT) when the data directory already holds an instance.
    """
    from gridgate.kyc.operations.forms import publish_built_in_form
    from gridgate.onboarding.operations.terms import publish_terms
    from gridgate.onboarding.terms import default_text
    from gridgate.organisations.operations.companies import create_organisation

    if environment.registry.exists():
        raise GridgateError(
            ErrorKind.CONFLICT,
            f"{environment.data} already holds an instance",
            remedy="Give another --data, or remove it yourself.",
        )
    if environment.measurements.exists() or any(segment_paths(environment.access_log)):
        raise GridgateError(
            ErrorKind.CONFLICT,
            f"{environment.data} holds an instance without its registry",
            remedy="Put registry.sqlite3 back from the last backup; for a new instance, give another --data.",
        )
    make_folders(environment)
    make_receipt_key(environment.receipt_key)
    migrate()
    open_store(environment.measurements, zone=environment.zone).close()
    create_organisation(legal_name=operator, siren=siren, is_operator=True, now=now)
    publish_terms(version="1", text_fr=default_text("fr"), text_en=default_text("en"), now=now)
    publish_built_in_form(now=now)


def make_folders(environment: Environment) -> None:
    take_folder(environment)
    for folder in (environment.receipt_key.parent, environment.access_log):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def make_receipt_key(path: Path) -> None:
    """Write a new Ed25519 key that only its owner can read; an existing one is left alone."""
    if path.exists():
        return
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)


def make_registry(path: Path) -> None:
    """Make the file that the tables go into; an existing one is left alone."""
    if not path.exists():
        with closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA journal_mode=WAL")


def migrate() -> None:
    """Bring the tables to this version, in a file made for them when there is none: whoever expects one looks first."""
    make_registry(settings.ENVIRONMENT.registry)
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
