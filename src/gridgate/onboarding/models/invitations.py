"""Invitation, GeneralTerms, TermsAcceptance: how an account comes into being.

No link is stored: it is signed by the instance's secret key from the invitation's id and `round`, so that a copy
of the registry opens no account.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gridgate.organisations.last_days import last_day
from gridgate.organisations.models.memberships import Membership, UserGroup
from gridgate.organisations.models.organisation import Organisation
from gridgate.organisations.models.people import User


class InvitationState(StrEnum):
    """`pending → accepted`, or `→ expired → pending` when sent again; `cancelled` ends it."""

    PENDING = "pending"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def unclosed(self) -> Self:
        """Neither accepted nor cancelled; the link may have expired."""
        return self.filter(accepted_at=None, cancelled_at=None)


class Invitation(models.Model):
    """An activation link on its way: to a first administrator, to a member, or to whoever signs up by themselves.

    The row says nothing of whether the address has an account already: whoever invites does not learn it.
    """

    class Kind(models.TextChoices):
        FIRST_ADMINISTRATOR = "first_administrator", _("premier administrateur")
        MEMBER = "member", _("utilisateur")
        SIGN_UP = "sign_up", _("inscription")

    kind = models.CharField(max_length=20, choices=Kind.choices)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="invitations"
    )
    """None for a sign-up."""
    email = models.EmailField(_("adresse e-mail"))
    full_name = models.CharField(_("nom"), max_length=120)
    language = models.CharField(_("langue"), max_length=2, choices=[("fr", "Français"), ("en", "English")])
    role = models.CharField(max_length=13, choices=Membership.Role.choices, default=Membership.Role.USER)
    external = models.BooleanField(_("externe"), default=False)
    until = models.DateTimeField(null=True, blank=True)
    """The `until` of the membership that accepting it makes."""
    groups = models.ManyToManyField(UserGroup, blank=True, related_name="invitations")
    invited_by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    round = models.PositiveSmallIntegerField(default=1)
    """How many links were sent; the last one only is good."""
    resend_until = models.DateTimeField(null=True, blank=True)
    """Until when one more link is sent by itself once this one has expired; None when none will be."""
    accepted_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    membership = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    """What accepting it made."""

    objects = InvitationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["organisation", "-created_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "email"],
                condition=Q(accepted_at__isnull=True, cancelled_at__isnull=True),
                name="one_open_invitation_a_person_a_company",
            ),
            models.UniqueConstraint(
                fields=["email"],
                condition=Q(accepted_at__isnull=True, cancelled_at__isnull=True, organisation__isnull=True),
                name="one_open_sign_up_a_person",
            ),
        ]

    def state(self, now: datetime) -> InvitationState:
        if self.accepted_at is not None:
            return InvitationState.ACCEPTED
        if self.cancelled_at is not None:
            return InvitationState.CANCELLED
        return InvitationState.PENDING if now < self.expires_at else InvitationState.EXPIRED

    @property
    def last_day(self) -> date | None:
        """That of the membership, included."""
        return last_day(self.until) if self.until is not None else None

    @property
    def good_until(self) -> datetime:
        """Until when the link is said to be good: its own end or, when that comes first, the last second of the last day
        of the membership.
        """
        if self.until is None:
            return self.expires_at
        return min(self.expires_at, self.until - timedelta(seconds=1))

    def has_lapsed(self, now: datetime) -> bool:
        """Whether the last day on which the person would act for the company is over: accepting makes nothing."""
        return self.until is not None and self.until <= now

    def is_on_its_way(self, now: datetime) -> bool:
        """True while the last link is good, or another will be sent by itself."""
        state = self.state(now)
        if state is InvitationState.PENDING:
            return True
        until = self.resend_until
        return state is InvitationState.EXPIRED and until is not None and now < until


class GeneralTerms(models.Model):
    """A version of the general terms of use. Published ones never change: a new version replaces them."""

    version = models.CharField(max_length=20, unique=True)
    text_fr = models.TextField()
    text_en = models.TextField(blank=True)
    published_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.version


class TermsAcceptance(models.Model):
    """That a person accepted a version, when, and for which company."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="accepted_terms")
    terms = models.ForeignKey(GeneralTerms, on_delete=models.PROTECT, related_name="acceptances")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    accepted_at = models.DateTimeField()
