"""The steps of an invitation that memberships take too: cancelling it, and writing that down."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from gridgate.audit.events import Subject, record
from gridgate.onboarding.models import Invitation
from gridgate.organisations.models import Membership, User

SUBJECT = "invitation"
"""What the audit calls them."""


def cancel(invitation: Invitation, *, actor: Membership | None, now: datetime) -> None:
    """Stop the link of one that is open."""
    invitation.cancelled_at = now
    invitation.save(update_fields=["cancelled_at"])
    record_step("invitation.cancelled", invitation, actor=actor, now=now)


def cancel_on_joining(membership: Membership, *, actor: Membership | None, now: datetime) -> None:
    """Of whoever joins the company: no link that is still open lets them in again later. What the operator declared goes
    on, as it makes a member the administrator.
    """
    _cancel_open(membership, (Invitation.Kind.MEMBER,), actor=actor, now=now)


def cancel_on_leaving(membership: Membership, *, actor: Membership | None, now: datetime) -> None:
    """Of whoever leaves the company: only an invitation made afterwards lets them in again."""
    _cancel_open(membership, Invitation.Kind.values, actor=actor, now=now)


def _cancel_open(
    membership: Membership, kinds: Iterable[str], *, actor: Membership | None, now: datetime
) -> None:
    rows = Invitation.objects.unclosed().filter(
        organisation=membership.organisation_id, email__iexact=membership.user.email, kind__in=kinds
    )
    for invitation in rows.select_for_update():
        cancel(invitation, actor=actor, now=now)


def record_step(
    action: str,
    invitation: Invitation,
    *,
    actor: Membership | None = None,
    user: User | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    now: datetime,
) -> None:
    """Write a step to the company's audit. Sign-ups are nobody's to follow: only the account they open is written."""
    if invitation.organisation_id is None and user is None:
        return
    record(
        action,
        subject=Subject(SUBJECT, str(invitation.pk), invitation.email),
        organisation=invitation.organisation_id,
        actor=actor,
        user=user,
        before=before,
        after=after,
        now=now,
    )
