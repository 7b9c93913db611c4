"""What time does to invitations and members: links expire, one more goes to a first administrator, old sign-ups are
forgotten; last days come, and are over.
"""

from datetime import datetime, timedelta

from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.functions import Cast

from gridgate.audit.models import AuditEvent
from gridgate.organisations.events import last_day_comes
from gridgate.organisations.last_days import end_of, today
from gridgate.organisations.models import Invitation, Membership
from gridgate.organisations.operations.invitation_steps import SUBJECT
from gridgate.organisations.operations.invitations import follow_up
from gridgate.organisations.operations.members import end_lapsed

REMINDED = 7
"""Days before their last one on which people are told that it comes."""
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


def end_past_last_days(*, now: datetime) -> int:
    """Write the end of memberships whose last day is over; returns how many. They had ended already: this says so in
    the company's history, and clears their groups.
    """
    return end_lapsed(Membership.objects.all(), now=now)


def tell_of_last_days(*, now: datetime) -> int:
    """Tell people whose last day is near; returns how many are concerned. Who listens tells each once."""
    near = Membership.objects.present(now).filter(
        until__lte=end_of(today(now) + timedelta(days=REMINDED)), user__is_active=True
    )
    members = list(near.select_related("user", "organisation").order_by("until", "pk"))
    for membership in members:
        last_day_comes.send(Membership, membership=membership, now=now)
    return len(members)
