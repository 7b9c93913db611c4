"""What was imported when, and files that were checked and wait for a decision."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from gridgate.metering.imports.findings import Finding, ImportReport
from gridgate.metering.imports.holders import import_holders
from gridgate.metering.imports.points import import_points
from gridgate.metering.models import RegisterImport
from gridgate.metering.operator_queries import ImportNotFound
from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import Membership, User

KEPT_UNDECIDED = timedelta(days=1)
"""How long a checked file waits for its decision."""

_IMPORTERS: dict[str, Callable[..., ImportReport]] = {
    RegisterImport.Kind.POINTS: import_points,
    RegisterImport.Kind.HOLDERS: import_holders,
}


def check_file(*, kind: str, name: str, content: bytes, user: User | None, now: datetime) -> RegisterImport:
    """Check a file and keep it for the decision. Files left undecided for a day go."""
    report = _IMPORTERS[kind](content, now=now, dry_run=True)
    with transaction.atomic():
        RegisterImport.objects.filter(
            state=RegisterImport.State.CHECKED, made_at__lt=now - KEPT_UNDECIDED
        ).delete()
        return RegisterImport.objects.create(
            kind=kind,
            name=name[-200:],
            sha256=hashlib.sha256(content).hexdigest(),
            content=content,
            state=RegisterImport.State.CHECKED,
            made_by=user,
            made_at=now,
            **_figures(report),
        )


def import_checked(*, number: int, actor: Membership | None, now: datetime) -> RegisterImport:
    """Import the file that was checked, as the registry stands now; a second time changes nothing.

    Raises `NotAllowed`, `ImportNotFound`.
    """
    require_operator(actor)
    with transaction.atomic():
        kept = RegisterImport.objects.select_for_update().filter(pk=number).first()
        if kept is None:
            raise ImportNotFound(number)
        if kept.state == RegisterImport.State.DONE:
            return kept
        report = _IMPORTERS[kept.kind](bytes(kept.content or b""), actor=actor, now=now)
        for name, value in _figures(report).items():
            setattr(kept, name, value)
        kept.state, kept.imported_at, kept.content = RegisterImport.State.DONE, now, None
        kept.made_by = actor.user if actor is not None else None
        kept.save()
    return kept


def discard_checked(*, number: int) -> None:
    """Forget a file that was checked and not imported."""
    RegisterImport.objects.filter(pk=number, state=RegisterImport.State.CHECKED).delete()


def import_file(
    *, kind: str, name: str, content: bytes, now: datetime, dry_run: bool = False, **options: Any
) -> ImportReport:
    """Import a file from the command line, and remember it unless nothing was to change."""
    with transaction.atomic():
        report = _IMPORTERS[kind](content, now=now, dry_run=dry_run, **options)
        if not dry_run:
            RegisterImport.objects.create(
                kind=kind,
                name=name[-200:],
                sha256=hashlib.sha256(content).hexdigest(),
                state=RegisterImport.State.DONE,
                made_at=now,
                imported_at=now,
                **_figures(report),
            )
    return report


def findings_of(made: RegisterImport) -> list[Finding]:
    """What was found in the file, in the order of its lines."""
    return [Finding.from_json(stored) for stored in made.findings]


def _figures(report: ImportReport) -> dict[str, Any]:
    return {
        "created": report.created,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        "findings": [finding.as_json() for finding in report.findings],
    }
