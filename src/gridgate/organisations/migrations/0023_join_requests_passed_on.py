from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organisations", "0022_provider_second_factor")]

    operations = [
        # Of those that are there, the companies were told as they were asked.
        migrations.AddField(
            model_name="joinrequest",
            name="to_pass_on",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="joinrequest",
            name="to_pass_on",
            field=models.BooleanField(default=True),
        ),
        migrations.AddIndex(
            model_name="joinrequest",
            index=models.Index(
                condition=models.Q(("to_pass_on", True)), fields=["id"], name="join_request_to_pass_on"
            ),
        ),
    ]
