from typing import Any

from django.db import migrations, models

import gridgate.organisations.models.people


def draw(apps: Any, schema_editor: Any) -> None:
    users = apps.get_model("organisations", "User").objects
    for pk in users.values_list("pk", flat=True).iterator():
        users.filter(pk=pk).update(key_handle=gridgate.organisations.models.people.new_key_handle())


class Migration(migrations.Migration):
    dependencies = [("organisations", "0020_asked_by_name")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="key_handle",
            field=models.CharField(editable=False, max_length=43, null=True),
        ),
        migrations.RunPython(draw, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="user",
            name="key_handle",
            field=models.CharField(
                default=gridgate.organisations.models.people.new_key_handle,
                editable=False,
                max_length=43,
                unique=True,
            ),
        ),
    ]
