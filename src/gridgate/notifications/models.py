"""OutgoingEmail: a leased work table, so that a killed worker's e-mail is sent by the next one."""

from django.db import models


class OutgoingEmail(models.Model):
    """An e-mail to send. `key` makes a second enqueueing of the same notice a no-op; `leased_until` is the
    claim. One to nobody asks for letters to be written: see `asking.py`.
    """

    key = models.CharField(max_length=200, unique=True)
    thread = models.CharField(max_length=60, blank=True)
    """Letters of one thread leave for one address in their order, one after the other: on what two companies share, or on
    one request.
    """
    recipient = models.EmailField()
    language = models.CharField(max_length=2)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    secret = models.CharField(max_length=100, blank=True)
    """Which link or code is put into the text when it leaves: see `letters.py`."""
    attachment_name = models.CharField(max_length=120, blank=True)
    attachment = models.TextField(blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["sent_at", "due_at"]),
            models.Index(
                "thread",
                "recipient",
                name="unsent_letters_of_a_thread",
                condition=~models.Q(thread="") & models.Q(sent_at__isnull=True),
            ),
        ]
