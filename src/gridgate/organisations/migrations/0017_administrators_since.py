from typing import Any

from django.db import migrations, models
from django.db.models import F


def since_they_act(apps: Any, schema_editor: Any) -> None:
    """Nearest to what is known of those there are."""
    administrators = apps.get_model("organisations", "Membership").objects.filter(role="administrator")
    administrators.update(administrator_since=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("organisations", "0016_join_requests")]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="administrator_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(since_they_act, migrations.RunPython.noop),
    ]
