"""What this room tells the rest of the house of itself (`core.capability`)."""

from datetime import datetime
from typing import Any

from django.db.models import Q

from gridgate.core.capability import PersonalData, Rows, iso
from gridgate.onboarding.models import Invitation
from gridgate.onboarding.queries import invitations_to
from gridgate.organisations.models import User
from gridgate.organisations.nobody import DELETED_NAME, nobodys_address


def _invitations(user: User) -> Rows:
    return [_invitation(invitation) for invitation in invitations_to(user=user)]


def _invitation(invitation: Invitation) -> dict[str, Any]:
    return {
        "kind": str(invitation.kind),
        "company": invitation.organisation.as_said if invitation.organisation else None,
        "name": invitation.full_name,
        "role": str(invitation.role),
        "external": invitation.external,
        "until": iso(invitation.until),
        "invited_at": iso(invitation.created_at),
        "last_sent_at": iso(invitation.sent_at),
        "expires_at": iso(invitation.expires_at),
        "accepted_at": iso(invitation.accepted_at),
        "cancelled_at": iso(invitation.cancelled_at),
    }


def _accepted_terms(user: User) -> Rows:
    accepted = user.accepted_terms.select_related("terms", "organisation").order_by("accepted_at", "pk")
    return [
        {
            "version": row.terms.version,
            "company": row.organisation.as_said if row.organisation else None,
            "at": iso(row.accepted_at),
        }
        for row in accepted
    ]


def _join_requests(user: User) -> Rows:
    return [
        {
            "siren": row.siren,
            "company_name": row.name,
            "message": row.message,
            "asked_at": iso(row.created_at),
            "withdrawn_at": iso(row.withdrawn_at),
            "accepted_at": iso(row.accepted_at),
            "refused_at": iso(row.refused_at),
            "reason": row.reason,
        }
        for row in user.join_requests.order_by("created_at", "pk")
    ]


def _forget(user: User, now: datetime) -> None:
    user.join_requests.all().delete()
    closed = Q(accepted_at__isnull=False) | Q(cancelled_at__isnull=False)
    Invitation.objects.filter(closed, email__iexact=user.email).update(
        email=nobodys_address(user), full_name=DELETED_NAME
    )


PERSONAL_DATA = PersonalData(
    sections={
        "invitations": _invitations,
        "accepted_terms": _accepted_terms,
        "join_requests": _join_requests,
    },
    forget=_forget,
)
