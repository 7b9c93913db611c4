"""What a receipt says: which act, of whom, and which permissions ended or lost points by it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils.timezone import get_default_timezone

from gridgate.core.quantities import FlowDirection, Kind, directions_of, kinds_of
from gridgate.core.time import Resolution, civil_day_of
from gridgate.metering.models import TitleHolding
from gridgate.metering.queries.titles import held_on
from gridgate.organisations.models import Organisation
from gridgate.sharing.history import By
from gridgate.sharing.models import DataService, Permission


@dataclass(frozen=True, slots=True)
class Ending:
    """What a receipt is about: which act, by whom, since when."""

    act: str
    """`revoke` (the holder), `terminate` (the eligible party), `expire` (time), `invalidate` (an event)."""
    by: By
    effective_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """What one receipt proves: permissions that one holder gave one company, and that ended or lost points by one act."""

    number: str
    permissions: Sequence[Permission]
    points: Mapping[UUID, Collection[str]]
    """Which points ended, by permission; one on all points is absent."""
    ending: Ending
    kept: Sequence[Permission] = ()


class Held:
    """How many points each holder held on the day of the end, asked once."""

    def __init__(self, now: datetime) -> None:
        self._day = civil_day_of(now, get_default_timezone())
        self._counts: dict[int, int] = {}

    def by(self, holder: int) -> int:
        if holder not in self._counts:
            self._counts[holder] = TitleHolding.objects.filter(held_on(self._day), holder=holder).count()
        return self._counts[holder]


def draft_of(ended: Ended, issuer: dict[str, str], held: Held) -> dict[str, Any]:
    """What a receipt says already when its end is written."""
    ending = ended.ending
    return {
        "number": ended.number,
        "issued_at": None,
        "operator": issuer,
        "holder": company_said(ended.permissions[0].holder),
        "eligible_party": company_said(ended.permissions[0].eligible_party),
        "actor": {"name": ending.by.name},
        "act": ending.act,
        "reason": ending.reason,
        "effective_at": instant_said(ending.effective_at),
        "permissions": [
            _permission(permission, ended.points.get(permission.pk), held) for permission in ended.permissions
        ],
        "kept": [kept_service(permission.service) for permission in ended.kept],
        "last_log_head": "",
        "last_log_segment": "",
    }


def _permission(permission: Permission, points: Collection[str] | None, held: Held) -> dict[str, Any]:
    kinds, directions = kinds_of(permission.kinds), directions_of(permission.directions)
    return {
        "id": str(permission.pk),
        "service": permission.service.name,
        "service_en": permission.service.name_en,
        "purpose": permission.purpose,
        "purpose_en": permission.purpose_en,
        "legal_basis": permission.legal_basis,
        "kinds": [kind.value for kind in Kind if kind in kinds],
        "directions": [direction.value for direction in FlowDirection if direction in directions],
        "resolution": _finest(permission.finest_resolution),
        "points": "all" if points is None else sorted(points),
        "points_count": held.by(permission.holder_id) if points is None else len(points),
        "since": instant_said(permission.valid_from),
        "until": instant_said(permission.valid_until),
        "delete_by": permission.delete_by.isoformat() if permission.delete_by else None,
        "reads": 0,
        "last_read_at": None,
    }


def _finest(seconds: int) -> str | None:
    """The finest step that could be read, in ISO 8601; None for that of the meter."""
    return Resolution.of_seconds(seconds).iso if seconds else None


def kept_service(service: DataService) -> dict[str, str]:
    return {
        "service": service.name,
        "service_en": service.name_en,
        "legal_basis": service.legal_basis,
        "legal_reference": service.legal_reference,
        "legal_reference_en": service.legal_reference_en,
        "contact_email": service.contact_email,
        "contact_url": service.contact_url,
    }


def company_said(organisation: Organisation | None) -> dict[str, str]:
    if organisation is None:
        return {"name": "", "siren": ""}
    return {"name": organisation.legal_name, "siren": organisation.siren}


def instant_said(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
