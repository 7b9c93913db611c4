"""A person's own reads are found without looking at everyone's."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_audit_events_only_grow")]

    operations = [
        migrations.AddIndex(
            model_name="accesslogentry",
            index=models.Index(
                condition=models.Q(("user__isnull", False)),
                fields=["user", "at"],
                name="reads_of_a_person",
            ),
        )
    ]
