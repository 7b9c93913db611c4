"""The operator sees a request as it was last sent. Of those sent before, the present answers are all there is."""

from typing import Any

from django.db import migrations, models
from django.db.models import F

EIC = ("type", "display_name", "long_name", "parent", "responsible_party", "justification", "details")
KYC = ("answers",)


def keep_what_was_sent(apps: Any, editor: Any) -> None:
    for name, contents in (("EicRequest", EIC), ("KycQuestionnaire", KYC)):
        rows = apps.get_model("organisations", name).objects.filter(submitted_at__isnull=False)
        for row in rows.iterator():
            row.sent = {field: getattr(row, field) for field in contents}
            row.save(update_fields=["sent"])
    attachments = apps.get_model("organisations", "KycAttachment").objects
    attachments.filter(questionnaire__submitted_at__isnull=False).update(sent_at=F("added_at"))


class Migration(migrations.Migration):

    dependencies = [("organisations", "0010_attempt_counts")]

    operations = [
        migrations.AddField(
            "eicrequest", "sent", models.JSONField(blank=True, editable=False, null=True)
        ),
        migrations.AddField(
            "kycquestionnaire", "sent", models.JSONField(blank=True, editable=False, null=True)
        ),
        migrations.AddField("kycattachment", "sent_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("kycattachment", "removed", models.BooleanField(default=False)),
        migrations.RunPython(keep_what_was_sent, migrations.RunPython.noop),
    ]
