"""Membership, and what gives it rights: groups, the services given to a group, and on which points."""

from datetime import date, datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gridgate.core.roles import Term
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.last_days import last_day
from gridgate.organisations.models.organisation import Organisation
from gridgate.organisations.models.people import User
from gridgate.organisations.reach import Reach, count_reached, reach_of, within


def present(now: datetime | None = None, *, of: str = "") -> Q:
    """The condition that a membership is in force: not ended, and before the end of its last day, if it has one.

    `of` leads to the membership from another model, as in `followed_by__`. Without `now`, at this moment: rights are
    always those of the moment at which they are asked for.
    """
    open_ended, later = Q(**{f"{of}until": None}), Q(**{f"{of}until__gt": now or timezone.now()})
    return Q(**{f"{of}ended_at": None}) & (open_ended | later)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def present(self, now: datetime | None = None) -> Self:
        """Those in force, be the account closed or not."""
        return self.filter(present(now))

    def lapsed(self, now: datetime | None = None) -> Self:
        """Those whose last day is over, and whose end nobody has written yet."""
        return self.filter(ended_at=None, until__lte=now or timezone.now())


class Membership(models.Model):
    """A person acting for a company: the *actor* of every query and operation.

    What it may do is worked out in `organisations/reach.py` from its role and its groups.
    """

    class Role(models.TextChoices):
        ADMINISTRATOR = "administrator", _("Administrateur")
        USER = "user", _("Utilisateur")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=13, choices=Role.choices, default=Role.USER)
    administrator_since = models.DateTimeField(null=True, blank=True)
    """When they were made an administrator; None for users."""
    external = models.BooleanField(_("externe"), default=False)
    """True for somebody of another company, such as a service provider. Informative: it changes no right."""
    external_id = models.CharField(max_length=200, blank=True)
    """What the company's own directory calls the person (SCIM, RFC 7643 §3.1)."""
    created_at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    """The end of the last day on which the person acts for the company, in the operator's zone; None without one."""
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(role="administrator", until__isnull=False),
                name="administrators_have_no_last_day",
            ),
            models.UniqueConstraint(
                fields=["user", "organisation"],
                condition=models.Q(ended_at__isnull=True),
                name="one_present_membership_a_company",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.organisation}"

    @property
    def is_administrator(self) -> bool:
        return self.role == self.Role.ADMINISTRATOR

    @property
    def last_day(self) -> date | None:
        """The civil day that `until` ends, included."""
        return last_day(self.until) if self.until is not None else None

    @property
    def ended_by_its_day(self) -> bool:
        """Whether, of one that has ended, it was its last day that ended it."""
        return self.until is not None and (self.ended_at is None or self.until <= self.ended_at)

    def is_present(self, now: datetime | None = None) -> bool:
        """Whether it is in force: what `present` says, of this row."""
        return self.ended_at is None and (self.until is None or (now or timezone.now()) < self.until)

    def reach(self, code: str) -> Reach:
        """How far the member may use a service; one query at most per instance, for all services."""
        return reach_of(self, code)

    def within(self, code: str, field: str) -> models.Q:
        """The condition that `field`, a metering point's identifier, is within the member's reach of the service."""
        return within(self, code, field)

    def count_within(self, code: str) -> int:
        """How many points the member's restricted groups name for a service."""
        return count_reached(self, code)

    def has(self, code: str) -> bool:
        """True when the member may use the service at all, be it on some points only."""
        return self.reach(code).allowed


class UserGroup(models.Model):
    """Members of one company, who are given services together."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="groups")
    name = models.CharField(_("nom du groupe"), max_length=80)
    external_id = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("organisation", Lower("name"), name="one_group_of_a_name_a_company")
        ]

    def __str__(self) -> str:
        return self.name


class Dated(models.Model):
    """Something that gives rights from an instant (None: at once) until another, excluded (None: without end).

    The instants are the beginning and the end of civil days where the operator is; screens say the days.
    """

    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def term(self) -> Term:
        return Term(self.valid_from, self.valid_until)


def _ends_after_it_begins(name: str) -> models.CheckConstraint:
    unbounded = models.Q(valid_from=None) | models.Q(valid_until=None)
    return models.CheckConstraint(
        condition=unbounded | models.Q(valid_until__gt=models.F("valid_from")), name=name
    )


class GroupMember(Dated):
    """A member's place in a group."""

    group = models.ForeignKey(UserGroup, on_delete=models.CASCADE, related_name="members")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="groups")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "membership"], name="once_in_a_group"),
            _ends_after_it_begins("place_ends_after_it_begins"),
        ]


class Entitlement(Dated):
    """A service given to a group. `restricted`: on the points of `perimeter` only, which may be none."""

    group = models.ForeignKey(UserGroup, on_delete=models.CASCADE, related_name="entitlements")
    code = models.CharField(max_length=40, choices=EntitlementCode.choices)
    restricted = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "code"], name="one_entitlement_of_a_kind_a_group"),
            _ends_after_it_begins("entitlement_ends_after_it_begins"),
        ]


class PerimeterPoint(models.Model):
    """A metering point that a restricted entitlement reaches; named by its identifier, as points live above."""

    entitlement = models.ForeignKey(Entitlement, on_delete=models.CASCADE, related_name="perimeter")
    metering_point_id = models.CharField(max_length=18)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entitlement", "metering_point_id"], name="one_line_a_point_of_an_entitlement"
            )
        ]
