from typing import Any

from django.db import migrations, models

from gridgate.core.text import folded


def fill(apps: Any, editor: Any) -> None:
    model = apps.get_model("organisations", "Organisation")
    companies = list(model.objects.only("pk", "legal_name"))
    for company in companies:
        company.search_text = folded(company.legal_name)
    model.objects.bulk_update(companies, ["search_text"], batch_size=500)


class Migration(migrations.Migration):

    dependencies = [
        ('organisations', '0004_groups_from_former_rights'),
    ]

    operations = [
        migrations.AddField(
            model_name='organisation',
            name='search_text',
            field=models.CharField(blank=True, default='', editable=False, max_length=600),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
