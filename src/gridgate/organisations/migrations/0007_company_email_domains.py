from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('organisations', '0006_directory_people'),
    ]

    operations = [
        migrations.AddField(
            model_name='organisation',
            name='email_domains',
            field=models.JSONField(blank=True, default=list),
        ),
    ]
