from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organisations", "0008_policy_asks_a_code")]

    operations = [
        migrations.AddField(
            model_name="user", name="session_round", field=models.PositiveIntegerField(default=0)
        ),
    ]
