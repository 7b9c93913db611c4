"""Files of measurements that are prepared for a person: who asked for what, how far it is, until when it is kept."""

from django.db import models

from gridgate.organisations.models.memberships import Membership


class PreparedFile(models.Model):
    """One file, asked for by a member for one company. What it holds lies in the instance's folder, under `name`."""

    class State(models.TextChoices):
        WAITING = "waiting"
        READY = "ready"
        FAILED = "failed"

    class Failure(models.TextChoices):
        """Why nothing was prepared."""

        NO_ROOM = "no_room"
        UNAVAILABLE = "unavailable"
        INTERRUPTED = "interrupted"
        NOTHING_LEFT = "nothing_left"

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="prepared_files")
    name = models.CharField(max_length=32, unique=True)
    """Of the file on disk, drawn at random."""

    quantity = models.CharField(max_length=12)
    direction = models.CharField(max_length=12)
    first = models.DateField()
    after = models.DateField()
    points = models.JSONField()
    """The identifiers, in the order of the file."""
    count = models.PositiveIntegerField()
    address = models.TextField()
    """The query of the page that shows the same."""
    format = models.CharField(max_length=8)
    language = models.CharField(max_length=2)

    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    failure = models.CharField(max_length=12, choices=Failure.choices, blank=True)
    done = models.PositiveIntegerField(default=0)
    """How many points it has so far."""
    size = models.BigIntegerField(default=0)
    left_out = models.JSONField(default=list)
    """The points that the person might read no more when their turn came."""
    rights = models.JSONField(null=True, blank=True)
    """Of what is in it, what had to be readable: compared at each download."""

    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(state="waiting"),
                name="prepared_file_waiting",
            )
        ]
