"""MeteringPoint, PointVersion, TitleHolding, PointAsHeld, LoadCurveCollection, RegisterImport."""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from gridgate.core.text import folded
from gridgate.organisations.models import Organisation, User


def called(label: str, address: str, number: str) -> str:
    """What a point is called wherever one name must do: the name of its site; without one, its address; without that,
    its number.
    """
    return label or address or number


class MeteringPoint(models.Model):
    """Where energy is measured: a PRM, a GSRN or an EIC of type Z.

    What it is changes in time, and with it who may know: that is in its versions. Queries say which of them a
    point shows, and give it under the names below; no other way leads there.
    """

    class Segment(models.TextChoices):
        C1 = "C1"
        C2 = "C2"
        C3 = "C3"
        C4 = "C4"
        C5 = "C5"
        P1 = "P1"
        P2 = "P2"
        P3 = "P3"
        P4 = "P4"

    class MeterType(models.TextChoices):
        AMM = "AMM", _("communicant")
        PMEI = "PMEI", _("électronique, télérelevé")
        OTHER = "OTHER", _("autre")

    id = models.CharField(_("point de comptage (PRM)"), primary_key=True, max_length=18)
    activated_on = models.DateField(_("mise en service"))

    # Of the version shown; empty, 0 or None when none is.
    segment: str
    directions: int
    label: str
    address: str
    postcode: str
    city: str
    subscribed_power_kva: Decimal | None
    meter_type: str
    search_text: str

    def __str__(self) -> str:
        said = vars(self)
        return called(said.get("label", ""), said.get("address", ""), self.pk)

    def get_meter_type_display(self) -> str:
        return str(dict(self.MeterType.choices).get(self.meter_type, ""))


class PointVersion(models.Model):
    """What a point was, from the civil day `valid_from` up to, not including, `valid_to`: the day of the next version.

    Written by `metering.versions` only, which keeps them without a hole between two.
    """

    metering_point = models.ForeignKey(MeteringPoint, on_delete=models.PROTECT, related_name="versions")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    segment = models.CharField(_("segment"), max_length=2, choices=MeteringPoint.Segment.choices)
    directions = models.PositiveSmallIntegerField(_("sens"))
    """Bits of `core.quantities.FlowDirection`."""
    label = models.CharField(_("nom du site"), max_length=80, blank=True)
    address = models.CharField(_("adresse"), max_length=200)
    postcode = models.CharField(_("code postal"), max_length=10)
    city = models.CharField(_("commune"), max_length=80)
    subscribed_power_kva = models.DecimalField(
        _("puissance souscrite"), max_digits=9, decimal_places=2, null=True
    )
    meter_type = models.CharField(
        _("compteur"),
        max_length=5,
        choices=MeteringPoint.MeterType.choices,
        default=MeteringPoint.MeterType.AMM,
    )
    search_text = models.TextField(editable=False, default="", blank=True)
    """Name and address, `folded`: what searches look in and lists are sorted by."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(directions__gte=1, directions__lte=3), name="version_has_a_direction"
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gt=models.F("valid_from")),
                name="version_ends_after_it_starts",
            ),
            models.UniqueConstraint(
                fields=["metering_point"],
                condition=models.Q(valid_to__isnull=True),
                name="one_last_version_a_point",
            ),
            models.UniqueConstraint(fields=["metering_point", "valid_from"], name="one_version_a_start"),
        ]

    def folded_text(self) -> str:
        return folded(" ".join(filter(None, (self.label, self.address, self.postcode, self.city))))


class TitleHolding(models.Model):
    """Which organisation held a point, from the civil day `valid_from` up to, not including, `valid_to`."""

    metering_point = models.ForeignKey(MeteringPoint, on_delete=models.PROTECT, related_name="holdings")
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="holdings")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gt=models.F("valid_from")),
                name="holding_ends_after_it_starts",
            ),
            models.UniqueConstraint(
                fields=["metering_point"],
                condition=models.Q(valid_to__isnull=True),
                name="one_open_holding_a_point",
            ),
            models.UniqueConstraint(fields=["metering_point", "valid_from"], name="one_holding_a_start"),
        ]
        indexes = [models.Index(fields=["holder", "metering_point"]), models.Index(fields=["valid_to"])]


class PointAsHeld(models.Model):
    """What a company is shown of a point that it holds, held or will hold, from `shown_from` up to, not including,
    `shown_to`: one row for any day. Written by `metering.as_held`, from titles and versions.
    """

    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    metering_point = models.ForeignKey(MeteringPoint, on_delete=models.PROTECT, related_name="as_held")
    version = models.ForeignKey(PointVersion, on_delete=models.PROTECT, null=True, related_name="+")
    """None while nothing is known of the title's time."""
    held_from = models.DateField()
    held_to = models.DateField(null=True)
    shown_from = models.DateField()
    shown_to = models.DateField(null=True)
    directions = models.PositiveSmallIntegerField()
    """All that the point has had in the title's time, or both when nothing is known of it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["holder", "metering_point", "shown_from"], name="one_face_of_a_point_a_day"
            )
        ]


class LoadCurveCollection(models.Model):
    """The state of the collection of a point's load curve since `since`; the row with no `until` is present.

    Rules (Enedis SGE v26.2, C5): recording is on by default, collection needs the holder's agreement or a
    subscription by an authorised party; an opposition ends the permissions on the load curve.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("demandée")
        ACTIVE = "active", _("active")
        ENDED = "ended", _("terminée")
        OPPOSED = "opposed", _("opposée")

    metering_point = models.ForeignKey(MeteringPoint, on_delete=models.PROTECT, related_name="collections")
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    """Who held the point when the state was decided (None: nobody): the state is theirs, counts while they hold it, and
    is told to nobody else.
    """
    state = models.CharField(max_length=9, choices=State.choices)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["metering_point"],
                condition=models.Q(until__isnull=True),
                name="one_present_collection_a_point",
            )
        ]


class RegisterImport(models.Model):
    """A file of points or of holders that was checked or imported, and what came of it.

    The file itself is kept between the check and the decision only.
    """

    class Kind(models.TextChoices):
        POINTS = "points", _("points de comptage")
        HOLDERS = "holders", _("titulaires")

    class State(models.TextChoices):
        CHECKED = "checked", _("vérifié")
        DONE = "done", _("importé")

    kind = models.CharField(max_length=7, choices=Kind.choices)
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField(null=True)
    state = models.CharField(max_length=7, choices=State.choices)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    """None for the command line."""
    made_at = models.DateTimeField()
    imported_at = models.DateTimeField(null=True, blank=True)
    created = models.PositiveIntegerField()
    changed = models.PositiveIntegerField()
    unchanged = models.PositiveIntegerField()
    rejected = models.PositiveIntegerField()
    findings = models.JSONField()
    """`metering.imports.Finding`s as JSON."""

    @property
    def idle(self) -> bool:
        """Whether there is nothing in it that could be imported, or was."""
        return not (self.created or self.changed or (self.unchanged and self.state == self.State.DONE))

    class Meta:
        indexes = [models.Index(fields=["-made_at"])]
