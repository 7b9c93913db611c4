"""Sending an activation link: the first time, and again."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import line
from gridgate.onboarding.events import invitation_sent
from gridgate.onboarding.models import Invitation
from gridgate.onboarding.operations.invitation_steps import record_step
from gridgate.organisations.models import Membership, UserGroup
from gridgate.organisations.operations.members import InvalidMember, parse_email

LANGUAGES = ("fr", "en")

LONGEST_NAME = 120


class InvitationOpen(GridgateError):
    """The person is invited already, and has not answered; the link may have expired."""

    def __init__(self, invitation: Invitation) -> None:
        self.invitation = invitation
        super().__init__(
            ErrorKind.CONFLICT,
            f"{invitation.email} is already invited",
            remedy="Send the link again, or cancel the invitation first.",
        )


def person_invited(email: str, full_name: str, language: str) -> tuple[str, str]:
    email, full_name = parse_email(email), line(full_name)
    if not full_name:
        raise InvalidMember("the name is missing")
    if len(full_name) > LONGEST_NAME:
        raise InvalidMember(f"the name has {len(full_name)} characters, {LONGEST_NAME} at most")
    if language not in LANGUAGES:
        raise InvalidMember(f"no language {language!r}", remedy=f"Languages are {', '.join(LANGUAGES)}.")
    return email, full_name


def good_for(invitation: Invitation) -> timedelta:
    environment = settings.ENVIRONMENT
    if invitation.kind == Invitation.Kind.FIRST_ADMINISTRATOR:
        return timedelta(days=environment.first_administrator_link_days)
    if invitation.kind == Invitation.Kind.SIGN_UP:
        return timedelta(hours=environment.sign_up_link_hours)
    return timedelta(days=environment.user_link_days)


def send_first(
    invitation: Invitation, *, groups: Iterable[UserGroup], actor: Membership | None, now: datetime
) -> Invitation:
    invitation.invited_by, invitation.created_at, invitation.sent_at = actor, now, now
    invitation.expires_at = now + good_for(invitation)
    groups = list(groups)
    try:
        with transaction.atomic():
            invitation.save(force_insert=True)
    except IntegrityError:
        unclosed = Invitation.objects.unclosed().filter(
            organisation=invitation.organisation, email=invitation.email
        )
        raise InvitationOpen(unclosed.get()) from None
    invitation.groups.set(groups)
    record_step(
        "invitation.sent",
        invitation,
        actor=actor,
        after={
            "role": str(invitation.role),
            "external": invitation.external,
            **({"until": invitation.until.isoformat()} if invitation.until else {}),
            "groups": sorted(group.name for group in groups),
            "expires_at": iso(invitation),
        },
        now=now,
    )
    invitation_sent.send(Invitation, invitation=invitation, now=now)
    return invitation


def send_again(invitation: Invitation, *, actor: Membership | None, now: datetime) -> None:
    before = {"expires_at": iso(invitation)}
    invitation.round += 1
    invitation.sent_at, invitation.expires_at = now, now + good_for(invitation)
    invitation.save()
    record_step(
        "invitation.resent",
        invitation,
        actor=actor,
        before=before,
        after={"expires_at": iso(invitation)},
        now=now,
    )
    invitation_sent.send(Invitation, invitation=invitation, now=now)


def iso(invitation: Invitation) -> str:
    return invitation.expires_at.isoformat()
