import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("metering", "0001_initial"),
        ("sharing", "0003_service_roles"),
    ]

    operations = [
        migrations.CreateModel(
            name="PointLeft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("left_on", models.DateField()),
                ("metering_point", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="metering.meteringpoint")),
                ("permission", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="points_left", to="sharing.permission")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("permission", "metering_point", "left_on"), name="one_leaving_of_a_point_a_day")
                ],
            },
        ),
    ]
