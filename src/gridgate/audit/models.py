"""AccessLogEntry, AccessLogSegment, LogRetention, Checkpoint, AuditEvent. Organisations are named by id and by their
name at the time: the logs outlive both.
"""

from django.db import models


class AccessLogSegment(models.Model):
    """How far a process's hash-chained segment has been folded: lines, bytes, the last line's hash."""

    name = models.CharField(max_length=120, unique=True)
    lines = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    head = models.CharField(max_length=64, blank=True)


class AccessLogEntry(models.Model):
    """One read, or one refused attempt (DataAccessLog of Regulation (EU) 2023/1162, articles 5 and 7).

    Appended, never changed, and removed only when a `LogRetention` says so (a database trigger refuses).
    """

    segment = models.ForeignKey(AccessLogSegment, on_delete=models.PROTECT, related_name="entries")
    line = models.PositiveIntegerField()
    at = models.DateTimeField()
    channel = models.CharField(max_length=20)
    outcome = models.CharField(max_length=30)
    holder = models.BigIntegerField(null=True)
    reader = models.BigIntegerField(null=True)
    reader_name = models.CharField(max_length=200, blank=True)
    user = models.BigIntegerField(null=True)
    user_name = models.CharField(max_length=200, blank=True)
    application = models.CharField(max_length=64, blank=True)
    permission = models.CharField(max_length=36, blank=True)
    basis = models.CharField(max_length=10, blank=True)
    metering_point_id = models.CharField(max_length=18, blank=True)
    kind = models.CharField(max_length=20, blank=True)
    direction = models.CharField(max_length=10, blank=True)
    start = models.DateTimeField(null=True)
    end = models.DateTimeField(null=True)
    as_of = models.DateTimeField(null=True)
    values = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["segment", "line"], name="one_entry_a_line")]
        indexes = [
            models.Index(fields=["holder", "-at"]),
            models.Index(fields=["holder", "reader", "-at"]),
            models.Index(fields=["holder", "metering_point_id", "-at"]),
            # For the copy of one's own data; programs read much and are nobody.
            models.Index(
                fields=["user", "at"], condition=models.Q(user__isnull=False), name="reads_of_a_person"
            ),
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
