from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0007_roll_up")]

    operations = [
        migrations.AddField(
            model_name="accesslogsegment",
            name="recount_to",
            field=models.PositiveBigIntegerField(default=0),
        ),
    ]
