from django.db import migrations, models

from gridgate.audit.append_only import no_longer_only_grows, only_grows


class Migration(migrations.Migration):

    dependencies = [("sharing", "0004_points_left")]

    operations = [
        migrations.AlterField("receipt", "jws", models.TextField(blank=True)),
        migrations.AddIndex(
            "receipt",
            models.Index(fields=["id"], condition=models.Q(jws=""), name="sharing_receipt_awaited"),
        ),
        no_longer_only_grows("sharing_receipt"),
        only_grows("sharing_receipt", changeable="OLD.jws = ''"),
    ]
