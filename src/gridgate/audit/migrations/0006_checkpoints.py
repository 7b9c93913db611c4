"""The registry knows each checkpoint of the log, so that taking them away shows."""

from django.db import migrations, models

from gridgate.audit.append_only import only_grows


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_reads_of_a_person")]

    operations = [
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(unique=True)),
                ("at", models.DateTimeField()),
                ("digest", models.CharField(max_length=64)),
            ],
        ),
        only_grows("audit_checkpoint"),
    ]
