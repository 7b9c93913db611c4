from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organisations", "0021_random_key_handles")]

    operations = [
        migrations.AddField(
            model_name="securitypolicy",
            name="provider_issuer",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AddField(
            model_name="securitypolicy",
            name="provider_acr",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="securitypolicy",
            name="provider_amr",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="securitypolicy",
            name="provider_minutes",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
    ]
