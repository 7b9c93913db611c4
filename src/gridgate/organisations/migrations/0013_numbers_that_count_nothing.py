"""Requests were numbered in order, which told each company how many others had asked."""

from typing import Any

from django.db import migrations
from django.utils.timezone import get_default_timezone, localtime

from gridgate.core.references import drawn


def draw_numbers(apps: Any, editor: Any) -> None:
    events = apps.get_model("organisations", "RequestEvent").objects
    for name, prefix in (("EicRequest", "EIC"), ("KycQuestionnaire", "KYC")):
        rows = apps.get_model("organisations", name).objects
        taken = set(rows.values_list("number", flat=True))
        for row in rows.order_by("pk"):
            start = f"{prefix}-{localtime(row.created_at, get_default_timezone()).year}-"
            former, number = row.number, f"{start}{drawn(5)}"
            while number in taken:
                number = f"{start}{drawn(5)}"
            taken.add(number)
            rows.filter(pk=row.pk).update(number=number)
            events.filter(number=former).update(number=number)


class Migration(migrations.Migration):

    dependencies = [("organisations", "0012_groups_of_the_directory")]

    operations = [migrations.RunPython(draw_numbers, migrations.RunPython.noop)]
