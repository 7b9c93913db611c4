"""How far the access log is folded, the roll-up and the index of its lines, retentions, checkpoints, and the history of
rights. Organisations are named by id and by their name at the time: the logs outlive both.
"""

from django.db import models


class AccessLogSegment(models.Model):
    """How far a process's hash-chained segment has been folded: lines, bytes, the last line's hash."""

    name = models.CharField(max_length=120, unique=True)
    lines = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    head = models.CharField(max_length=64, blank=True)
    sealed = models.BooleanField(default=False)
    """That it grows no more, is folded whole, and was packed."""
    recount_to = models.PositiveBigIntegerField(default=0)
    """How many bytes were folded when counting began anew: until `size` gets there, sums hold less than there was."""


class LogFacet(models.Model):
    """What many reads have in common: whose data, who read, what, by which way, and the answer."""

    holder = models.BigIntegerField(null=True)
    reader = models.BigIntegerField(null=True)
    reader_name = models.CharField(max_length=200, blank=True)
    user = models.BigIntegerField(null=True)
    user_name = models.CharField(max_length=200, blank=True)
    application = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=20, blank=True)
    direction = models.CharField(max_length=10, blank=True)
    channel = models.CharField(max_length=20)
    outcome = models.CharField(max_length=30)
    digest = models.CharField(max_length=32, unique=True)
    """Of all the rest: one row for one facet, what is unknown included."""

    class Meta:
        indexes = [
            models.Index(fields=["holder", "reader"], name="facets_of_a_holder"),
            # For the copy of one's own data; programs read much and are nobody.
            models.Index(fields=["user"], condition=models.Q(user__isnull=False), name="facets_of_a_person"),
        ]


class LogSums(models.Model):
    """How many entries, the values that they held, the first and the last instant, in microseconds since 1970."""

    facet = models.ForeignKey(LogFacet, on_delete=models.PROTECT, related_name="+")
    entries = models.PositiveIntegerField()
    values = models.PositiveBigIntegerField()
    first = models.BigIntegerField()
    last = models.BigIntegerField()

    class Meta:
        abstract = True


class LogDay(LogSums):
    """The entries of one facet on one civil day of the network: what those read who see all of a company's points."""

    pk = models.CompositePrimaryKey("facet_id", "day")
    day = models.DateField()
    segment = models.ForeignKey(AccessLogSegment, on_delete=models.PROTECT, related_name="+")
    """That of the last of them."""


class LogPointDay(LogSums):
    """The same of each metering point: what those read who see some of them."""

    pk = models.CompositePrimaryKey("facet_id", "day", "metering_point_id")
    day = models.DateField()
    metering_point_id = models.CharField(max_length=18, blank=True)


class LogPoint(models.Model):
    """What was read of a point under a permission since the log begins: how often, and the last time. No refusals."""

    pk = models.CompositePrimaryKey("facet_id", "metering_point_id", "permission")
    facet = models.ForeignKey(LogFacet, on_delete=models.PROTECT, related_name="+")
    metering_point_id = models.CharField(max_length=18, blank=True)
    permission = models.CharField(max_length=36, blank=True)
    entries = models.PositiveIntegerField()
    last = models.BigIntegerField()


class LogStretch(models.Model):
    """Where in a segment lines of one holder lie, and between which instants; see `audit.lines`."""

    segment = models.ForeignKey(AccessLogSegment, on_delete=models.PROTECT, related_name="+")
    holder = models.BigIntegerField(null=True)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    columns = models.BinaryField()

    class Meta:
        indexes = [
            models.Index(fields=["holder", "last"], name="stretches_of_a_holder"),
        ]


class LogRetention(models.Model):
    """That entries older than `before` were erased, and when. Appended, never changed."""

    before = models.DateTimeField()
    at = models.DateTimeField()


class Checkpoint(models.Model):
    """That the log was signed: which checkpoint, when, and the SHA-256 of its line. Appended, never changed."""

    number = models.PositiveIntegerField(unique=True)
    at = models.DateTimeField()
    digest = models.CharField(max_length=64)


class AuditEvent(models.Model):
    """One change of who may do what, or of what a company asked: who, for whom, when, before and after.

    Appended, never changed (a database trigger refuses), and each event holds the hash of the one before it.
    """

    at = models.DateTimeField()
    organisation = models.BigIntegerField(null=True)
    """The company that the change concerns, and whose administrators read it; None for the instance's own."""
    user = models.BigIntegerField(null=True)
    user_name = models.CharField(max_length=200, blank=True)
    """Empty, as `user` is None, for what the portal did by itself."""
    acting_for = models.BigIntegerField(null=True)
    acting_for_name = models.CharField(max_length=200, blank=True)
    """The company that the person acted for: the operator, when it acted on the company's behalf."""
    action = models.CharField(max_length=60)
    """`object.verb`, such as `group.created`; the screens hold a sentence for each."""
    subject_kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=64, blank=True)
    subject_label = models.CharField(max_length=200, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "-at"]),
            models.Index(fields=["organisation", "subject_kind", "subject"]),
        ]
