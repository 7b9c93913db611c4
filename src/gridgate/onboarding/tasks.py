"""What time does to invitations: links expire, one more goes to a first administrator, old sign-ups are forgotten."""

from datetime import datetime, timedelta

from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.functions import Cast

from gridgate.audit.models import AuditEvent
from gridgate.onboarding.models import Invitation
from gridgate.onboarding.operations.invitation_steps import SUBJECT
from gridgate.onboarding.operations.invitations import follow_up

KEEP_SIGN_UPS = timedelta(days=7)
"""How long after its link expired a sign-up that nobody confirmed is kept."""


def follow_invitations(*, now: datetime) -> int:
    """Write which links have expired, and send first administrators the one more they have coming.

    Returns how many were sent. Doing it twice does nothing more.
    """
    written = AuditEvent.objects.filter(
        organisation=OuterRef("organisation"),
        subject_kind=SUBJECT,
        subject=Cast(OuterRef("pk"), CharField()),
        action="invitation.expired",
        at__gte=OuterRef("expires_at"),
    )
    expired = Invitation.objects.filter(
        Q(resend_until__isnull=False) | ~Exists(written),
        accepted_at=None,
        cancelled_at=None,
        organisation__isnull=False,
        expires_at__lte=now,
    )
    return sum(
        follow_up(invitation=invitation, now=now) for invitation in expired.order_by("expires_at", "pk")
    )


def forget_sign_ups(*, now: datetime) -> int:
    """Delete sign-ups that were never confirmed: what somebody typed about themselves, or about another."""
    old = Invitation.objects.filter(
        kind=Invitation.Kind.SIGN_UP, accepted_at=None, expires_at__lte=now - KEEP_SIGN_UPS
    )
    _, deleted = old.delete()
    return deleted.get(Invitation._meta.label, 0)
