from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organisations", "0009_session_rounds")]

    operations = [
        migrations.CreateModel(
            name="AttemptCount",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("count", models.FloatField()),
                ("at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
