"""JoinRequest: somebody who has an account asks a company to act for it."""

from datetime import datetime
from enum import StrEnum

from django.db import models

from gridgate.organisations.models.memberships import Membership
from gridgate.organisations.models.organisation import Organisation
from gridgate.organisations.models.people import User


class JoinRequestState(StrEnum):
    """Worked out from the instants of the row, never stored."""

    WAITING = "waiting"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class JoinRequest(models.Model):
    """Waits for an administrator of the company, or for none when no company has the SIREN or the name: to who asks, both
    are the same, and take as long: which company it is, the worker looks up after the answer. One that was asked by name
    keeps no SIREN: whoever asks would learn it by asking again.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="join_requests")
    siren = models.CharField(max_length=9, blank=True)
    name = models.CharField(max_length=120, blank=True)
    """As it was written, of one that was asked by name."""
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="join_requests"
    )
    to_pass_on = models.BooleanField(default=True)
    """The worker has yet to tell the company of it, if there is one, or that it was taken back."""
    message = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "siren", "name"],
                condition=models.Q(withdrawn_at=None, accepted_at=None, refused_at=None),
                name="one_open_join_request",
            )
        ]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(to_pass_on=True), name="join_request_to_pass_on")
        ]

    @property
    def asked_for(self) -> str:
        """The company as whoever asks wrote it."""
        return self.siren or self.name

    def state(self, now: datetime) -> JoinRequestState:
        if self.accepted_at is not None:
            return JoinRequestState.ACCEPTED
        if self.refused_at is not None:
            return JoinRequestState.REFUSED
        if self.withdrawn_at is not None:
            return JoinRequestState.WITHDRAWN
        return JoinRequestState.EXPIRED if now >= self.expires_at else JoinRequestState.WAITING
