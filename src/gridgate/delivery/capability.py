"""What this room tells the rest of the house of itself (`core.capability`)."""

from datetime import datetime

from gridgate.core.capability import PersonalData, Rows, iso
from gridgate.delivery.models import PreparedFile
from gridgate.delivery.operations.prepared_files import discard
from gridgate.organisations.models import User


def _prepared_files(user: User) -> Rows:
    files = PreparedFile.objects.filter(membership__user=user).select_related("membership__organisation")
    return [
        {
            "company": row.membership.organisation.as_said,
            "quantity": row.quantity,
            "direction": row.direction,
            "first": row.first.isoformat(),
            "after": row.after.isoformat(),
            "metering_points": row.points,
            "file_format": row.format,
            "state": str(row.state),
            "bytes": row.size,
            "asked_at": iso(row.created_at),
            "ready_at": iso(row.ready_at),
            "expires_at": iso(row.expires_at),
        }
        for row in files.order_by("created_at", "pk")
    ]


def _forget(user: User, now: datetime) -> None:
    discard(PreparedFile.objects.filter(membership__user=user))


PERSONAL_DATA = PersonalData(sections={"prepared_files": _prepared_files}, forget=_forget)
