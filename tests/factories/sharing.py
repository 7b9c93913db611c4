"""Data services and permissions.

Permissions are written as rows, with their first event and their access lines: tests of queries and screens
start from a state; tests of how that state is reached call `sharing.operations`.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from gridgate.core.quantities import FlowDirection, Kind, bits
from gridgate.core.sharing import Basis, LegalBasis, PermissionState
from gridgate.core.time import civil_day_bounds
from gridgate.metering.models import MeteringPoint, TitleHolding
from gridgate.organisations.models import Organisation
from gridgate.sharing.history import SAYS, saying
from gridgate.sharing.models import AccessLine, DataService, Permission, PermissionEvent, PermissionPoint

_next_code = count(1)
_PARIS = ZoneInfo("Europe/Paris")


def make_service(
    provider: Organisation,
    name: str = "Suivi de consommation",
    *,
    code: str = "",
    legal_basis: LegalBasis = LegalBasis.CONSENT,
    kinds: Sequence[Kind] = (Kind.LOAD_CURVE,),
    directions: Sequence[FlowDirection] = (FlowDirection.WITHDRAWAL,),
    offered: bool = True,
    history_months: int = 0,
    duration_months: int = 12,
) -> DataService:
    return DataService.objects.create(
        code=code or f"service-{next(_next_code)}",
        provider=provider,
        name=name,
        name_en=f"{name} (en)",
        purpose="Suivre la consommation et conseiller des économies",
        purpose_en="Follow consumption and advise on savings",
        legal_basis=legal_basis,
        legal_reference="" if legal_basis.terminable else "Code de l’énergie, article L. 322-8",
        legal_reference_en="" if legal_basis.terminable else "French energy code, article L. 322-8",
        contact_email=provider.contact_email,
        kinds=bits(kinds),
        directions=bits(directions),
        history_months=history_months,
        duration_months=duration_months,
        offered=offered,
    )


def make_permission(
    service: DataService,
    holder: Organisation,
    *,
    points: Sequence[MeteringPoint] | None = None,
    state: PermissionState = PermissionState.ACTIVE,
    since: datetime | None = None,
    until: datetime | None = None,
    history_from: date = date(2024, 1, 1),
    now: datetime,
) -> Permission:
    """A permission of `holder` to the provider on `points` (None: all, now and later), 30 days old."""
    since = since or now - timedelta(days=30)
    permission = Permission.objects.create(
        service=service,
        holder=holder,
        eligible_party=service.provider,
        all_points=points is None,
        kinds=service.kinds,
        directions=service.directions,
        finest_resolution=service.finest_resolution,
        history_from=history_from,
        valid_from=since,
        valid_until=until or now + timedelta(days=335),
        purpose=service.purpose,
        purpose_en=service.purpose_en,
        legal_basis=service.legal_basis,
        state=state,
        state_at=since if state is PermissionState.ACTIVE else now,
    )
    for point in points or ():
        PermissionPoint.objects.create(permission=permission, metering_point=point)
    says = {name: getattr(permission, Permission._meta.get_field(name).attname) for name in SAYS}
    PermissionEvent.objects.create(
        permission=permission,
        sequence=1,
        state=PermissionState.ACTIVE,
        at=since,
        actor_name="Alice",
        details={**saying(**says), "points": [point.pk for point in points or ()]},
    )
    if state is PermissionState.ACTIVE:
        _write_lines(permission, points)
    else:
        PermissionEvent.objects.create(
            permission=permission, sequence=2, state=state, at=now, actor_name="Alice"
        )
    return permission


def _write_lines(permission: Permission, points: Sequence[MeteringPoint] | None) -> None:
    holdings = TitleHolding.objects.filter(holder=permission.holder)
    if points is not None:
        holdings = holdings.filter(metering_point__in=points)
    for holding in holdings:
        first = max(holding.valid_from, permission.history_from)
        AccessLine.objects.create(
            reader=permission.eligible_party,
            metering_point_id=holding.metering_point_id,
            holder=permission.holder,
            basis=Basis.PERMISSION,
            permission=permission,
            kinds=permission.kinds,
            directions=permission.directions,
            finest_resolution=permission.finest_resolution,
            data_from=_midnight(first),
            data_to=None if holding.valid_to is None else _midnight(holding.valid_to),
            valid_from=int(permission.valid_from.timestamp()),
            valid_until=None if permission.valid_until is None else int(permission.valid_until.timestamp()),
        )


def _midnight(day: date) -> int:
    return int(civil_day_bounds(day, _PARIS).start.astimezone(UTC).timestamp())
