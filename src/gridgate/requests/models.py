"""What every request to the operator is: numbered, in one state, followed by somebody, decided with a reason."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from gridgate.organisations.models.memberships import Membership
from gridgate.organisations.models.organisation import Organisation
from gridgate.organisations.models.people import User


class RequestState(models.TextChoices):
    """`draft → submitted → in review → accepted | refused`; `returned` asks for more and leads back to `submitted`;
    whoever asked may withdraw until it is decided.
    """

    DRAFT = "draft", _("Brouillon")
    SUBMITTED = "submitted", _("Envoyée")
    IN_REVIEW = "in_review", _("En cours d’examen")
    RETURNED = "returned", _("À compléter")
    ACCEPTED = "accepted", _("Acceptée")
    REFUSED = "refused", _("Refusée")
    WITHDRAWN = "withdrawn", _("Retirée")


OPEN_STATES = (RequestState.SUBMITTED, RequestState.IN_REVIEW, RequestState.RETURNED)
TO_TREAT = (RequestState.SUBMITTED, RequestState.IN_REVIEW)
UNDECIDED = (RequestState.DRAFT, *OPEN_STATES)
"""From which whoever asked may still withdraw."""


class OperatorRequest(models.Model):
    """Fields and states common to the requests that the operator's desk treats."""

    number = models.CharField(max_length=20, unique=True)
    """Such as `EIC-2026-K7Q4M`: quoted by people, in e-mails and on the telephone; see `core.references`."""
    requester = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    """The company asked for; None when a person asks who acts for no company here yet."""
    state = models.CharField(max_length=12, choices=RequestState.choices, default=RequestState.DRAFT)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    sent = models.JSONField(null=True, blank=True, editable=False)
    """What it said when it was last sent: while it is completed, the operator sees this and not what is being typed."""
    due_at = models.DateTimeField(null=True, blank=True)
    followed_by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.TextField(blank=True)
    """Why it was returned or refused, as the person who asked reads it."""

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["state", "due_at"])]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class RequestEvent(models.Model):
    """One step in a request's life. Appended, never changed."""

    number = models.CharField(max_length=20, db_index=True)
    state = models.CharField(max_length=12, choices=RequestState.choices)
    at = models.DateTimeField()
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    by_operator = models.BooleanField(default=False)
    note = models.TextField(blank=True)
