"""To which companies a data service is offered: decided by the network operator, by beneficiary roles."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from gridgate.audit.events import Subject, record
from gridgate.organisations.authority import require_operator
from gridgate.organisations.beneficiaries import in_order
from gridgate.organisations.models import Membership
from gridgate.sharing.models import DataService


def offer_to(
    *, service: DataService, roles: Iterable[str], actor: Membership | None = None, now: datetime
) -> None:
    """Offer the service to companies with one of these roles; without any, to every company.

    Permissions in force stay: whoever has the service keeps it until it ends. Raises `NotAllowed`, and `ValueError`
    for what is no role.
    """
    require_operator(actor)
    wanted = in_order(roles)
    with transaction.atomic():
        row = DataService.objects.select_for_update().get(pk=service.pk)
        before, row.roles = row.roles, wanted
        service.roles = wanted
        if before == wanted:
            return
        row.save(update_fields=["roles"])
        record(
            "service.offered",
            subject=Subject("data_service", str(row.pk), row.name),
            organisation=row.provider_id,
            actor=actor,
            before={"roles": before},
            after={"roles": wanted},
            now=now,
        )
