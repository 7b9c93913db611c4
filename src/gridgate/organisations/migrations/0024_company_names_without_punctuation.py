from typing import Any

from django.db import migrations

from gridgate.core.text import name_words


def fold(apps: Any, editor: Any) -> None:
    model = apps.get_model("organisations", "Organisation")
    companies = list(model.objects.only("pk", "legal_name"))
    for company in companies:
        company.search_text = " ".join(name_words(company.legal_name))
    model.objects.bulk_update(companies, ["search_text"], batch_size=500)


class Migration(migrations.Migration):

    dependencies = [
        ("organisations", "0023_join_requests_passed_on"),
    ]

    operations = [
        migrations.RunPython(fold, migrations.RunPython.noop),
    ]
