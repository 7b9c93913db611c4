"""DataService, PermissionRequest, Permission, PermissionEvent, AccessLine, Receipt."""

import uuid

from django.db import models
from django.utils.translation import get_language

from gridgate.core.roles import BeneficiaryRole
from gridgate.core.sharing import Basis, LegalBasis, PermissionState
from gridgate.metering.models import MeteringPoint
from gridgate.organisations.models import Organisation


def _choices(words: type[LegalBasis] | type[PermissionState] | type[Basis]) -> list[tuple[str, str]]:
    return [(word.value, word.value) for word in words]


class DataService(models.Model):
    """A data product of a provider: what it reads, why, on which legal basis. Holders subscribe to it from
    the catalogue.

    Texts are in French and, in the `_en` twin, in English; `text(name)` gives the one of the active language.
    """

    code = models.SlugField(max_length=60, unique=True)
    provider = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="data_services")
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    purpose = models.CharField(max_length=300)
    purpose_en = models.CharField(max_length=300)
    legal_basis = models.CharField(max_length=16, choices=_choices(LegalBasis))
    legal_reference = models.CharField(max_length=300, blank=True)
    legal_reference_en = models.CharField(max_length=300, blank=True)
    contact_email = models.EmailField(blank=True)
    contact_url = models.URLField(blank=True)
    kinds = models.PositiveSmallIntegerField()
    directions = models.PositiveSmallIntegerField()
    finest_resolution = models.PositiveIntegerField(default=0)
    """Seconds; 0 means as stored."""
    history_months = models.PositiveSmallIntegerField(default=0)
    """How far back before its start a subscription reads; 0 means from its start on."""
    duration_months = models.PositiveSmallIntegerField(default=12)
    """How long a subscription lasts; 0 means as long as the title."""
    offered = models.BooleanField(default=True)
    """True when holders can subscribe from the catalogue."""
    roles = models.JSONField(default=list, blank=True)
    """Codes of `BeneficiaryRole`, in the order of the enumeration: holders with one of them may subscribe or accept;
    none named: every holder may."""

    def __str__(self) -> str:
        return self.name

    @property
    def terminable(self) -> bool:
        return LegalBasis(self.legal_basis).terminable

    def offered_to(self, company: Organisation) -> bool:
        """Whether the company's beneficiary roles let it subscribe, or accept a request."""
        wanted = {BeneficiaryRole(code) for code in self.roles}
        return not wanted or not wanted.isdisjoint(company.beneficiary_roles)

    def text(self, name: str) -> str:
        return str(getattr(self, f"{name}_en" if get_language() == "en" else name))


class PermissionRequest(models.Model):
    """What an eligible party asks of a holder, before any permission exists.

    `valid_until` is the last civil day asked for; `history_from` the first day of data, or, without one,
    what the service says.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(DataService, on_delete=models.PROTECT, related_name="requests")
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="requests_received")
    eligible_party = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="requests_made")
    all_points = models.BooleanField(default=False)
    points = models.ManyToManyField(MeteringPoint, related_name="+")
    history_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField()
    message = models.CharField(max_length=500, blank=True)
    state = models.CharField(
        max_length=12, choices=_choices(PermissionState), default=PermissionState.REQUESTED
    )
    requested_at = models.DateTimeField()
    requested_by = models.BigIntegerField(null=True)
    """The user, kept when the account goes, as in `PermissionEvent`."""
    requested_by_name = models.CharField(max_length=200, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.BigIntegerField(null=True)
    answered_by_name = models.CharField(max_length=200, blank=True)


class Permission(models.Model):
    """A holder's authorisation to an eligible party: the last state of its events, and what it says.

    `valid_from` and `valid_until` are instants, the end excluded; `history_from` is the first civil day of
    data that may be read. `all_points` means every point that the holder holds, now and later.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(DataService, on_delete=models.PROTECT, related_name="permissions")
    request = models.OneToOneField(PermissionRequest, on_delete=models.PROTECT, null=True, blank=True)
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="permissions_given")
    eligible_party = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="permissions_received"
    )
    all_points = models.BooleanField(default=False)
    kinds = models.PositiveSmallIntegerField()
    directions = models.PositiveSmallIntegerField()
    finest_resolution = models.PositiveIntegerField(default=0)
    history_from = models.DateField()
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    purpose = models.CharField(max_length=300)
    purpose_en = models.CharField(max_length=300)
    delete_by = models.DateField(null=True, blank=True)
    channel = models.CharField(max_length=20, default="api")
    legal_basis = models.CharField(max_length=16, choices=_choices(LegalBasis))
    state = models.CharField(max_length=12, choices=_choices(PermissionState))
    state_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["holder", "state"]),
            models.Index(fields=["eligible_party", "state"]),
            models.Index(fields=["state", "valid_until"]),
        ]

    @property
    def terminable(self) -> bool:
        return LegalBasis(self.legal_basis).terminable

    def text(self, name: str) -> str:
        return str(getattr(self, f"{name}_en" if get_language() == "en" else name))


class PermissionPoint(models.Model):
    """A point that a permission names; none for a permission on all points."""

    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, related_name="points")
    metering_point = models.ForeignKey(MeteringPoint, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["permission", "metering_point"], name="one_permission_line_a_point"
            )
        ]


class PointLeft(models.Model):
    """A point that a permission covered until its holder left it: what both sides were told, written with the event that
    says it. `left_on` is the first civil day that is no longer the holder's.
    """

    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, related_name="points_left")
    metering_point = models.ForeignKey(MeteringPoint, on_delete=models.PROTECT, related_name="+")
    left_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["permission", "metering_point", "left_on"], name="one_leaving_of_a_point_a_day"
            )
        ]


class PermissionEvent(models.Model):
    """What happened to a permission: appended, never changed (a database trigger refuses)."""

    permission = models.ForeignKey(Permission, on_delete=models.PROTECT, related_name="events")
    sequence = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=_choices(PermissionState))
    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    """The user; null when the system acts (expiry, move-out)."""
    actor_name = models.CharField(max_length=200)
    reason = models.CharField(max_length=300, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["permission", "sequence"]
        constraints = [models.UniqueConstraint(fields=["permission", "sequence"], name="one_event_a_place")]


class AccessLine(models.Model):
    """The access projection: one row per permission (or title), title holding and point. See
    `core.sharing.AccessLine`.

    Written in the transaction that changes the permission or the title, read by the data plane at every
    request.
    """

    reader = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    metering_point = models.ForeignKey(MeteringPoint, on_delete=models.PROTECT, related_name="+")
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    basis = models.CharField(max_length=10, choices=_choices(Basis))
    permission = models.ForeignKey(Permission, on_delete=models.PROTECT, null=True, related_name="lines")
    kinds = models.PositiveSmallIntegerField()
    directions = models.PositiveSmallIntegerField()
    finest_resolution = models.PositiveIntegerField(default=0)
    data_from = models.BigIntegerField()
    data_to = models.BigIntegerField(null=True)
    valid_from = models.BigIntegerField()
    valid_until = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["reader", "metering_point"]),
            models.Index(fields=["holder", "reader"]),
        ]


class Receipt(models.Model):
    """The signed proof of what ended: a JWS (Ed25519) both sides hold, and what it says for the printable
    page.

    It is *awaited* from the transaction that ends until it is signed, right after (`receipts.complete`): it has its
    number, its two sides and its permissions, and says what ended; what was read, the log's head and the signature come
    with it.
    `issued_at` is when it was signed, before that when it was asked for. A database trigger lets nothing change what is
    signed.
    """

    number = models.CharField(max_length=30, unique=True)
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="receipts_as_holder")
    eligible_party = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="receipts_as_party"
    )
    permissions = models.ManyToManyField(Permission, related_name="receipts")
    issued_at = models.DateTimeField()
    payload = models.JSONField()
    jws = models.TextField(blank=True)

    class Meta:
        ordering = ["-issued_at", "-id"]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(jws=""), name="sharing_receipt_awaited"),
        ]

    @property
    def awaited(self) -> bool:
        return not self.jws
