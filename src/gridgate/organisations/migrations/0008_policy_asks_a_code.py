"""Changing the security policy is a sensitive act of its own: asked wherever naming an administrator is."""

from typing import Any

from django.db import migrations


def ask_where_rights_are(apps: Any, editor: Any) -> None:
    for row in apps.get_model("organisations", "SecurityPolicy").objects.all():
        acts = row.step_up_acts
        if "rights" in acts and "policy" not in acts:
            acts.insert(acts.index("rights") + 1, "policy")
            row.save(update_fields=["step_up_acts"])


class Migration(migrations.Migration):

    dependencies = [("organisations", "0007_company_email_domains")]

    operations = [migrations.RunPython(ask_where_rights_are, migrations.RunPython.noop)]
