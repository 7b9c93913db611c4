"""KycForm, KycQuestionnaire, KycAttachment: what the operator asks of a company before it trades."""

from typing import Self

from django.db import models

from gridgate.requests.models import OperatorRequest


class KycForm(models.Model):
    """A version of the questionnaire, as the operator configured it. Published versions never change."""

    version = models.CharField(max_length=20, unique=True)
    sections = models.JSONField()
    """`[{"title": {fr, en}, "fields": [{"name", "kind", "label": {fr, en}, "help": {fr, en}, "required", …}]}]`."""
    months_valid = models.PositiveSmallIntegerField(default=24)
    published_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.version


class KycQuestionnaire(OperatorRequest):
    """A company's answers to one version; once accepted, valid until `valid_until`, then renewed by another."""

    form = models.ForeignKey(KycForm, on_delete=models.PROTECT, related_name="questionnaires")
    answers = models.JSONField(default=dict, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    renews = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="renewals"
    )


class KycAttachmentQuerySet(models.QuerySet["KycAttachment"]):
    def present(self) -> Self:
        """As whoever fills in the questionnaire sees it."""
        return self.filter(removed=False)

    def sent(self) -> Self:
        """As the operator last received it."""
        return self.filter(sent_at__isnull=False)


class KycAttachment(models.Model):
    """A document joined to an answer; its bytes lie in the instance's data directory, named by their SHA-256."""

    questionnaire = models.ForeignKey(KycQuestionnaire, on_delete=models.CASCADE, related_name="attachments")
    field = models.CharField(max_length=60)
    name = models.CharField(max_length=150)
    content_type = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    added_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    """When the operator first received it; None for one that was joined since."""
    removed = models.BooleanField(default=False)
    """Taken away since it was sent: gone from the answers, and for the operator once these are sent again."""

    objects = KycAttachmentQuerySet.as_manager()
