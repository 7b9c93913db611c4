"""Reads: whom a company invited."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.onboarding.models import Invitation, InvitationQuerySet, InvitationState
from gridgate.organisations.folding import Folded
from gridgate.organisations.models import Membership, User


class InvitationNotFound(GridgateError):
    """No invitation of the actor's company."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.NOT_FOUND, "no such invitation in this company")


def invited_group_names(
    *, actor: Membership, invitations: Collection[int] | None = None
) -> dict[int, list[str]]:
    """The names of the groups that these people, or all, were invited into by the actor's company; one statement."""
    these = {} if invitations is None else {"pk__in": invitations}
    rows = (
        Invitation.objects.filter(**these, organisation=actor.organisation_id, groups__isnull=False)
        .order_by(Folded("groups__name"))
        .values_list("pk", "groups__name")
    )
    names: dict[int, list[str]] = {}
    for invitation, name in rows:
        names.setdefault(invitation, []).append(name)
    return names


def invitations_of(*, actor: Membership) -> InvitationQuerySet:
    """Everyone whom the actor's company invited, the latest first."""
    return (
        Invitation.objects.filter(organisation=actor.organisation_id)
        .select_related("organisation", "invited_by__user")
        .order_by("-created_at", "-pk")
    )


def invitation_of(*, actor: Membership, pk: int) -> Invitation:
    """One invitation of the actor's company. Raises `InvitationNotFound`."""
    found = invitations_of(actor=actor).filter(pk=pk).first()
    if found is None:
        raise InvitationNotFound
    return found


def in_state(invitations: InvitationQuerySet, state: InvitationState, *, now: datetime) -> InvitationQuerySet:
    """Those that are in this state at the instant given: what `Invitation.state` says, in SQL, but that one whose last
    day is over is not pending any more.
    """
    match state:
        case InvitationState.ACCEPTED:
            return invitations.filter(accepted_at__isnull=False)
        case InvitationState.CANCELLED:
            return invitations.filter(accepted_at=None, cancelled_at__isnull=False)
    waiting, over = invitations.unclosed(), Q(expires_at__lte=now) | Q(until__lte=now)
    return waiting.exclude(over) if state is InvitationState.PENDING else waiting.filter(over)


def invitations_to(*, user: User) -> InvitationQuerySet:
    """Every invitation of the person's address, by themselves or by a company, the oldest first."""
    invited = Invitation.objects.filter(email__iexact=user.email)
    return invited.select_related("organisation").order_by("created_at", "pk")
